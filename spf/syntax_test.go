package spf_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/spf"
)

func TestATextWithoutTheVersionSectionIsNotARecord(t *testing.T) {
	for _, txt := range []string{
		"", "v=spf", "v=spf10", "v=spf1mx -all", "v=spf1\t-all", "v=spf2.0/pra -all", " v=spf1 -all",
		"see v=spf1 -all", "spf1 v=spf1", "v=\u017fpf1 -all", "v =spf1 -all",
	} {
		if r, isSPF, err := spf.Parse(txt); r != nil || isSPF || err != nil {
			t.Errorf("%q: got %v, %v, %v", txt, r, isSPF, err)
		}
	}
	for _, txt := range []string{"v=spf1", "v=spf1 ", "V=SPF1 ?all", "v=SpF1  mx   -all  "} {
		if r, isSPF, err := spf.Parse(txt); r == nil || !isSPF || err != nil {
			t.Errorf("%q: got %v, %v, %v", txt, r, isSPF, err)
		}
	}
}

func TestASyntaxErrorSaysWhereAndWhatWouldBeRight(t *testing.T) {
	for _, test := range []struct {
		name   string
		record string
		term   string
		offset int
		want   string // part of SyntaxError.Want
	}{
		{"unknown mechanism", "v=spf1 mx moo -all", "moo", 10, "one of the mechanisms"},
		{"after a term that would match", "v=spf1 all moo", "moo", 11, "one of the mechanisms"},
		{"all with a dot", "v=spf1 -all.", "-all.", 8, "one of the mechanisms"},
		{"all with an argument", "v=spf1 all:x", "all:x", 10, "nothing after"},
		{"a modifier with a qualifier", "v=spf1 -redirect=x.example", "-redirect=x.example", 7, "without a qualifier"},
		{"a modifier as a mechanism", "v=spf1 redirect:x.example", "redirect:x.example", 7, "one of the mechanisms"},
		{"a name that begins with a digit", "v=spf1 1up=foo", "1up=foo", 7, "begins with a letter"},
		{"no name", "v=spf1 =all", "=all", 7, "begins with a letter"},
		{"only a qualifier", "v=spf1 -", "-", 8, "begins with a letter"},
		{"two qualifiers", "v=spf1 --all", "--all", 8, "begins with a letter"},
		{"a tab between terms", "v=spf1 mx\t-all", "mx\t-all", 9, `":", "/", "="`},
		{"a slash before the equals sign", "v=spf1 moo.cow/far_out=x", "moo.cow/far_out=x", 7, "one of the mechanisms"},
		{"redirect twice, in two cases", "v=spf1 redirect=a.org ReDirect=b.org", "ReDirect=b.org", 22, `"redirect=" only once`},
		{"exp twice", "v=spf1 exp=a.org -all exp=a.org", "exp=a.org", 22, `"exp=" only once`},
		{"an empty redirect", "v=spf1 redirect=", "redirect=", 16, "a domain name"},
		{"an empty domain", "v=spf1 a: -all", "a:", 9, "a domain name"},
		{"an empty domain and a length", "v=spf1 a:/24 -all", "a:/24", 9, "a domain name"},
		{"include without a domain", "v=spf1 include", "include", 14, `":" and a domain name`},
		{"include with a length", "v=spf1 include:x.org/24", "include:x.org/24", 17, "last label"},
		{"a domain of one label", "v=spf1 a:museum", "a:museum", 9, "more than one label"},
		{"a domain of one label and a dot", "v=spf1 a:museum.", "a:museum.", 9, "more than one label"},
		{"a domain with a number on top", "v=spf1 a:abc.123", "a:abc.123", 13, "not a number"},
		{"a hyphen that leads the top label", "v=spf1 a:example.-com", "a:example.-com", 17, "inner hyphens"},
		{"an underscore in the top label", "v=spf1 a:example._com", "a:example._com", 17, "letters, digits"},
		{"a port", "v=spf1 a:example.com:8080", "a:example.com:8080", 17, "letters, digits"},
		{"a dot after a macro", "v=spf1 a:%{d}. -all", "a:%{d}.", 13, "more than one label"},
		{"an address in a", "v=spf1 a:192.0.2.1", "a:192.0.2.1", 9, "takes ip4 or ip6"},
		{"an address in include", "v=spf1 include:2001:db8::1", "include:2001:db8::1", 15, "takes ip4 or ip6"},
		{"ip4 with an IPv6 address", "v=spf1 ip4:2001:db8::1", "ip4:2001:db8::1", 11, "takes ip6"},
		{"ip6 with an IPv4 address", "v=spf1 ip6:192.0.2.1", "ip6:192.0.2.1", 11, "takes ip4"},
		{"ip4 without an address", "v=spf1 ip4 -all", "ip4", 10, `":" and an address`},
		{"ip4 with a port", "v=spf1 ip4:1.2.3.4:8080", "ip4:1.2.3.4:8080", 11, "an IPv4 address"},
		{"ip4 with three numbers", "v=spf1 ip4:1.2.3/24", "ip4:1.2.3/24", 11, "an IPv4 address"},
		{"ip4 with a number above 255", "v=spf1 ip4:1.2.3.256", "ip4:1.2.3.256", 11, "an IPv4 address"},
		{"ip4 with a leading zero", "v=spf1 ip4:1.2.3.04", "ip4:1.2.3.04", 11, "an IPv4 address"},
		{"ip6 with a zone", "v=spf1 ip6:fe80::1%eth0", "ip6:fe80::1%eth0", 11, "an IPv6 address"},
		{"ip4 beyond 32 bits", "v=spf1 ip4:1.2.3.4/33", "ip4:1.2.3.4/33", 19, "0 to 32"},
		{"ip6 beyond 128 bits", "v=spf1 ip6:::1/129", "ip6:::1/129", 15, "0 to 128"},
		{"ip6 with two slashes", "v=spf1 ip6:::1//64", "ip6:::1//64", 15, "0 to 128"},
		{"ip4 with a slash only", "v=spf1 ip4:1.2.3.4/", "ip4:1.2.3.4/", 19, "0 to 32"},
		{"a beyond 32 bits", "v=spf1 a/33", "a/33", 9, "0 to 32"},
		{"a beyond 128 bits", "v=spf1 a//129", "a//129", 10, "0 to 128"},
		{"a length with a leading zero", "v=spf1 a:x.org/08", "a:x.org/08", 15, "without leading zeros"},
		{"a length of many digits", "v=spf1 mx//4294967424", "mx//4294967424", 11, "0 to 128"},
		{"two IPv4 lengths", "v=spf1 a/24/64", "a/24/64", 12, "0 to 32"},
		{"an IPv6 length first", "v=spf1 a//64/24", "a//64/24", 8, "prefix length as in"},
		{"ptr with a length", "v=spf1 ptr/0", "ptr/0", 10, `":" and a domain name`},
		{"a percent sign", "v=spf1 exists:%(ir).org", "exists:%(ir).org", 14, `"%%"`},
		{"a trailing percent sign", "v=spf1 exists:x.org%", "exists:x.org%", 19, `"%%"`},
		{"an open macro", "v=spf1 exists:%{", "exists:%{", 16, "one of the letters"},
		{"a macro that is not closed", "v=spf1 exists:%{ir.org", "exists:%{ir.org", 19, `"}"`},
		{"an unknown macro letter", "v=spf1 exists:%{a}.org", "exists:%{a}.org", 16, "one of the letters"},
		{"no parts", "v=spf1 exists:%{d0}", "exists:%{d0}", 17, "not zero"},
		{"a letter for explanations", "v=spf1 exists:%{c}.org", "exists:%{c}.org", 14, "explanations only"},
		{"a broken macro in an unknown modifier", "v=spf1 -all foo=%abc", "foo=%abc", 16, `"%%"`},
		{"an octet beyond ASCII", "v=spf1 a:b\u00fccher.example", "a:b\u00fccher.example", 10, "visible ASCII"},
		{"a NUL", "v=spf1 a:foo.example\x00", "a:foo.example\x00", 20, "visible ASCII"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, isSPF, err := spf.Parse(test.record)
			var syntax *spf.SyntaxError
			if r != nil || !isSPF || !errors.As(err, &syntax) || !errors.Is(err, spf.ErrSyntax) {
				t.Fatalf("got %v, %v, %v", r, isSPF, err)
			}
			if syntax.Term != test.term || syntax.Offset != test.offset || !strings.Contains(syntax.Want, test.want) {
				t.Errorf("got %q at %d, want %q: %v", syntax.Term, syntax.Offset, syntax.Want, err)
			}
			for _, c := range []byte(err.Error()) {
				if c < ' ' || c > '~' {
					t.Errorf("error has octet %#x: %q", c, err)
				}
			}
		})
	}
}

func TestARecordIsGivenBackInItsShortestSpelling(t *testing.T) {
	for _, test := range []struct{ record, want string }{
		{"v=spf1", "v=spf1"},
		{"V=SPF1   +ALL ", "v=spf1 all"},
		{"v=spf1 +a -mx ~ptr ?exists:%{i}.org", "v=spf1 a -mx ~ptr ?exists:%{i}.org"},
		{"v=spf1 A:Example.ORG/32//128 mx/24//64 a//0 mx/0", "v=spf1 a:Example.ORG mx/24//64 a//0 mx/0"},
		{"v=spf1 ip4:192.0.2.1/32 ip4:192.0.2.1/0 ip6:2001:DB8:0::/128 ip6:::1/64", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.1/0 ip6:2001:db8:: ip6:::1/64"},
		{"v=spf1 a:foo:bar/baz.example.com/24", "v=spf1 a:foo:bar/baz.example.com/24"},
		{"v=spf1 a:x.org. include:_spf.%{d2r-.+,/_=}", "v=spf1 a:x.org. include:_spf.%{d2r-.+,/_=}"},
		{"v=spf1 Redirect=x.org EXP=y.org Moo.cow-far_out=man:dog/cat", "v=spf1 redirect=x.org exp=y.org Moo.cow-far_out=man:dog/cat"},
		{"v=spf1 authid=x mxid=y all4=z a=%{c} ip4=", "v=spf1 authid=x mxid=y all4=z a=%{c} ip4="},
	} {
		r, _, err := spf.Parse(test.record)
		if err != nil {
			t.Errorf("%q: %v", test.record, err)
			continue
		}
		if got := r.String(); got != test.want {
			t.Errorf("%q: got %q, want %q", test.record, got, test.want)
		}
		again := "v=spf1"
		for _, term := range r.Terms {
			again += " " + term.String()
			if test.record[term.Offset:term.Offset+len(term.Text)] != term.Text {
				t.Errorf("%q: %q is not at octet %d", test.record, term.Text, term.Offset)
			}
		}
		if again != test.want {
			t.Errorf("%q: its terms are %q", test.record, again)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, record := range []string{
		"v=spf1 a mx/24//64 ptr:x.org ip4:192.0.2.0/24 ip6:2001:db8::/32 include:_spf.%{d} exists:%{ir}.%{v}.x.org ?all",
		"v=spf1 redirect=%{l1r-+}.x.org exp=x.%{d}", "v=spf1 a:foo:bar/baz.example.com/24//64", "v=spf1 moo=%%%_%-", "v=spf10",
	} {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, txt string) {
		r, isSPF, err := spf.Parse(txt)
		if (r != nil) != (isSPF && err == nil) {
			t.Fatalf("got %v, %v, %v", r, isSPF, err)
		}
		var syntax *spf.SyntaxError
		if err != nil && (!errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(txt) || syntax.Want == "") {
			t.Fatalf("got %#v", err)
		}
		if r == nil {
			return
		}
		again, _, err := spf.Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q became %q: %v", txt, r, err)
		}
		if !reflect.DeepEqual(meaning(again), meaning(r)) {
			t.Fatalf("%q became %q, which means something else", txt, r)
		}
	})
}

// meaning is a record without how it was written.
func meaning(r *spf.Record) (terms []spf.Term) {
	for _, term := range r.Terms {
		if term.Kind != spf.KindUnknown {
			term.Text = term.Domain()
		}
		term.Offset = 0
		terms = append(terms, term)
	}
	return terms
}

func TestATermThatWasNotParsedHasNoNetwork(t *testing.T) {
	for _, kind := range []spf.Kind{spf.KindIP4, spf.KindIP6} {
		if network := (&spf.Term{Kind: kind}).Network(); network.IsValid() {
			t.Errorf("%s: %s", kind, network)
		}
	}
	for _, text := range []string{"ip4:192.0.2.1/24", "ip4:0.0.0.0/0", "ip6:2001:db8::1/32", "ip6:::/0", "ip6:::ffff:192.0.2.1"} {
		r, _, err := spf.Parse("v=spf1 " + text)
		if err != nil {
			t.Fatal(err)
		}
		_, written, _ := strings.Cut(text, ":")
		if got := r.Terms[0].Network(); got.String() != written && got.Addr().String() != written {
			t.Errorf("%s: %s", text, got)
		}
	}
}
