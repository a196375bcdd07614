package inspect

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// This file recognises the companies that send for the domain, and says what is missing of their
// set-up.

// recognise finds the companies that SPF, MX and mail give away. Aliases of keys come later.
func (in *inspection) recognise() {
	for _, n := range in.tree.nodes {
		if !in.owns(n.Domain) {
			continue
		}
		for i := range n.Terms {
			if id := n.Terms[i].Provider; id != "" {
				in.recognised(byID(id), n.Terms[i].Text)
			}
		}
	}
	for _, name := range in.options.Senders {
		in.recognised(provider.OfDomain(name), "mail by "+visible.Domain(name))
	}
	for _, mx := range in.mx {
		in.recognised(providerOfHost(mx.Host), "MX "+mx.Host)
	}
	for _, q := range in.aliasQuestions() {
		if answer, _ := in.dns.get(q, false); answer.CNAME != "" {
			in.recognised(provider.OfCNAME(answer.CNAME), strings.TrimSuffix(q.Name, "."+in.name))
		}
	}
}

// aliasQuestions are the questions for the aliases that tell of a provider.
func (in *inspection) aliasQuestions() []resolver.Question {
	var list []resolver.Question
	for _, p := range provider.All() {
		for _, r := range fixed(&p, "CNAME") {
			list = append(list, question(r.Host+"."+in.name, resolver.TypeCNAME))
		}
	}
	return list
}

// fixed returns the records of a provider's set-up whose names are the same for all its customers.
func fixed(p *provider.Provider, kind string) []provider.Record {
	var list []provider.Record
	for _, fix := range p.Fixes {
		for _, r := range fix.Records {
			if r.Type == kind && r.Host != "@" && !strings.Contains(r.Host, "<") {
				list = append(list, r)
			}
		}
	}
	return list
}

func byID(id string) *provider.Provider {
	list := provider.All()
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// includeOf returns the term that allows a provider, or "".
func includeOf(p *provider.Provider) string {
	if p == nil {
		return ""
	}
	for _, fix := range p.Fixes {
		if fix.Kind == provider.KindInclude && len(fix.Records) == 1 {
			return fix.Records[0].Value
		}
	}
	return ""
}

// The states of a Step.
const (
	stepDone     = "done"
	stepUnusable = "unusable"
	stepMissing  = "missing"
	stepUnknown  = "unknown"
)

// setups says how far the domain is set up with each provider.
func (in *inspection) setups() {
	for _, p := range provider.All() {
		signs := in.providers[p.ID]
		if len(signs) == 0 {
			continue
		}
		in.report.Providers = append(in.report.Providers, p.ID)
		s := Setup{Provider: p.ID, Name: p.Name, Signs: signs}
		var missing []Step
		for _, fix := range p.Fixes {
			if in.isReturnPath(&p) {
				break // the steps are those of the domain above
			}
			step := Step{State: in.stepState(&p, fix), Fix: in.setUp(&p, fix)}
			s.Steps = append(s.Steps, step)
			if step.State == stepMissing {
				missing = append(missing, step)
			}
		}
		in.report.Setup = append(in.report.Setup, s)
		for _, step := range missing {
			in.found.add("provider-setup", p.Name+" seems to send for "+in.name+" ("+strings.Join(signs, ", ")+"), and is not set up in full.", missingText(step), step.Fix)
		}
	}
}

// isReturnPath reports whether the domain itself is where bounces of a provider go: a custom MAIL FROM
// domain.
func (in *inspection) isReturnPath(p *provider.Provider) bool {
	for _, fix := range p.Fixes {
		for _, r := range fix.Records {
			if r.Type == "MX" && slices.ContainsFunc(in.mx, leadsTo(r)) {
				return true
			}
		}
	}
	return false
}

// leadsTo returns a test of whether an MX record is one of a provider's.
func leadsTo(r provider.Record) func(resolver.MX) bool {
	_, host, _ := strings.Cut(r.Value, " ")
	begin, _, _ := strings.Cut(host, "<")
	return func(mx resolver.MX) bool {
		name := domain.ToLower(mx.Host)
		return strings.HasPrefix(name, begin) && domain.Within(name, ending(r.Value))
	}
}

// setUp is the step in words, with the change of the SPF record that it takes.
func (in *inspection) setUp(p *provider.Provider, fix provider.Fix) Fix {
	f := remedy.SetUp(p, fix, in.name)
	if r := in.policy.record(); fix.Kind == provider.KindSPF && r != nil && r.SPFAlignment == alignment.Strict {
		f.Note += " It counts only without aspf=s in the DMARC record."
	}
	if fix.Kind != provider.KindInclude {
		f.Changes = in.unpublished(fix, f.Changes)
		f.Escape()
		return f
	}
	f.Changes = nil // where there is no record, or a broken one, a finding of its own has the one to publish
	if root := in.tree.root; root.parsed != nil {
		if value := remedy.AddTerm(root.Record, fix.Records[0].Value); value != "" {
			f.Changes = []Change{remedy.Replace(in.name, value, root.Record)}
		}
	}
	f.Escape()
	return f
}

// unpublished returns those changes of a step whose records are not there yet.
func (in *inspection) unpublished(fix provider.Fix, changes []Change) []Change {
	if len(changes) != len(fix.Records) {
		return changes
	}
	var list []Change
	for i, r := range fix.Records {
		if in.recordState(r) != stepDone {
			list = append(list, changes[i])
		}
	}
	return list
}

// missingText says which records of a step are not there.
func missingText(s Step) string {
	var list []string
	for _, c := range s.Fix.Changes {
		if !strings.Contains(c.Host, "<") {
			list = append(list, "no "+c.Type+" "+c.Name)
		}
	}
	if len(list) == 0 || s.Fix.Changes[0].Action == remedy.ActionReplace {
		return "the SPF record does not include it"
	}
	return strings.Join(list, ", ")
}

// stepState says whether a step is done, as far as DNS shows.
func (in *inspection) stepState(p *provider.Provider, fix provider.Fix) string {
	switch fix.Kind {
	case provider.KindInclude:
		return in.includeState(fix.Records[0].Value)
	case provider.KindDKIM, provider.KindBoth:
		if in.keyWorks(p.ID) {
			return stepDone
		}
	}
	state := stepDone
	for _, r := range fix.Records {
		switch s := in.recordState(r); s {
		case stepMissing, stepUnusable:
			return s
		case stepUnknown:
			state = s
		}
	}
	return state
}

// includeState says whether the SPF record has a term, at any depth.
func (in *inspection) includeState(term string) string {
	if in.tree.root.parsed == nil {
		return stepUnknown // that there is no record, or a broken one, is a finding of its own
	}
	for _, n := range in.tree.nodes {
		for i := range n.Terms {
			if strings.EqualFold(n.Terms[i].Text, term) {
				return stepDone
			}
		}
	}
	return stepMissing
}

// recordState says whether a record is published. Names that customers choose, and such as only the
// provider knows, may stand elsewhere: that they are not there says nothing.
func (in *inspection) recordState(r provider.Record) string {
	if strings.Contains(r.Host, "<") {
		return stepUnknown
	}
	name := r.Host + "." + in.name
	if slices.ContainsFunc(in.report.DKIM, func(k published.Key) bool { return k.Name == name && k.Problem != "" }) {
		return stepUnusable // a finding on the key says why
	}
	found := false
	switch r.Type {
	case "CNAME":
		answer, err := in.dns.get(question(name, resolver.TypeCNAME), false)
		if err != nil {
			return stepUnknown
		}
		found = answer.CNAME != ""
	case "MX":
		answer, err := in.dns.get(question(name, resolver.TypeMX), false)
		if err != nil {
			return stepUnknown
		}
		found = slices.ContainsFunc(answer.MX, leadsTo(r))
	default:
		texts, err := in.dns.txt(name, false)
		if err != nil {
			return stepUnknown
		}
		found = slices.ContainsFunc(texts, func(text string) bool {
			return r.Value == text || strings.Contains(r.Value, "<") || hasTerms(text, r.Value)
		})
	}
	switch {
	case found:
		return stepDone
	case strings.HasSuffix(r.Host, "._domainkey"):
		return stepMissing
	}
	return stepUnknown
}

// ending returns what follows the last placeholder of a value: "10 feedback-smtp.<REGION>.amazonses.com".
func ending(value string) string {
	return strings.TrimPrefix(value[strings.LastIndexAny(value, "> ")+1:], ".")
}

// hasTerms reports whether an SPF record has the terms of another.
func hasTerms(text, want string) bool {
	r, ok, err := spf.Parse(text)
	w, _, _ := spf.Parse(want)
	if !ok || err != nil || w == nil {
		return false
	}
	for _, t := range w.Terms {
		if t.Kind != spf.KindAll && !slices.ContainsFunc(r.Terms, func(other spf.Term) bool { return strings.EqualFold(other.Text, t.Text) }) {
			return false
		}
	}
	return true
}
