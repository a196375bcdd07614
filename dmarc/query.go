package dmarc

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Query is one name that was asked for a DMARC Policy Record, and what came back:
// RFC 9989, section 4.10, step 2.
type Query struct {
	Domain string `json:"domain"` // the question was for TXT at _dmarc.Domain

	// Record is the one valid record found there, or nil, and Text its text as DNS
	// gave it: not safe to print.
	Record *record.Record `json:"record,omitempty"`
	Text   string         `json:"text,omitempty"`

	// Discarded are the other TXT records, and why they do not count.
	Discarded []Discarded `json:"discarded,omitempty"`

	// PublicSuffix says that Record has no psd tag and was read as if it had psd=y,
	// since the public suffix list has the name (TreeWalk.Literal turns that off).
	PublicSuffix bool `json:"public_suffix,omitempty"`

	Authentic resolver.Authentic `json:"authentic"`

	// Err is the failure that left the question open; nil where it was answered,
	// also if by there being no record.
	Err error `json:"-"`

	usable error // what record.Parse said of Record: nil or ErrNoPolicy
}

// Discarded is a TXT record that is not a name's DMARC record.
type Discarded struct {
	Text   string `json:"text"` // as DNS gave it: not safe to print
	Reason string `json:"reason"`
}

// Why a TXT record is discarded.
const (
	notDMARC = `it does not begin with "v=DMARC1"`
	several  = "it is one of several DMARC records at this name, which all do not count"
)

// read takes the TXT records of a name.
func (q *Query) read(txt []string, standard record.Standard) {
	found := 0
	for _, text := range txt {
		if record.IsDMARC(text) {
			found++
			q.Text = text
		}
	}
	if found == 1 {
		q.Record, _, q.usable = record.Parse(q.Text, standard)
	} else {
		q.Text = ""
	}
	if found == len(txt) && found == 1 {
		return
	}
	for _, text := range txt {
		switch {
		case !record.IsDMARC(text):
			q.Discarded = append(q.Discarded, Discarded{text, notDMARC})
		case found > 1:
			q.Discarded = append(q.Discarded, Discarded{text, several})
		}
	}
}

// queries asks for DMARC records: each name once, all side by side. One goroutine asks and
// waits.
type queries struct {
	life     *lifetime
	resolver resolver.Resolver
	suffix   func(name string) bool // the floor under the walk, or nil
	standard record.Standard        // by which records are read

	wg    sync.WaitGroup
	asked findings
}

// ask starts the questions for names that have not been asked yet.
func (qs *queries) ask(names []string) { qs.askThen(names, nil) }

// askThen is ask, after which then is called, unless nil, with all that was asked by now, as
// soon as every one of these questions has its outcome: by whoever saw the last of them.
func (qs *queries) askThen(names []string, then func(findings)) {
	first := len(qs.asked)
	qs.asked = slices.Grow(qs.asked, len(names))
	room := make([]Query, len(names)) // in one piece
	for i, name := range names {
		if qs.asked.find(name) == nil {
			room[i].Domain = name
			qs.asked = append(qs.asked, &room[i])
		}
	}
	asked := qs.asked
	var open []*Query
	for _, q := range asked[first:] {
		if !qs.recall(q) {
			open = append(open, q)
		}
	}
	if len(open) == 0 {
		if then != nil {
			then(asked)
		}
		return
	}
	var left atomic.Int32
	left.Store(int32(len(open)))
	ctx := qs.life.context()
	for _, q := range open {
		qs.wg.Go(func() {
			answer, err := qs.resolver.Resolve(ctx, q.question())
			qs.take(q, answer, err)
			if left.Add(-1) == 0 && then != nil {
				then(asked)
			}
		})
	}
}

// recall takes the outcome of a question if nobody has to wait for it.
func (qs *queries) recall(q *Query) bool {
	answer, ok, err := resolver.Recall(seam.Internal{}, qs.life.outer, qs.resolver, q.question())
	if ok {
		qs.take(q, answer, err)
	}
	return ok
}

func (q *Query) question() resolver.Question {
	return resolver.Question{Name: "_dmarc." + q.Domain, Type: resolver.TypeTXT}
}

// wouldAsk returns how many names would have been asked with those.
func (qs *queries) wouldAsk(names []string) int {
	n := len(qs.asked)
	for _, name := range names {
		if qs.asked.find(name) == nil {
			n++
		}
	}
	return n
}

// take takes the outcome of a question.
func (qs *queries) take(q *Query, answer resolver.Answer, err error) {
	q.Authentic = answer.Authentic
	switch {
	case err == nil:
		q.read(answer.TXT, qs.standard)
		q.PublicSuffix = qs.suffix != nil && q.Record != nil && q.Record.PSD == record.PSDUnknown && qs.suffix(q.Domain)
	case resolver.Temporary(err):
		q.Err = err
	default:
		// Proven absent, or a name too long to hold a record.
		q.Authentic = resolver.AuthenticOf(err)
	}
}

// wait returns all that was asked when every question has its outcome.
func (qs *queries) wait() findings {
	qs.wg.Wait()
	return qs.asked
}

// findings are queries in the order of asking: few enough to look through.
type findings []*Query

// find returns the query for a domain, or nil.
func (f findings) find(domain string) *Query {
	for _, q := range f {
		if q.Domain == domain {
			return q
		}
	}
	return nil
}

// at returns the outcome for a domain. One that was not asked for is open.
func (f findings) at(domain string) *Query {
	if q := f.find(domain); q != nil {
		return q
	}
	return &Query{Domain: domain, Err: cause.Wrap(ErrPolicyUnknown, "_dmarc."+domain+" was not asked", nil)}
}
