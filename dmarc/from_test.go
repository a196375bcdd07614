package dmarc

import (
	"errors"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
)

func TestReadFrom(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       string // domains, separated by spaces
		err        error
	}{
		// Lenient in what only people read.
		{"a plain address", "joe@example.com", "example.com", nil},
		{"an unknown charset in the phrase", "=?x-nobody?Q?J=F6rg?= <j@example.com>", "example.com", nil},
		{"raw Latin-1 in the phrase", "J\xf6rg <j@example.com>", "example.com", nil},
		{"a leading comment", "(Joe) joe@example.com", "example.com", nil},
		{"nested comments with quoted parentheses", `(a (b \) c) d) joe@example.com (e)`, "example.com", nil},
		{"comments around the at-sign", "joe (x) @ (y) example.com", "example.com", nil},
		{"a comment within the domain", "admin@victim(x).example(.attacker.example)", "victim.example", nil},
		{"a folded field", "Joe\r\n <joe@example.com>", "example.com", nil},
		{"brackets in the phrase", "[Shop] Support <s@example.com>", "example.com", nil},
		{"dots in the phrase", "J. R. Smith <j@example.com>", "example.com", nil},
		{"a quoted phrase with everything", `"a, <b@c.example>; \" (" <j@example.com>`, "example.com", nil},
		{"the same address in the phrase", "joe@example.com <joe@example.com>", "example.com", nil},
		{"an at-sign without a domain in the phrase", "Joe @ Work <joe@example.com>", "example.com", nil},
		{"a quoted local part with an at-sign", `"joe@evil.example"@example.com`, "example.com", nil},
		{"dots where local parts must not have them", "joe..x.@example.com", "example.com", nil},
		{"an obsolete route", "<@attacker.example,@any.example:admin@victim.example>", "victim.example", nil},
		{"a group of one domain", "Team: a@example.com, b@example.com;", "example.com", nil},
		{"empty list elements", ", joe@example.com, ,", "example.com", nil},
		{"a trailing dot", "joe@example.com.", "example.com", nil},
		{"upper case", "Joe@EXAMPLE.Com", "example.com", nil},
		{"a U-label", "joe@bücher.example", "xn--bcher-kva.example", nil},
		{"several domains", "a@one.example, B <b@two.example>, c@one.example", "one.example two.example", nil},
		{"a group of several domains", "Bank:admin@victim.example,eve@attacker.example;", "victim.example attacker.example", nil},

		// Strict in the address.
		{"nothing", "", "", ErrNoMailbox},
		{"white space", " \r\n ", "", ErrNoMailbox},
		{"an empty group", "Undisclosed:;", "", ErrNoMailbox},
		{"an empty address", "<>", "", ErrFromSyntax},
		{"a name alone", "Joe", "", ErrFromSyntax},
		{"a mailbox without a domain among others", "a@one.example, b, c@one.example", "one.example", ErrFromSyntax},
		{"an encoded word in place of an address", "=?utf-8?B?PGFkbWluQHZpY3RpbS5leGFtcGxlPg==?=,<second@attacker.example>", "", ErrFromSyntax},
		{"a backslash outside of quotes", `<admin@victim.example>\,<second@attacker.example>`, "victim.example", ErrFromSyntax},
		{"text after the address", "<any@attacker.example>admin@victim.example", "attacker.example", ErrFromSyntax},
		{"another address in the phrase", "admin@victim.example <eve@attacker.example>", "", ErrFromSyntax},
		{"two at-signs", "a@b.example@c.example", "", ErrFromSyntax},
		{"two words as local part", "joe smith@example.com", "", ErrFromSyntax},
		{"two words as domain", "joe@example com", "", ErrFromSyntax},
		{"no local part", "@example.com", "", ErrFromSyntax},
		{"brackets in brackets", "<<joe@example.com>>", "", ErrFromSyntax},
		{"brackets without an end", "<joe@example.com", "", ErrFromSyntax},
		{"an end without brackets", "joe@example.com>", "", ErrFromSyntax},
		{"a comment without an end", "joe@example.com (", "", ErrFromSyntax},
		{"a quote without an end", `"joe <joe@example.com>`, "", ErrFromSyntax},
		{"an address literal", "joe@[192.0.2.1]", "", ErrAddressLiteral},
		{"an address literal without brackets", "joe@192.0.2.1", "", ErrFromDomain},
		{"NUL in the domain", "admin@victim.example\x00.attacker.example", "", ErrFromSyntax},
		{"NUL in a quoted phrase", "\"a\x00b\" <joe@example.com>", "", ErrFromSyntax},
		{"invisible characters in the domain", "admin@victim.example\u2000\u200b", "", ErrFromDomain},
		{"an empty label", "joe@example..com", "", ErrFromDomain},
		{"an underscore is a DNS name", "joe@a_b.example", "a_b.example", nil},
		{"a domain that is too long", "joe@" + strings.Repeat("a.", 130) + "example", "", ErrFromDomain},
		{"a colon in a group", "A: B: joe@example.com;;", "", ErrFromSyntax},
		{"a semicolon without a group", "joe@example.com;", "example.com", ErrFromSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := readFrom(tt.body)
			if strings.Join(got, " ") != tt.want || !errors.Is(err, tt.err) || err != nil && tt.err == nil {
				t.Errorf("readFrom(%q) = %q, %v; want %q, %v", tt.body, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestHostileFromFieldsAreRefusedInOnePass(t *testing.T) {
	for name, body := range map[string]string{
		"nested comments":      strings.Repeat("(", 200_000) + "a@victim.example" + strings.Repeat(")", 200_000),
		"endless addresses":    strings.Repeat("a@attacker.example, ", 50_000) + "admin@victim.example",
		"a quote with no end":  `"` + strings.Repeat(`\"`, 500_000),
		"comments one by one":  strings.Repeat("(a)", 300_000),
		"at-signs in a phrase": strings.Repeat("@a.b ", 100_000) + "<a@b.example>",
		"dots":                 "a@" + strings.Repeat(".", 500_000),
	} {
		t.Run(name, func(t *testing.T) {
			if domains, _, err := readFrom(body); err == nil {
				t.Errorf("accepted, with domains %q", domains)
			}
		})
	}
}

func TestReadAuthor(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		domains      string
		err          error
	}{
		{"one From", "From: a@example.com\r\nTo: b@example.net\r\n", "example.com", nil},
		{"no From", "Sender: a@example.com\r\nResent-From: a@example.com\r\n", "", ErrNoFrom},
		{"two From", "From: a@one.example\r\nFrom: a@two.example\r\n", "one.example two.example", ErrSeveralFrom},
		{"two From of the same domain", "From: a@one.example\r\nFrom: b@one.example\r\n", "one.example", ErrSeveralFrom},
		{"two domains", "From: a@one.example, a@two.example\r\n", "one.example two.example", ErrSeveralDomains},
		{"white space before the colon", "From : a@one.example\r\n", "one.example", ErrHeader},
		{"the first line begins with white space", " From: a@one.example\r\nFrom: b@two.example\r\n", "two.example", ErrHeader},
		{"a bare LF in another field", "X: a\nFrom: b@two.example\r\nFrom: a@one.example\r\n", "one.example", ErrHeader},
		{"a line without a colon", "hello\r\nFrom: a@one.example\r\n", "one.example", ErrHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := readAuthor(header.Parse([]byte(tt.header)))
			if strings.Join(a.Domains, " ") != tt.domains || !errors.Is(a.Err, tt.err) || a.Err != nil && tt.err == nil {
				t.Errorf("domains %q, %v; want %q, %v", a.Domains, a.Err, tt.domains, tt.err)
			}
		})
	}
}

// FuzzFrom holds readFrom against net/mail: where both find addresses, they find the same
// domains.
func FuzzFrom(f *testing.F) {
	for _, s := range []string{
		"Joe <joe@example.com>", "a@b.example, c@d.example", "(x) a@b (y) .example", "g: a@b.example;",
		`"q\"" <a@b.example>`, "<@r.example:a@b.example>", "a@[192.0.2.1]", "J\xf6rg <j@example.com>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, mailboxes, err := readFrom(body)
		for _, name := range got {
			if domain.Check(name) != nil || name != domain.ToLower(name) {
				t.Fatalf("readFrom(%q) found %q, which is not in canonical form", body, name)
			}
		}
		if mailboxes > maxMailboxes+1 {
			t.Fatalf("readFrom(%q) read %d mailboxes", body, mailboxes)
		}
		theirs, theirErr := mail.ParseAddressList(body)
		if err != nil || theirErr != nil {
			return
		}
		var want []string
		for _, a := range theirs {
			name, err := domain.Canonical(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
			if err != nil {
				return // they take what is no domain name
			}
			want = add(want, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("readFrom(%q) = %q, net/mail finds %q", body, got, want)
		}
	})
}
