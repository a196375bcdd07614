package inspect

import (
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/resolver"
)

// A selector is one whose key is looked at.
type selector struct {
	label  string
	name   string // where its key stands
	given  bool   // asked for, so that its absence is a fault
	alias  string
	texts  []string
	failed bool // DNS gave no answer
}

// dkim looks at the keys.
func (in *inspection) dkim() {
	wild := in.wildcardKeys()
	list := in.selectors()
	for i := range list {
		s := &list[i]
		in.look(s)
		if !s.given && len(wild) > 0 && slices.Equal(s.texts, slices.Sorted(slices.Values(wild))) {
			continue // nobody put it there
		}
		in.key(s)
	}
	for i := range list {
		if s := &list[i]; !s.failed && len(s.texts) == 0 && s.alias != "" {
			in.dangling(s)
		}
	}
	in.dkimRevoked()
	silent := in.withoutMail() && in.silent()
	failed := slices.ContainsFunc(list, func(s selector) bool { return s.failed })
	if len(in.report.DKIM) == 0 && !silent && !failed && !in.found.has("dkim-no-key", "dkim-malformed", "dkim-dangling") {
		var labels []string
		for _, s := range list {
			labels = append(labels, s.label)
		}
		in.found.add("dkim-none-found", "No DKIM key of "+in.name+" was found at the selectors that were tried. There may be others: only a signature (s=) tells.",
			"tried: "+strings.Join(labels, ", "), Fix{Text: "If your mail is not signed, turn DKIM on in the program or at the company that sends it."})
	}
}

// wildcardKeys is on a wildcard that answers for every selector. It returns what it answers.
func (in *inspection) wildcardKeys() []string {
	name := probe + "._domainkey." + in.name
	texts, _ := in.dns.txt(name, false)
	isKey := func(text string) bool {
		_, err := keys.Parse(text)
		_, meant := mend.Key(text)
		return meant && !errors.Is(err, keys.ErrRevoked) // one without a key does no harm: no selector has one
	}
	if slices.ContainsFunc(texts, isKey) {
		wildcard := "*._domainkey." + in.name
		f := Fix{Text: "Delete the wildcard record, and publish keys at their selectors only."}
		for _, text := range texts {
			f.Changes = append(f.Changes, remedy.New(remedy.ActionDelete, wildcard, "TXT", text))
		}
		in.found.add("dkim-wildcard", "Every selector of "+in.name+" has a key, by a wildcard record. A key that you take out of DNS is replaced by that one.", wildcard+": "+texts[0], f)
	}
	return texts
}

// commonSelectors are tried for every domain, beside those of providers.
var commonSelectors = []string{"default", "dkim", "mail", "k1", "s1", "s2"}

// maxSelectors is how many selectors are looked at.
const maxSelectors = 60

// selectors returns those that are looked at: what the caller names, then those of providers,
// recognised ones first, then common ones.
func (in *inspection) selectors() []selector {
	var list []selector
	add := func(label string, given bool) {
		label = domain.ToLower(strings.TrimSuffix(label, "."))
		name := label + "._domainkey." + in.name
		known := slices.ContainsFunc(list, func(s selector) bool { return s.label == label })
		if domain.Check(name) == nil && len(list) < maxSelectors && !known {
			list = append(list, selector{label: label, name: name, given: given})
		}
	}
	for _, label := range in.options.Selectors {
		add(label, true)
	}
	for _, recognised := range []bool{true, false} {
		for _, p := range provider.All() {
			if (in.providers[p.ID] != nil) == recognised {
				for _, label := range selectorsOf(&p) {
					add(label, false)
				}
			}
		}
	}
	for _, label := range commonSelectors {
		add(label, false)
	}
	return list
}

// keyQuestions are the questions for the keys at selectors.
func keyQuestions(list []selector) []resolver.Question {
	var ahead []resolver.Question
	for _, s := range list {
		ahead = append(ahead, question(s.name, resolver.TypeTXT), question(s.name, resolver.TypeCNAME))
	}
	return ahead
}

// selectorsOf returns the selectors that customers of a provider have.
func selectorsOf(p *provider.Provider) []string {
	var list []string
	for _, s := range p.Selectors {
		if !strings.Contains(s, "*") {
			list = append(list, s)
		}
	}
	for _, fix := range p.Fixes {
		for _, r := range fix.Records {
			if label, is := strings.CutSuffix(r.Host, "._domainkey"); is && !strings.Contains(label, "<") && !slices.Contains(list, label) {
				list = append(list, label)
			}
		}
	}
	return list
}

// look asks for what stands at a selector.
func (in *inspection) look(s *selector) {
	texts, err := in.dns.txt(s.name, s.given)
	alias, _ := in.dns.get(question(s.name, resolver.TypeCNAME), false)
	s.texts, s.alias, s.failed = slices.Sorted(slices.Values(texts)), alias.CNAME, err != nil
}

// key looks at what was found at a selector.
func (in *inspection) key(s *selector) {
	switch {
	case s.failed:
		return
	case len(s.texts) == 0 && s.alias != "":
		return // see dangling
	case len(s.texts) == 0:
		in.noKey(s)
		return
	}
	text := s.texts[0] // of several, as the verifier does, the first that can be read
	parsed, err := keys.Parse(text)
	for _, other := range s.texts[1:] {
		if err == nil {
			break
		}
		if k, fault := keys.Parse(other); fault == nil {
			text, parsed, err = other, k, nil
		}
	}
	if _, meant := mend.Key(text); err != nil && !meant && !s.given {
		return // something else, such as a wildcard's
	}
	key := published.Key{
		Selector: s.label, Name: s.name, KeyType: parsed.Type, KeyBits: parsed.Bits,
		Alias: s.alias, Record: text, Testing: parsed.Testing,
	}
	p := provider.OfSelector(s.label)
	if s.alias != "" {
		p = provider.OfCNAME(s.alias)
	}
	if p != nil {
		key.Provider = p.ID
		in.recognised(p, s.label+"._domainkey")
	}
	if err != nil {
		key.Problem = err.Error()
	}
	in.report.DKIM = append(in.report.DKIM, key)
	if len(s.texts) > 1 {
		in.found.add("dkim-several", "There are "+remedy.Plural(len(s.texts), "record", "records")+" at "+s.name+". Which one counts is left to chance.",
			strings.Join(s.texts, "  |  "), Fix{Text: "Keep the record with the key that signs, and delete the others."})
	}
	in.judge(s, parsed, err)
}
