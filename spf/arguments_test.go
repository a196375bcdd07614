package spf_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestAMailFromWithoutADomainSaysWhatIsWrongWithIt(t *testing.T) {
	for from, want := range map[string]string{
		"postmaster":          "the identity has no domain: MAIL FROM has no @",
		`"a"`:                 "the identity has no domain: MAIL FROM has no @",
		`"a@a.example`:        "the identity has no domain: MAIL FROM has a quote that is not closed",
		`"a@a.example>" "x@y`: "the identity has no domain: MAIL FROM has a quote that is not closed",
	} {
		session := client
		session.MailFrom = from
		if r := (&spf.Checker{Resolver: resolver.Zone{}}).Check(t.Context(), session); r.Err.Error() != want {
			t.Errorf("%s: got %q", from, r.Err)
		}
	}
}

func TestTheDomainOfMailFromIsBehindTheLastAtOutsideOfQuotes(t *testing.T) {
	zone := resolver.Zone{
		"example.com":              {TXT: []string{"v=spf1 +all"}},
		"mail.example.com":         {TXT: []string{"v=spf1 +all"}},
		"xn--bcher-kva.example":    {TXT: []string{"v=spf1 +all"}},
		"victim.example":           {TXT: []string{"v=spf1 +all"}},
		"attacker.example":         {TXT: []string{"v=spf1 +all"}},
		"localhost":                {TXT: []string{"v=spf1 +all"}},
		"xn--a.example":            {TXT: []string{"v=spf1 +all"}},
		"exa_mple.com":             {TXT: []string{"v=spf1 +all"}},
		"attacker.example.\x00.ex": {TXT: []string{"v=spf1 +all"}},
	}
	for _, test := range []struct {
		name, from, domain, sender string
		err                        error
	}{
		{"an ordinary one", "user@Example.COM", "example.com", "user@example.com", nil},
		{"a trailing dot", "user@example.com.", "example.com", "user@example.com", nil},
		{"the null sender", "", "mail.example.com", "postmaster@mail.example.com", nil},
		{"no local-part", "@example.com", "example.com", "postmaster@example.com", nil},
		{"two at-signs", "any@victim.example@attacker.example", "attacker.example", "any@victim.example@attacker.example", nil},
		{"a quoted at-sign", `"admin@victim.example"@attacker.example`, "attacker.example", `"admin@victim.example"@attacker.example`, nil},
		{"a quoted quote", `"a\"@victim.example"@attacker.example`, "attacker.example", `"a\"@victim.example"@attacker.example`, nil},
		{"a source route", "@a.example,@b.example:user@example.com", "example.com", "user@example.com", nil},
		{"no comments in a path", "(any@victim.example", "victim.example", "(any@victim.example", nil},
		{"a U-label", "user@B\u00dcCHER.example", "xn--bcher-kva.example", "user@xn--bcher-kva.example", nil},
		{"an address beyond ASCII", "pelé@b\u00fccher.example", "xn--bcher-kva.example", "pelé@xn--bcher-kva.example", nil},
		{"an underscore", "user@exa_mple.com", "exa_mple.com", "user@exa_mple.com", nil},

		{"no at-sign", "postmaster", "postmaster", "", spf.ErrNoDomain},
		{"an unclosed quote", `"a@victim.example`, `"a@victim.example`, "", spf.ErrNoDomain},
		{"nothing behind the at-sign", "user@", "", "", spf.ErrNoDomain},
		{"a space", " ", " ", "", spf.ErrNoDomain},
		{"a name of one label", "user@localhost", "localhost", "", spf.ErrBadDomain},
		{"an address literal", "user@[192.0.2.1]", "[192.0.2.1]", "", spf.ErrBadDomain},
		{"a parenthesis", "any@victim.example(.attacker.example", "victim.example(.attacker.example", "", domain.ErrOctet},
		{"a NUL", "any@attacker.example\x00.victim.example", "attacker.example\x00.victim.example", "", domain.ErrOctet},
		{"an empty label", "user@example..com", "example..com", "", domain.ErrEmptyLabel},
		{"a label of 64 octets", "user@" + strings.Repeat("a", 64) + ".example.com", strings.Repeat("a", 64) + ".example.com", "", domain.ErrLabelLong},
		{"254 octets", "user@" + strings.Repeat("a.", 125) + "a.aa", strings.Repeat("a.", 125) + "a.aa", "", domain.ErrLong},
		{"not UTF-8", "user@b\xfccher.example", "b\xfccher.example", "", domain.ErrIDNA},
	} {
		t.Run(test.name, func(t *testing.T) {
			session := client
			session.MailFrom = test.from
			r := (&spf.Checker{Resolver: zone}).Check(t.Context(), session)
			want := spf.StatusPass
			if test.err != nil {
				want = spf.StatusNone
			}
			if r.Status != want || !errors.Is(r.Err, test.err) || r.Domain != test.domain || r.Sender != test.sender {
				t.Errorf("got %v (%v) for %q, sender %q", r.Status, r.Err, r.Domain, r.Sender)
			}
			if test.err != nil && (r.Questions != 0 || !errors.Is(r.Err, spf.ErrNoDomain) && !errors.Is(r.Err, spf.ErrBadDomain)) {
				t.Errorf("got %v after %d questions", r.Err, r.Questions)
			}
		})
	}
}

func TestTheHELOIdentity(t *testing.T) {
	zone := resolver.Zone{"mail.example.com": {TXT: []string{"v=spf1 +all"}}}
	for helo, want := range map[string]error{
		"mail.example.com": nil, "MAIL.Example.Com.": nil,
		"": spf.ErrNoDomain, "localhost": spf.ErrBadDomain, "[192.0.2.1]": spf.ErrBadDomain,
		"mail example.com": spf.ErrBadDomain, "gone.example.com": spf.ErrNoRecord,
	} {
		session := client
		session.HELO = helo
		r := (&spf.Checker{Resolver: zone}).CheckHELO(t.Context(), session)
		if !errors.Is(r.Err, want) || (want == nil) != (r.Status == spf.StatusPass) || want != nil && r.Status != spf.StatusNone {
			t.Errorf("%q: got %v (%v)", helo, r.Status, r.Err)
		}
		session.MailFrom = ""
		if null := (&spf.Checker{Resolver: zone}).Check(t.Context(), session); null.Status != r.Status || null.Identity != spf.IdentityMailFrom {
			t.Errorf("%q as the null sender: got %v for %v", helo, null.Status, null.Identity)
		}
	}
}

func TestWithoutTheAddressOfTheClientThereIsNoResult(t *testing.T) {
	session := client
	session.IP = netip.Addr{}
	r := (&spf.Checker{Resolver: resolver.Zone{"example.com": {TXT: []string{"v=spf1 +all"}}}}).Check(t.Context(), session)
	if r.Status != spf.StatusNone || !errors.Is(r.Err, spf.ErrNoAddress) || r.Domain != "example.com" {
		t.Errorf("got %v (%v) for %q", r.Status, r.Err, r.Domain)
	}
}
