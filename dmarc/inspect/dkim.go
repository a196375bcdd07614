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
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// The sizes of RSA keys: those below the first are refused (RFC 8301, section 3.2), those below the
// second should be replaced.
const (
	leastBits = 1024
	goodBits  = 2048
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
	if slices.ContainsFunc(texts, func(text string) bool { _, meant := mend.Key(text); return meant }) {
		in.found.add("dkim-wildcard", "Every selector of "+in.name+" has a record: a wildcard answers. Whoever looks for a key finds that.",
			"*._domainkey."+in.name+": "+texts[0], Fix{
				Text: "Delete the wildcard record, and publish keys at their selectors only.",
			})
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
		in.dangling(s)
		return
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

// judge is on a key that was found.
func (in *inspection) judge(s *selector, k *keys.Key, err error) {
	name, text := s.name, k.Record
	switch {
	case errors.Is(err, keys.ErrRevoked):
		return // see dkimRevoked
	case err != nil:
		fault := remedy.Cause(remedy.DKIMWords, err, "it cannot be read")
		in.found.add("dkim-malformed", "The key at "+name+" cannot be used: "+err.Error()+".", text, remedy.MendKey(name, text, fault))
		return
	}
	if k.Type == "rsa" && k.Bits < leastBits {
		in.found.add("dkim-too-small", "The key at "+name+" has "+remedy.Plural(k.Bits, "bit", "bits")+". Less than 1024 is refused.", text, remedy.ReplaceKey(name, text))
	} else if k.Type == "rsa" && k.Bits < goodBits {
		in.found.add("dkim-short", "The key at "+name+" has "+remedy.Plural(k.Bits, "bit", "bits")+". 2048 are usual.", text, remedy.ShortKey(name))
	}
	if k.Testing {
		f := remedy.TestingKey(name)
		f.Changes = []Change{remedy.Replace(name, withoutTag(text, "t"), text)}
		in.found.add("dkim-testing", "The key at "+name+" says t=y, only testing. Some receivers then take mail as not signed.", text, f)
	}
	if len(k.Hashes) > 0 && !slices.Contains(k.Hashes, "sha256") {
		in.found.add("dkim-sha1-only", "The key at "+name+" allows the hash "+remedy.List(k.Hashes)+" only. Signatures with it are refused.", text, Fix{
			Text:    "Take h= out of the key at " + name + ".",
			Changes: []Change{remedy.Replace(name, withoutTag(text, "h"), text)},
		})
	}
	if len(k.Services) > 0 && !slices.Contains(k.Services, "email") && !slices.Contains(k.Services, "*") {
		in.found.add("dkim-not-email", "The key at "+name+" is for "+remedy.List(k.Services)+" (s=), and not for email.", text, Fix{
			Text:    "Take s= out of the key at " + name + ".",
			Changes: []Change{remedy.Replace(name, withoutTag(text, "s"), text)},
		})
	}
}

// withoutTag returns a key record without one of its tags.
func withoutTag(text, name string) string {
	var list []string
	for _, part := range strings.Split(text, ";") {
		tag, _, _ := strings.Cut(part, "=")
		if part = strings.TrimSpace(part); part != "" && strings.TrimSpace(tag) != name {
			list = append(list, part)
		}
	}
	return strings.Join(list, "; ")
}

// dangling is on an alias that leads to nothing.
func (in *inspection) dangling(s *selector) {
	f := Fix{Text: "Turn the key on at the company that " + visible.Line(s.alias) + " belongs to, or delete the CNAME record at " + s.name + "."}
	if p := provider.OfCNAME(s.alias); p != nil {
		in.recognised(p, s.label+"._domainkey")
		f.Provider = p.ID
		f.Text = "Turn DKIM on for " + in.name + " in " + p.Console + ", or delete the CNAME record at " + s.name + "."
	}
	in.found.add("dkim-dangling", s.name+" is an alias of "+visible.Line(s.alias)+", and there is no key.", "CNAME "+s.alias, f)
}

// noKey is on a selector without a key: one that was asked for, or whose key stands at a name with
// the domain in it twice.
func (in *inspection) noKey(s *selector) {
	if double := s.name + "." + in.name; (s.given || in.providers[providerOf(s.label)] != nil) && len(double) <= domain.MaxLength {
		if texts, err := in.dns.txt(double, false); err == nil && len(texts) > 0 {
			in.found.add("dkim-malformed", "The key of selector "+s.label+" stands at "+double+": the name has the domain in it twice.", texts[0], Fix{
				Text:    "Publish the key at " + s.name + ". Your DNS panel adds the domain by itself.",
				Changes: []Change{remedy.New(remedy.ActionAdd, s.name, "TXT", texts[0]), remedy.New(remedy.ActionDelete, double, "TXT", texts[0])},
			})
			return
		}
	}
	if s.given {
		in.found.add("dkim-no-key", "There is no key at "+s.name+". Signatures with this selector fail.", s.name+": no TXT record", remedy.MissingKey(s.label, in.name, s.name))
	}
}

func providerOf(label string) string {
	if p := provider.OfSelector(label); p != nil {
		return p.ID
	}
	return ""
}

// dkimRevoked is on keys that are withdrawn. A company that changes keys leaves the old selector so
// while the new one is at work: that is as it should be, unless the selector was asked for.
func (in *inspection) dkimRevoked() {
	works := map[string]bool{}
	for _, k := range in.report.DKIM {
		works[k.Provider] = works[k.Provider] || k.Problem == ""
	}
	for _, k := range in.report.DKIM {
		if k.Problem != keys.ErrRevoked.Error() {
			continue
		}
		given := slices.ContainsFunc(in.options.Selectors, func(s string) bool { return domain.ToLower(s) == k.Selector })
		if given || !works[k.Provider] {
			in.found.add("dkim-revoked", "The key at "+k.Name+" is withdrawn (its p= is empty). Signatures with this selector fail.", k.Record, remedy.RevokedKey(k.Name))
		}
	}
}
