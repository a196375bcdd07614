package inspect

import (
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file is on what stands at a selector: a key and its faults, an alias, or nothing.

// The sizes of RSA keys: those below the first are refused (RFC 8301, section 3.2), those below the
// second should be replaced.
const (
	leastBits = 1024
	goodBits  = 2048
)

// judge is on a key that was found.
func (in *inspection) judge(s *selector, k *keys.Key, err error) {
	name, text := s.name, k.Record
	add := func(id, message string, fix Fix) {
		if s.alias != "" {
			fix = elsewhere(s)
		}
		in.found.add(id, message, text, fix)
	}
	switch {
	case errors.Is(err, keys.ErrRevoked):
		return // see dkimRevoked
	case err != nil:
		fault := remedy.Cause(remedy.DKIMWords, err, "it cannot be read")
		add("dkim-malformed", "The key at "+name+" cannot be used: "+err.Error()+".", remedy.MendKey(name, text, fault))
		return
	}
	if k.Type == "rsa" && k.Bits < leastBits {
		add("dkim-too-small", "The key at "+name+" has "+remedy.Plural(k.Bits, "bit", "bits")+". Less than 1024 is refused.", remedy.ReplaceKey(name, text))
	} else if k.Type == "rsa" && k.Bits < goodBits {
		add("dkim-short", "The key at "+name+" has "+remedy.Plural(k.Bits, "bit", "bits")+". 2048 are usual.", remedy.ShortKey(name))
	}
	if k.Testing {
		f := remedy.TestingKey(name)
		f.Changes = []Change{remedy.Replace(name, withoutTag(text, "t"), text)}
		add("dkim-testing", "The key at "+name+" says t=y, only testing. Some receivers then take mail as not signed.", f)
	}
	if len(k.Hashes) > 0 && !slices.Contains(k.Hashes, "sha256") {
		add("dkim-sha1-only", "The key at "+name+" allows the hash "+remedy.List(k.Hashes)+" only. Signatures with it are refused.", Fix{
			Text:    "Take h= out of the key at " + name + ".",
			Changes: []Change{remedy.Replace(name, withoutTag(text, "h"), text)},
		})
	}
	if len(k.Services) > 0 && !slices.Contains(k.Services, "email") && !slices.Contains(k.Services, "*") {
		add("dkim-not-email", "The key at "+name+" is for "+remedy.List(k.Services)+" (s=), and not for email.", Fix{
			Text:    "Take s= out of the key at " + name + ".",
			Changes: []Change{remedy.Replace(name, withoutTag(text, "s"), text)},
		})
	}
}

// elsewhere is the fix for a key that stands at another name, by a CNAME record: the owner of that name
// publishes the key.
func elsewhere(s *selector) Fix {
	if p := provider.OfCNAME(s.alias); p != nil {
		return Fix{Provider: p.ID, Text: "Make a new key in " + p.Console + ". " + p.Name + " publishes it at " + visible.Line(s.alias) + ": the CNAME record at " + s.name + " stays as it is."}
	}
	return Fix{Text: "Ask the owner of " + visible.Line(s.alias) + " to correct the key. The CNAME record at " + s.name + " stays as it is."}
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

// dangling is on an alias that leads to nothing. A company that changes keys has two selectors, of
// which one may have no key for now: that is as it should be while the other one works, unless the
// selector was asked for.
func (in *inspection) dangling(s *selector) {
	p := provider.OfCNAME(s.alias)
	if p != nil {
		in.recognised(p, s.label+"._domainkey")
		if !s.given && in.keyWorks(p.ID) {
			return
		}
	}
	f := Fix{Text: "Turn the key on at the company that " + visible.Line(s.alias) + " belongs to, or delete the CNAME record at " + s.name + "."}
	if p != nil {
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

// keyWorks reports whether a key of a provider was found that can be used; for "", one that is no
// provider's.
func (in *inspection) keyWorks(id string) bool {
	return slices.ContainsFunc(in.report.DKIM, func(k published.Key) bool { return k.Provider == id && k.Problem == "" })
}

// dkimRevoked is on keys that are withdrawn. A company that changes keys leaves the old selector so
// while the new one is at work: that is as it should be, unless the selector was asked for.
func (in *inspection) dkimRevoked() {
	for _, k := range in.report.DKIM {
		if k.Problem != keys.ErrRevoked.Error() {
			continue
		}
		given := slices.ContainsFunc(in.options.Selectors, func(s string) bool { return domain.ToLower(s) == k.Selector })
		if given || !in.keyWorks(k.Provider) {
			in.found.add("dkim-revoked", "The key at "+k.Name+" is withdrawn (its p= is empty). Signatures with this selector fail.", k.Record, remedy.RevokedKey(k.Name))
		}
	}
}
