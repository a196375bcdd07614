package show

import (
	"context"
	"errors"
	"html/template"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Change is what a policy record could say instead, by the values of its tags. An empty value is
// what is published.
type Change struct{ P, SP, ADKIM, ASPF string }

// A WhatIf is the verdict for another policy record.
type WhatIf struct {
	Change
	Base   string // path of the message
	Domain string // where the record is or would be, "_dmarc." included
	Record string
	Same   bool // nothing is changed

	Verdict     string // a sentence
	Asked       string // another
	Tone        explain.Tone
	Disposition string
}

// A Switch is a tag with its values.
type Switch struct {
	Tag, About string
	Values     []string
	Value      string
}

// Switches are the tags that can be changed.
func (w *WhatIf) Switches() []Switch {
	policies, modes := []string{"none", "quarantine", "reject"}, []string{"r", "s"}
	return []Switch{
		{"p", "policy", policies, w.P},
		{"sp", "for subdomains", policies, w.SP},
		{"adkim", "DKIM alignment", modes, w.ADKIM},
		{"aspf", "SPF alignment", modes, w.ASPF},
	}
}

// Check reports a value that a tag cannot have.
func (c Change) Check() error {
	w := WhatIf{Change: c}
	for _, s := range w.Switches() {
		valid := s.Value == ""
		for _, value := range s.Values {
			valid = valid || s.Value == value
		}
		if !valid {
			return errors.New(s.Tag + " cannot be " + visible.Line(s.Value))
		}
	}
	return nil
}

// CanChange reports whether another record could have been asked for: not for a message without an
// Author Domain, nor where DNS has not said what is published.
func (v *View) CanChange() bool {
	return v.Result != nil && v.Result.DMARC.AuthorDomain != "" && v.Result.DMARC.Discovery != nil &&
		(v.Result.DMARC.Discovery.Query() != nil || errors.Is(v.Result.DMARC.Err, dmarc.ErrNoRecord))
}

// WhatIf is the verdict if the record said something else. Nothing is asked: what DNS said is taken
// from the result. It is for messages that CanChange.
func (v *View) WhatIf(c Change) *WhatIf {
	d := v.Result.DMARC.Discovery
	at, published := v.Result.DMARC.AuthorDomain, (*record.Record)(nil)
	if q := d.Query(); q != nil {
		at, published = q.Domain, q.Record
	}
	w := &WhatIf{Change: c, Base: v.Base, Domain: "_dmarc." + at, Same: c == Change{}, Record: v.Result.DMARC.Record}
	changed := *v.Result
	if !w.Same {
		w.Record = c.record(published)
		zone := known(d)
		zone[w.Domain] = resolver.Records{TXT: []string{w.Record}}
		verifier := dmarc.Verifier{Resolver: zone, Discovery: discovery.Options{Mode: d.Mode}}
		changed.DMARC = dmarc.Evaluate(dmarc.Input{
			SPF: changed.SPF, DKIM: changed.DKIM, Indirect: changed.Indirect,
			Discovery: verifier.Discover(context.Background(), changed.DMARC.AuthorDomain, changed.SPF, changed.DKIM),
		})
	}
	answer := explain.Explain(&changed).Answer
	w.Record = visible.Value(w.Record)
	w.Verdict, w.Asked, w.Tone = answer.Verdict, answer.Asked, answer.Tone
	w.Disposition = changed.DMARC.Disposition.String()
	return w
}

// record is a record with the changed tags, or a new one.
func (c Change) record(published *record.Record) string {
	tags := [][2]string{{"v", "DMARC1"}, {"p", "none"}}
	if published != nil {
		tags = nil
		for _, t := range published.Tags {
			if t.Kind != record.TagBroken {
				tags = append(tags, [2]string{strings.ToLower(t.Name), t.Value})
			}
		}
	}
	set := func(name, value string) {
		for i := range tags {
			if tags[i][0] == name && value != "" {
				tags[i][1] = value
				return
			}
		}
		if value != "" {
			tags = append(tags, [2]string{name, value})
		}
	}
	set("p", c.P)
	set("sp", c.SP)
	set("adkim", c.ADKIM)
	set("aspf", c.ASPF)
	var text []string
	for _, t := range tags {
		text = append(text, t[0]+"="+t[1])
	}
	return strings.Join(text, "; ")
}

// known is what DNS said when the policy was looked for. A name of which nothing is known does not
// exist in it.
func known(d *discovery.Result) resolver.Zone {
	zone := resolver.Zone{}
	switch d.Exists {
	case discovery.ExistenceNo:
	case discovery.ExistenceOpen:
		zone[d.AuthorDomain] = resolver.Records{Absent: true, Fault: resolver.Fault{Err: resolver.ErrServFail}}
	default:
		zone[d.AuthorDomain] = resolver.Records{A: []string{"192.0.2.1"}}
	}
	for _, q := range d.Queries {
		var r resolver.Records
		if q.Text != "" {
			r.TXT = append(r.TXT, q.Text)
		}
		for _, other := range q.Discarded {
			r.TXT = append(r.TXT, other.Text)
		}
		if q.Err != nil {
			r = resolver.Records{Absent: true, Fault: resolver.Fault{Err: q.Err}}
		}
		if r.TXT != nil || q.Err != nil {
			zone["_dmarc."+q.Domain] = r
		}
	}
	return zone
}

// HTML is the part of the page that says what follows.
func (w *WhatIf) HTML() template.HTML { return render("whatif-answer", w) }
