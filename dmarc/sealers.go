package dmarc

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// A sealer is an entry of Verifier.TrustedSealers.
type sealer struct {
	name nameList // one name
	id   string   // the authserv-id that its results are under; "" for one of its own names
}

type sealers []sealer

func parseSealers(listed []string) (list sealers) {
	for _, text := range listed {
		name, id, _ := strings.Cut(text, "=")
		if name = canonicalName(name); name != "" {
			list = append(list, sealer{nameList{name}, domain.ToLower(strings.TrimSpace(id))})
		}
	}
	return list
}

// trusts reports whether a set is sealed by a sealer that is listed, and shows its results under
// the authserv-id that is the sealer's.
func (list sealers) trusts(set *arc.Set) (field *rfc8601.Field, trusted bool) {
	for _, s := range list {
		if !s.name.has(set.Seal.Domain) {
			continue
		}
		field, err := rfc8601.Parse(rfc8601.Name + ": " + set.AuthenticationResults)
		if err != nil {
			return nil, true
		}
		if s.id != "" && domain.ToLower(field.ID) == s.id {
			return field, true
		}
		if name, err := domain.Canonical(field.ID); s.id == "" && err == nil && domain.Within(name, set.Seal.Domain) {
			return field, true
		}
		return nil, true
	}
	return nil, false
}

// trustAny reports whether the newest set is sealed by a sealer that is listed.
func (list sealers) trustAny(chain *arc.Result) bool {
	_, trusted := list.trusts(&chain.Sets[len(chain.Sets)-1])
	return trusted
}

// vouch goes from the newest set to the oldest as long as the sealers are trusted, and reports
// whether the last of these saw a message of the Author Domain that passed DMARC, or with an
// aligned identifier that passed. The comment is for reports.
func (list sealers) vouch(chain *arc.Result, d *discovery.Result) (comment string, ok bool) {
	if len(list) == 0 || chain == nil || chain.Status != arc.StatusPass {
		return "", false
	}
	oldest := -1
	var seen *rfc8601.Field
	for i := len(chain.Sets) - 1; i >= 0; i-- {
		field, trusted := list.trusts(&chain.Sets[i])
		if !trusted {
			break
		}
		oldest, seen = i, field
	}
	if oldest < 0 || seen == nil || !passed(seen, d) {
		return "", false
	}
	return comments(chain), true
}

// passed reports whether a field says that a message of the Author Domain passed DMARC, or, where
// it leaves that open, that an aligned identifier passed.
func passed(f *rfc8601.Field, d *discovery.Result) bool {
	aligned := false
	for _, r := range f.Results {
		if r.Method != "dmarc" {
			aligned = aligned || r.Value == "pass" && alignedBy(r, d)
			continue
		}
		from, err := domain.Canonical(r.Property("header", "from"))
		switch {
		case err != nil || from != d.AuthorDomain: // of another message
			return false
		case r.Value == "pass":
			return true
		case r.Value == "fail" || r.Value == "permerror":
			return false
		}
	}
	return aligned
}

// alignedBy reports whether an spf or dkim result is about a domain that is aligned with the Author
// Domain, as far as its name says.
func alignedBy(r rfc8601.Result, d *discovery.Result) bool {
	var i discovery.Identifier
	switch r.Method {
	case "spf":
		i = discovery.Identifier{Domain: domainOf(r.Property("smtp", "mailfrom")), Tag: discovery.TagSPF}
	case "dkim":
		i = discovery.Identifier{Domain: r.Property("header", "d"), Tag: discovery.TagDKIM}
		if i.Domain == "" {
			i.Domain = domainOf(r.Property("header", "i"))
		}
	default:
		return false
	}
	_, alignment := d.Align(i)
	return alignment == discovery.Aligned
}

// domainOf returns what stands behind the last "@" of an address, or a name as it is.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// comments returns the comment of RFC 8617, section 7.2.2: who sealed, newest first, and the
// client of the first sealer.
func comments(chain *arc.Result) string {
	var b strings.Builder
	b.WriteString("arc=pass")
	for i := len(chain.Sets) - 1; i >= 0; i-- {
		s := &chain.Sets[i].Seal
		fmt.Fprintf(&b, " as[%d].d=%s as[%d].s=%s", i+1, s.Domain, i+1, s.Selector)
	}
	if first, err := rfc8601.Parse(rfc8601.Name + ": " + chain.Sets[0].AuthenticationResults); err == nil {
		for _, r := range first.Results {
			for _, name := range []string{"remote-ip", "client-ip"} {
				if ip, err := netip.ParseAddr(r.Property("smtp", name)); err == nil {
					fmt.Fprintf(&b, " remote-ip[1]=%s", ip)
					return b.String()
				}
			}
		}
	}
	return b.String()
}
