package author

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
		{"an address in an encoded word of the phrase", "=?utf-8?q?ceo=40victim.example?= <j@example.com>", "example.com", nil},
		{"raw Latin-1 in the phrase", "J\xf6rg <j@example.com>", "example.com", nil},
		{"a dotted local part", "joe.smith@example.com", "example.com", nil},
		{"a comment behind a quoted name", `"Joe" (c) <joe@example.com>`, "example.com", nil},
		{"a group with brackets in it", "Team: A <a@example.com>, B <b@example.com>;", "example.com", nil},
		{"an empty list element behind one with a comment", "(c) a@example.com, , b@example.com", "example.com", nil},
		{"a folded field with tabs", "Joe\t<joe@example.com>\t(c)\t", "example.com", nil},
		{"a leading comment", "(Joe) joe@example.com", "example.com", nil},
		{"nested comments with quoted parentheses", `(a (b \) c) d) joe@example.com (e)`, "example.com", nil},
		{"comments around the at-sign", "joe (x) @ (y) example.com", "example.com", nil},
		{"white space around the at-sign", "Ann <ann @ example.com>", "example.com", nil},
		{"a folded field", "Joe\r\n <joe@example.com>", "example.com", nil},
		{"dots in the phrase", "J. R. Smith <j@example.com>", "example.com", nil},
		{"a quoted phrase with everything", `"a, <b@c.example>; \" (" <j@example.com>`, "example.com", nil},
		{"mail of a list", `"ceo@victim.example via List" <a@list.example>`, "list.example", nil},
		{"mail of a list, encoded", "=?utf-8?q?j.c=40victim.example_via_Li=C3=9Ft?= <a@list.example>", "list.example", nil},
		{"the same address in the phrase", "joe@example.com <joe@example.com>", "example.com", nil},
		{"the same domain in the phrase", "info@example.com <joe@EXAMPLE.com>", "example.com", nil},
		{"an address as the name of its group", "joe@example.com: joe@example.com, ann@example.com;", "example.com", nil},
		{"a quoted local part with an at-sign", `"joe@evil.example"@example.com`, "example.com", nil},
		{"dots where local parts must not have them", "joe..x.@example.com", "example.com", nil},
		{"an obsolete route", "<@attacker.example,@any.example:admin@victim.example>", "victim.example", nil},
		{"a group of one domain", "Team: a@example.com, b@example.com;", "example.com", nil},
		{"a comment after a group", "Team: a@example.com, b@example.com; (all)", "example.com", nil},
		{"empty list elements", ", joe@example.com, ,", "example.com", nil},
		{"a trailing dot", "joe@example.com.", "example.com", nil},
		{"upper case", "Joe@EXAMPLE.Com", "example.com", nil},
		{"a U-label", "joe@bücher.example", "xn--bcher-kva.example", nil},
		{"an underscore is a DNS name", "joe@a_b.example", "a_b.example", nil},
		{"several domains", "a@one.example, B <b@two.example>, c@one.example", "one.example two.example", nil},
		{"a group of several domains", "Bank:admin@victim.example,eve@attacker.example;", "victim.example attacker.example", nil},

		// Two readings.
		{"a quoted address before a comment", `"ceo@victim.example via List" (a (b) c) <x@attacker.example>`, "", ErrSyntax},
		{"a quoted address before a route", `"ceo@victim.example" <@r.example:x@attacker.example>`, "", ErrSyntax},
		{"a quoted address before a trailing dot", `"ceo@victim.example" <x@attacker.example.>`, "", ErrSyntax},
		{"a quoted address before a dot that ends a local part", `"ceo@victim.example" <x.@attacker.example>`, "", ErrSyntax},
		{"a quoted address before a dot that begins a local part", `"ceo@victim.example" <.x@attacker.example>`, "", ErrSyntax},
		{"a quoted address before two dots", `"ceo@victim.example" <x..y@attacker.example>`, "", ErrSyntax},
		{"a quoted address before a quoted local part", `"ceo@victim.example" <"a b".c@attacker.example>`, "", ErrSyntax},
		{"a quoted address before a comment in brackets", `"ceo@victim.example" <x(c)@attacker.example>`, "", ErrSyntax},
		{"a quoted address as local part of a trailing dot", `"ceo@victim.example"@attacker.example.`, "", ErrSyntax},
		{"an encoded address before a trailing dot", "=?utf-8?q?=3Cceo=40victim.example=3E?= <x@attacker.example.>", "", ErrSyntax},
		{"an encoded address before a route", "=?utf-8?b?Y2VvQHZpY3RpbS5leGFtcGxl?= <@r.example:x@attacker.example>", "", ErrSyntax},
		{"an encoded address behind a dot", "=?utf-8?q?the.ceo=40victim.example?= (c) <x@attacker.example>", "", ErrSyntax},
		{"a quoted address before a dot", `"ceo@victim.example" J. <x@attacker.example>`, "", ErrSyntax},
		{"a quoted address in a local part of several words", `"ceo@victim.example".x@attacker.example`, "", ErrSyntax},
		{"a quoted address as local part beside a comment", `"ceo@victim.example"@attacker.example (c)`, "", ErrSyntax},
		{"a quoted address as local part behind a comment", `(c) "ceo@victim.example"@attacker.example`, "", ErrSyntax},
		{"a quoted address before an at-sign apart", `<"ceo@victim.example" @attacker.example>`, "", ErrSyntax},
		{"a bracket behind a quoted address", `"ceo@victim.example" [Finance] <x@attacker.example>`, "", ErrSyntax},
		{"an address as the name of another's group", "ceo@victim.example: x@attacker.example;", "victim.example attacker.example", nil},
		{"an address as the name of an empty group", "ceo@victim.example:;, x@attacker.example", "victim.example attacker.example", nil},
		{"an address as the name of an empty group alone", "ceo@victim.example:;", "victim.example", ErrNoMailbox},
		{"no comma after a group", "Team: a@example.com, b@example.com; c@example.com", "example.com", ErrSyntax},
		{"brackets after a group", "Team:; <a@example.com> b@example.com", "", ErrSyntax},
		{"a quoted address as the name of a group", `"ceo@victim.example": x@attacker.example;`, "", ErrSyntax},
		{"an address as the name of a group without an end", "ceo@victim.example: x@attacker.example", "victim.example attacker.example", ErrSyntax},
		{"white space within the domain", "ceo@victim.example .attacker.example", "", ErrSyntax},
		{"white space within one of two domains", "a@victim .example, b@victim.example", "", ErrSyntax},
		{"a comment within the domain", "admin@victim(x).example(.attacker.example)", "", ErrSyntax},
		{"a comment within one of two domains", "a@victim(x).example, b@victim.example", "", ErrSyntax},
		{"a comment with an address as list element", "(ceo@victim.example), x@attacker.example", "", ErrSyntax},
		{"a comment with an address", "x@attacker.example (ceo@victim.example)", "", ErrSyntax},
		{"a comment with a wide at-sign", "x@attacker.example (ceo\uff20victim.example)", "", ErrSyntax},
		{"a comment as list element", "(boss), x@attacker.example, y@attacker.example", "", ErrSyntax},
		{"a malformed route", "<@ceo@victim.example:x@attacker.example>", "", ErrSyntax},
		{"a route without its colon", "<@attacker.example> ceo@victim.example>", "", ErrSyntax},
		{"a route of what is no name", "<@victim..example:x@attacker.example>", "", ErrSyntax},
		{"an ideographic full stop in an address of the phrase", "ceo@victim\u3002example <a@attacker.example>", "", ErrSyntax},
		{"another address in the phrase", "admin@victim.example <eve@attacker.example>", "", ErrSyntax},
		{"another address among the words of the phrase", "The admin@victim.example <eve@attacker.example>", "", ErrSyntax},
		{"an at-sign in the phrase", "Joe @ Work <joe@example.com>", "", ErrSyntax},
		{"a wide at-sign in the phrase", "ceo\uff20victim.example <a@attacker.example>", "", ErrSyntax},
		{"a small at-sign in the phrase", "ceo\ufe6bvictim.example <a@attacker.example>", "", ErrSyntax},
		{"a group without an end", "Team: a@example.com, b@example.com", "example.com", ErrSyntax},
		{"an encoded word in place of an address", "=?utf-8?B?PGFkbWluQHZpY3RpbS5leGFtcGxlPg==?=,<second@attacker.example>", "", ErrSyntax},
		{"a broken encoded word in place of an address", "=?q?=3Cceo=40victim.example=3E?=, <x@attacker.example>", "", ErrSyntax},
		{"base64 of every kind of character in place of an address", "=?utf-8?b?azAZ09+/QGJh?=, <x@attacker.example>", "", ErrSyntax},
		{"base64 with what is none in it", "=?utf-8?b?Y2Vv-QHZp.Y3Rp_bQ?=, <x@attacker.example>", "", ErrSyntax},
		{"base64 with a slash in place of an address", "=?utf-8?b?w7/Dv0BiYW5r?=, <x@attacker.example>", "", ErrSyntax},
		{"UTF-7 in place of an address", "=?utf-7?q?ceo+AEA-victim.example?=, <x@attacker.example>", "", ErrSyntax},
		{"a wide at-sign in an encoded word", "=?utf-8?q?ceo=EF=BC=A0victim.example?=, <x@attacker.example>", "", ErrSyntax},
		{"an encoded word alone", "=?utf-8?q?Ann_=3Ca=40example=2Ecom=3E?=", "", ErrSyntax},
		{"an encoded word as local part", "=?utf-8?q?ceo?=@attacker.example, a@attacker.example", "", ErrSyntax},
		{"a backslash outside of quotes", `<admin@victim.example>\,<second@attacker.example>`, "victim.example", ErrSyntax},
		{"text after the address", "<any@attacker.example>admin@victim.example", "attacker.example", ErrSyntax},
		{"two at-signs", "a@b.example@c.example", "", ErrSyntax},
		{"a mailbox without a domain among others", "a@one.example, b, c@one.example", "one.example", ErrSyntax},
		{"a colon in a group", "A: B: joe@example.com, ann@example.com;;", "", ErrSyntax},
		{"a semicolon without a group", "a@example.com; b@example.com", "example.com", ErrSyntax},

		// One at-sign, and yet no address, or no certain end of it.
		{"the address in quotes", `"x@attacker.example"`, "", ErrSyntax},
		{"the address in a closed quote of two stray ones", `24" TV <x@attacker.example>, 12" TV`, "", ErrSyntax},
		{"the address in a comment", "(x@attacker.example)", "", ErrSyntax},
		{"a route without an address", "<@attacker.example:ceo>", "", ErrSyntax},
		{"a route before the local part", "<ceo:x@attacker.example>", "", ErrSyntax},
		{"a list in brackets", "<ceo, x@attacker.example>", "", ErrSyntax},
		{"a word after the domain", "ceo@bank.co m", "", ErrSyntax},
		{"a comment that goes on after the domain", "a@b.example(c) d", "", ErrSyntax},
		{"a quote after the domain", `ceo@bank.example"`, "", ErrSyntax},
		{"text after the brackets", "<a@b.example> c", "b.example", ErrSyntax},
		{"two pairs of brackets", "<<joe@example.com>>", "", ErrSyntax},
		{"a comment without an end behind the domain", "joe@example.com (", "", ErrSyntax},
		{"no local part", "@example.com", "", ErrSyntax},
		{"a space as local part", "Joe, @example.com", "", ErrSyntax},
		{"a backslash in the local part", `CORP\ann@example.com`, "", ErrSyntax},
		{"a bracket in the local part", "a[b]@example.com", "", ErrSyntax},
		{"a control character", "Kock, Arne\x01 <a@example.com>", "", ErrSyntax},
		{"one stray parenthesis too much", strings.Repeat("(", maxStray+1) + " <a@example.com>", "", ErrSyntax},
		{"many stray quotes", strings.Repeat(`\" (`, 9) + " <a@example.com>", "", ErrSyntax},

		// No domain.
		{"nothing", "", "", ErrNoMailbox},
		{"white space", " \r\n ", "", ErrNoMailbox},
		{"an empty group", "Undisclosed:;", "", ErrNoMailbox},
		{"an empty address", "<>", "", ErrSyntax},
		{"a name alone", "Joe", "", ErrSyntax},
		{"an address literal", "joe@[192.0.2.1]", "", ErrAddressLiteral},
		{"an address literal without brackets", "joe@192.0.2.1", "", ErrDomain},
		{"NUL in the domain", "admin@victim.example\x00.attacker.example", "", ErrSyntax},
		{"NUL in a quoted phrase", "\"a\x00b\" <joe@example.com>", "", ErrSyntax},
		{"invisible characters in the domain", "admin@victim.example\u2000\u200b", "", ErrDomain},
		{"an empty label", "joe@example..com", "", ErrDomain},
		{"a domain that is too long", "joe@" + strings.Repeat("a.", 130) + "example", "", ErrDomain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readField(tt.body)
			if strings.Join(got.Domains, " ") != tt.want || !errors.Is(got.Err, tt.err) || got.Err != nil && tt.err == nil || got.Problems != nil {
				t.Errorf("readField(%q) = %q, %v, %v; want %q, %v", tt.body, got.Domains, got.Err, got.Problems, tt.want, tt.err)
			}
		})
	}
}

func TestAFieldWithOnePossibleDomainIsTakenWithItsProblems(t *testing.T) {
	for _, tt := range []struct{ name, body, kinds string }{
		{"an unquoted comma", "Kock, Arne <a@example.com>", "from-unquoted-comma"},
		{"a name beside the address", "a@example.com, Arne", "from-unquoted-comma"},
		{"an unquoted comma in a group", "Team: Kock, Arne <a@example.com>;", "from-unquoted-comma"},
		{"a quote that means inches", `24" TV <a@example.com>`, "from-stray-quote"},
		{"a quote without an end", `"Joe <a@example.com>`, "from-stray-quote"},
		{"a stray quote behind a closed one", `"Joe" " <a@example.com>`, "from-stray-quote"},
		{"a backslash", `CORP\ann <a@example.com>`, "from-backslash"},
		{"a backslash before a quote", `\"Joe <a@example.com>`, "from-stray-quote from-backslash"},
		{"brackets in the phrase", "[Shop] Support <a@example.com>", "from-square-bracket"},
		{"a comment without an end", "Joe (home <a@example.com>", "from-stray-parenthesis"},
		{"a parenthesis too much", "Joe :-) <a@example.com>", "from-stray-parenthesis from-stray-colon"},
		{"a comment as list element", "(Joe), a@example.com", "from-lone-comment"},
		{"a comment beside the address", "Kock, A (c) <a@example.com>", "from-unquoted-comma"},
		{"a word behind a group", "Team: A <a@example.com>; Joe", "from-syntax"},
		{"tabs", "Kock,\tA\t<a@example.com>\t(c)\t", "from-unquoted-comma"},
		{"as many stray parentheses as may be", strings.Repeat("(", maxStray) + " <a@example.com>", "from-stray-parenthesis"},
		{"a comment as list element of a group", "Team: (Joe), a@example.com;", "from-lone-comment"},
		{"brackets without an end", "Joe <a@example.com", "from-angle-bracket"},
		{"an end without brackets", "a@example.com>", "from-angle-bracket"},
		{"brackets before the address", "Joe <home> a@example.com", "from-angle-bracket"},
		{"a colon", "Mail From:<a@example.com>", "from-stray-colon"},
		{"a semicolon", "a@example.com;", "from-stray-semicolon"},
		{"words before the address", "Joe Smith a@example.com", "from-bare-address"},
		{"a quoted name before the address", `"Joe" a@example.com`, "from-bare-address"},
		{"a wide at-sign", "a\uff20example.com", "from-wide-at"},
		{"a quoted local part", `Kock, "a b"@example.com (c) `, "from-unquoted-comma"},
		{"an address with something else wrong", "A: B <a@example.com>;, ;:", "from-syntax"},
		{"an encoded word beside it", "=?utf-8?q?K=C3=B6k?=, =?utf-8?b?S8O2aw==?= <a@example.com>", "from-unquoted-comma"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Parse(tt.body)
			var kinds []string
			for _, p := range got.Problems {
				kinds = append(kinds, p.Kind.String())
				if p.Detail == "" {
					t.Errorf("%s has no detail", p.Kind)
				}
			}
			if !slices.Equal(got.Domains, []string{"example.com"}) || got.Err != nil || got.Mailboxes != 1 || strings.Join(kinds, " ") != tt.kinds {
				t.Errorf("%q: %q, %v, problems %q; want example.com, %q", tt.body, got.Domains, got.Err, kinds, tt.kinds)
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
			if a := readField(body); a.Err == nil {
				t.Errorf("accepted, with domains %q", a.Domains)
			}
		})
	}
}

// ofHeader returns the author of a message with that header.
func ofHeader(text string) Author {
	h := header.Parse([]byte(text))
	return Of(&h)
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
			a := ofHeader(tt.header)
			if strings.Join(a.Domains, " ") != tt.domains || !errors.Is(a.Err, tt.err) || a.Err != nil && tt.err == nil {
				t.Errorf("domains %q, %v; want %q, %v", a.Domains, a.Err, tt.domains, tt.err)
			}
		})
	}
}

func readField(body string) (a Author) {
	a.readField(body)
	return a
}

// FuzzFrom holds readField against net/mail: where both find addresses, they find the same
// domains.
func FuzzFrom(f *testing.F) {
	for _, s := range []string{
		"Joe <joe@example.com>", "a@b.example, c@d.example", "(x) a@b (y) .example", "g: a@b.example;",
		`"q\"" <a@b.example>`, "<@r.example:a@b.example>", "a@[192.0.2.1]", "J\xf6rg <j@example.com>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a := readField(body)
		got, mailboxes, err := a.Domains, a.Mailboxes, a.Err
		for _, name := range got {
			if domain.Check(name) != nil || name != domain.ToLower(name) {
				t.Fatalf("readField(%q) found %q, which is not in canonical form", body, name)
			}
		}
		if mailboxes > maxMailboxes+1 {
			t.Fatalf("readField(%q) read %d mailboxes", body, mailboxes)
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
			if !slices.Contains(want, name) {
				want = append(want, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("readField(%q) = %q, net/mail finds %q", body, got, want)
		}
	})
}
