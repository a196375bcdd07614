package show

import (
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
	"github.com/mailverdict/mailverdict/spf"
	"golang.org/x/net/idna"
)

// A liveSPF are the records that have come while SPF is under way.
type liveSPF struct {
	domain  string
	records map[string]*spf.Record // by domain
	asked   map[string]bool        // domains that a record names, and the first
}

func newLiveSPF(e dmarc.Envelope) liveSPF {
	name := e.HELO
	if at := strings.LastIndexByte(e.MailFrom, '@'); at >= 0 {
		name = e.MailFrom[at+1:]
	}
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		name = ascii
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return liveSPF{domain: name, records: map[string]*spf.Record{}, asked: map[string]bool{name: true}}
}

// add takes a record that belongs to the tree, and reports whether it did.
func (l *liveSPF) add(e trace.Event) bool {
	if e.Question.Type != resolver.TypeTXT || !l.asked[e.Question.Name] || l.records[e.Question.Name] != nil || len(l.records) >= maxLive {
		return false
	}
	for _, text := range e.Answer.TXT {
		record, ok, err := spf.Parse(text)
		if !ok || err != nil {
			continue
		}
		l.records[e.Question.Name] = record
		for i := range record.Terms {
			if t := &record.Terms[i]; t.Kind == spf.KindInclude || t.Kind == spf.KindRedirect {
				l.asked[strings.ToLower(t.Domain())] = true
			}
		}
		return true
	}
	return false
}

// maxLive is how many records are followed while SPF is under way.
const maxLive = 12

// liveCard is the card of SPF as far as it is known.
func (v *View) liveCard() Card {
	left := maxTerms
	step := explain.Step{Kind: explain.KindSPF, Title: "SPF", Input: "The record is being read, and what it names is being asked for."}
	return Card{"spf", []Step{{Step: step, Tree: v.growing(v.live.domain, 0, &left)}}}
}

// growing is the tree below a domain as far as it is known, nil where nothing is.
func (v *View) growing(domain string, depth int, left *int) *Tree {
	record := v.live.records[domain]
	if record == nil || depth > 10 {
		return nil
	}
	t := &Tree{Domain: visible.Line(domain), Record: visible.Value(record.Text), Took: v.tookFor(domain, resolver.TypeTXT)}
	for i := range record.Terms {
		if *left--; *left < 0 {
			break
		}
		term := Term{Step: explain.Step{Title: visible.Line(record.Terms[i].Text)}, Pending: "…"}
		if k := record.Terms[i].Kind; k == spf.KindInclude || k == spf.KindRedirect {
			term.Record = v.growing(strings.ToLower(record.Terms[i].Domain()), depth+1, left)
		}
		t.Terms = append(t.Terms, term)
	}
	return t
}

// hasSPF reports whether the result of SPF is there.
func (v *View) hasSPF() bool {
	for _, c := range v.Cards {
		if c.ID == "spf" {
			return true
		}
	}
	return false
}
