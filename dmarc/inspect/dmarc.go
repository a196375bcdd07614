package inspect

import (
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A policy is the DMARC record that applies to the domain, by the Tree Walk.
type policy struct {
	result *discovery.Result
	known  bool // DNS answered
	owned  bool // the record is one that the owner of the domain can change
}

// record returns the record, or nil.
func (p *policy) record() *record.Record {
	if q := p.result.Query(); q != nil {
		return q.Record
	}
	return nil
}

// own returns the query that found the record at a domain, or nil.
func (p *policy) own(name string) *discovery.Query {
	if q := p.result.Query(); q != nil && q.Domain == name {
		return q
	}
	return nil
}

// dmarc inspects the DMARC record that applies.
func (in *inspection) dmarc() {
	result := in.policy.result
	in.dmarcNames(result)
	in.dmarcMisplaced()
	q := result.Query()
	switch {
	case !in.policy.known:
		return
	case q == nil:
		in.dmarcMissing()
		return
	}
	in.dmarcInherited()
	if !in.policy.owned {
		return
	}
	in.dmarcRecord(q)
	in.destinations(q)
}

// findPolicy finds which policy applies, and so what the Organizational Domain is.
func (in *inspection) findPolicy() {
	result := in.discover(in.name, discovery.TreeWalk)
	in.policy = &policy{result: result, known: !errors.Is(result.Err, discovery.ErrPolicyUnknown)}
	in.report.Organizational = result.Organization(in.name).Organizational
	in.policy.owned = in.canPublish(result.PolicyDomain)
	in.report.DMARC = in.applied(result)
}

// discover finds the policy of a name, and notes questions without an answer.
func (in *inspection) discover(name string, mode discovery.Mode) *discovery.Result {
	result := discovery.Discover(in.dns.ctx, in.dns.resolver, name, discovery.Options{Mode: mode})
	for _, q := range result.Queries {
		if q.Err != nil {
			in.dns.failed(question("_dmarc."+q.Domain, resolver.TypeTXT), q.Err, true)
		}
	}
	return result
}

// canPublish reports whether a record at a name would be for the owner of the domain to publish.
func (in *inspection) canPublish(name string) bool {
	return name != "" && (name == in.name || domain.Within(in.name, name) && !alignment.PublicSuffix{}.Is(name))
}

// dmarcNames is on what stands at the names that are asked for DMARC records, and is none.
func (in *inspection) dmarcNames(result *discovery.Result) {
	for _, q := range result.Queries {
		if !in.canPublish(q.Domain) {
			continue
		}
		at := "_dmarc." + visible.Domain(q.Domain)
		if q.Several() {
			var texts []string
			for _, d := range q.Discarded {
				if d.Reason == discovery.Several {
					texts = append(texts, d.Text)
				}
			}
			in.found.add("dmarc-multiple", "There are "+remedy.Plural(len(texts), "DMARC record", "DMARC records")+" at "+at+". Several count as none.",
				strings.Join(texts, "  |  "), remedy.KeepOne(q))
		}
		for _, d := range q.Discarded {
			if d.Reason == discovery.NotDMARC && q.Record == nil {
				in.dmarcAlmost(q.Domain, d.Text)
			}
		}
	}
}

// dmarcAlmost is on a record that was meant to be one of DMARC, or stands in the place of one.
func (in *inspection) dmarcAlmost(at, text string) {
	name := "_dmarc." + visible.Domain(at)
	if r, meant := mend.DMARC(text); meant {
		in.found.add("dmarc-almost", "The record at "+name+" was meant to be a DMARC record. As it is written it does not count as one.",
			text+faultText(r), remedy.DMARC(at, text))
		return
	}
	// By a wildcard, a name that nobody made has what all others have.
	wild, _ := in.dns.txt(probe+"."+visible.Domain(at), false)
	if _, is, _ := spf.Parse(text); is && !slices.Contains(wild, text) {
		f := Fix{
			Text:    "Delete the SPF record at " + name + ", and publish a DMARC record there.",
			Changes: []Change{remedy.Replace(name, in.firstPolicy(), text)},
		}
		in.found.add("dmarc-almost", "The record at "+name+" is an SPF record. A DMARC record belongs there.", text, f)
	}
}

// dmarcMisplaced is on records that stand where nobody looks for them.
func (in *inspection) dmarcMisplaced() {
	names := []string{in.name, "_dmarc._dmarc." + in.name, "dmarc." + in.name}
	if double := "_dmarc." + in.name + "." + in.name; len(double) <= domain.MaxLength {
		names = append(names, double)
	}
	in.dns.ahead(questions(resolver.TypeTXT, names...)...)
	// One record may be moved to where it belongs, if nothing stands there: with a second one, none counts.
	taken := in.policy.own(in.name) != nil || in.found.has("dmarc-multiple", "dmarc-almost")
	for _, at := range names {
		texts, err := in.dns.txt(at, at == in.name)
		if err != nil {
			continue
		}
		for _, text := range texts {
			if len(text) < len("v=DMARC1") || !strings.EqualFold(text[:len("v=DMARC")], "v=DMARC") {
				continue
			}
			fix, meant := remedy.MoveDMARC(visible.Domain(in.name), visible.Domain(at), text)
			if !meant {
				continue
			}
			if taken {
				fix = Fix{
					Text:    "Delete the DMARC record at " + visible.Domain(at) + ". Only the one at _dmarc." + in.name + " counts.",
					Changes: []Change{remedy.New(remedy.ActionDelete, visible.Domain(at), "TXT", text)},
				}
			}
			taken = true
			in.found.add("dmarc-misplaced", "A DMARC record stands at "+visible.Domain(at)+". Nobody looks for it there.", text, fix)
		}
	}
}

// dmarcMissing is for a domain without a policy.
func (in *inspection) dmarcMissing() {
	if in.found.has("dmarc-multiple", "dmarc-almost", "dmarc-misplaced") {
		return // which is why there is none
	}
	var asked []string
	for _, q := range in.policy.result.Queries {
		asked = append(asked, "_dmarc."+q.Domain)
	}
	name := in.publishAt()
	if (alignment.PublicSuffix{}).Is(name) {
		in.found.add("dmarc-missing", "No DMARC record applies to "+in.name+", which is a public suffix.", strings.Join(asked, ", ")+": none", Fix{})
		return
	}
	fix := remedy.PublishDMARC(name, in.firstPolicy())
	if in.withoutMail() && in.silent() {
		fix.Note = "A domain without mail needs no time to try: reject protects its name at once."
		if in.tree.root.parsed == nil {
			fix.Note += " If it does send mail, begin with p=none and an address for reports (rua)."
		}
	}
	in.found.add("dmarc-missing", "No DMARC record applies to "+in.name+". Everybody can use its name.", "nothing at "+remedy.List(asked), fix)
}

// publishAt returns the domain at which a DMARC record is best published.
func (in *inspection) publishAt() string {
	if org := in.report.Organizational; org != "" && in.canPublish(org) {
		return visible.Domain(org)
	}
	return in.name
}

// silent reports whether nothing shows that the domain sends mail: no company is recognised, and the
// SPF record says that nobody sends, or there is none.
func (in *inspection) silent() bool {
	root := in.tree.root
	return len(in.providers) == 0 && (root.parsed != nil && saysNothing(root.parsed) || errors.Is(root.err, spf.ErrNoRecord))
}

// firstPolicy is the record of a domain that has none.
func (in *inspection) firstPolicy() string {
	if in.withoutMail() && in.silent() {
		return "v=DMARC1; p=reject"
	}
	return "v=DMARC1; p=none; rua=" + in.reportURI(in.publishAt())
}

// reportURI is where reports about a domain may go: an address at the domain, or a placeholder where the
// domain takes no mail.
func (in *inspection) reportURI(at string) string {
	if takes, err := in.takesMail(at); err == nil && !takes {
		return "mailto:<an address of yours>"
	}
	return "mailto:dmarc@" + at
}

// withTags returns the text of a record with some tags set, one that is set to "" left out. New ones
// come last. What means nothing is left out too, so that what one finding takes away does not come
// back with the record that another one has to publish.
func withTags(r *record.Record, pairs ...string) string {
	var list []string
	done := make([]bool, len(pairs)/2)
	for _, tag := range r.Tags {
		if tag.Kind != record.TagKnown {
			continue
		}
		value := tag.Value
		for i := 0; i < len(pairs); i += 2 {
			if domain.ToLower(tag.Name) == pairs[i] {
				value, done[i/2] = pairs[i+1], true
			}
		}
		if text := tag.Name + "=" + value; value != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if !done[i/2] && pairs[i+1] != "" {
			list = append(list, pairs[i]+"="+pairs[i+1])
		}
	}
	return strings.Join(list, "; ")
}
