package resolver

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// everyOctet returns names that hold, between them, every octet that a label can have in
// a question.
func everyOctet() (names []string) {
	for c := byte(' '); c <= '~'; c++ {
		if c != '.' && (c < 'A' || 'Z' < c) {
			names = append(names, string([]byte{c, 'x', c, c, '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e'}))
		}
	}
	return append(names, `\065.example`, `\\.example`, `"a b".example`, " .example", strings.Repeat("+", 63)+".example")
}

func TestEveryNameIsAskedForAsItStandsAndComesBack(t *testing.T) {
	var asked sync.Map // the first labels as octets on the wire
	server := serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		wire := make([]byte, 256)
		if _, err := dns.PackDomainName(r.Question[0].Name, wire, 0, nil, false); err != nil {
			t.Error(err)
		}
		asked.Store(string(wire[1:1+wire[0]]), true)
		name := r.Question[0].Name
		w.WriteMsg(reply(r, dns.RcodeSuccess, []string{name + " 60 CNAME \\043" + name, "\\+" + name + " 60 TXT found"}, nil))
	})
	for _, r := range []Resolver{&Client{Servers: []string{server}}, netOver(server), &Cache{Resolver: &Client{Servers: []string{server}}}} {
		asked.Clear()
		for _, name := range everyOctet() {
			if len(name) > 70 {
				continue // the alias would be too long
			}
			a, err := r.Resolve(ctx, Question{name, TypeTXT})
			if err != nil || !slices.Equal(a.TXT, []string{"found"}) {
				t.Errorf("%T: %q: %q, %v", r, name, a.TXT, err)
			}
			label, _, _ := strings.Cut(name, ".")
			if _, ok := asked.Load(label); !ok {
				t.Errorf("%T: %q was not asked for", r, name)
			}
		}
	}
}

func TestClientTakesNoAnswerToANameThatOnlyLooksAlike(t *testing.T) {
	for _, other := range []string{`a\.b.example.`, `a\046b.example.`, `a\092.b.example.`, `\097\.b.example.`} {
		c := &Client{Tries: 1, Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
			forged := reply(r, dns.RcodeSuccess, []string{other + " 60 TXT forged"}, nil)
			forged.Question[0].Name = other
			w.WriteMsg(forged)
			m := reply(r, dns.RcodeSuccess, []string{other + " 60 TXT forged", r.Question[0].Name + " 60 TXT real"}, nil)
			w.WriteMsg(m)
		})}}
		a, err := c.Resolve(ctx, Question{"a.b.example", TypeTXT})
		if err != nil || !slices.Equal(a.TXT, []string{"real"}) {
			t.Errorf("%s: %q, %v", other, a.TXT, err)
		}
	}
}

func TestANameWithADotInsideALabelIsNone(t *testing.T) {
	answers := map[uint16][]string{
		dns.TypeMX:  {`example.com. 60 MX 10 a\.b.example.`, `example.com. 60 MX 20 mx.example.`},
		dns.TypePTR: {`example.com. 60 PTR a\046b.example.`},
		dns.TypeTXT: {`example.com. 60 CNAME a\.b.example.`, `a\.b.example. 60 TXT x`, "a.b.example. 60 TXT y"},
	}
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		w.WriteMsg(reply(r, dns.RcodeSuccess, answers[r.Question[0].Qtype], nil))
	})}}
	if a, err := c.Resolve(ctx, Question{"example.com", TypeMX}); err != nil || !slices.Equal(a.MX, []MX{{20, "mx.example"}}) {
		t.Errorf("MX: %v, %v; want the other record", a.MX, err)
	}
	for _, qt := range []Type{TypePTR, TypeTXT} {
		if a, err := c.Resolve(ctx, Question{"example.com", qt}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v: %v, %v; want a failure", qt, a, err)
		}
	}
}

func TestAnAliasItselfIsAnAnswer(t *testing.T) {
	answers := map[uint16][]string{
		dns.TypeCNAME: {"example.com. 60 CNAME nowhere.example."},
		dns.TypeSPF:   {"example.com. 60 CNAME other.example.", `other.example. 60 SPF "v=spf1 " "-all"`},
	}
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		w.WriteMsg(reply(r, dns.RcodeSuccess, answers[r.Question[0].Qtype], nil))
	})}}
	if a, err := c.Resolve(ctx, Question{"example.com", TypeCNAME}); err != nil || a.CNAME != "nowhere.example" || a.Count() != 1 {
		t.Errorf("CNAME: %v, %v", a, err)
	}
	if a, err := c.Resolve(ctx, Question{"example.com", TypeSPF}); err != nil || !slices.Equal(a.TXT, []string{"v=spf1 -all"}) {
		t.Errorf("SPF: %v, %v", a, err)
	}
}

func TestAQuestionIsSafeToPrint(t *testing.T) {
	for name, want := range map[string]string{
		"example.com":                   "example.com TXT",
		"AZaz09-_.example":              "AZaz09-_.example TXT",
		"ann+x=y._spf.example":          `ann\043x\061y._spf.example TXT`,
		"a b\"c\\d.example":             `a\032b\034c\092d.example TXT`,
		"x\r\nSubject: y\x1b[31m\xff.b": `x\013\010Subject\058\032y\027\09131m\255.b TXT`,
	} {
		q := Question{name, TypeTXT}
		if got := q.String(); got != want {
			t.Errorf("%q is printed %s, want %s", name, got, want)
		}
		if err := (&Error{Question: q, Err: ErrName}).Error(); !strings.HasPrefix(err, want+": ") {
			t.Errorf("%q in an error: %s", name, err)
		}
	}
}

// FuzzName goes from raw octets to what the dns library reads, over the wire, and back.
func FuzzName(f *testing.F) {
	for _, name := range append(everyOctet(), "example.com", `a\.b`, "A.b", "\x00", "a..b") {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		escaped := escapeName(name)
		for i := range len(escaped) {
			if c := escaped[i]; c != '\\' && !isPlain(c) {
				t.Fatalf("%q has %q in it", escaped, c)
			}
		}
		if back, ok := unescapeName(escaped + "."); checkName(name) == nil && (!ok || back != name) {
			t.Fatalf("%q became %q, %t", name, back, ok)
		}
		wire := make([]byte, 256)
		n, err := dns.PackDomainName(escaped+".", wire, 0, nil, false)
		if err != nil {
			if checkName(name) == nil {
				t.Fatalf("%q cannot be asked for: %v", name, err)
			}
			return
		}
		presented, _, err := dns.UnpackDomainName(wire[:n], 0)
		if err != nil {
			t.Fatal(err)
		}
		back, ok := unescapeName(presented)
		if checkName(name) == nil && (!ok || back != name) {
			t.Errorf("%q came back as %q, %t", name, back, ok)
		}
		// Raw octets in place of escapes mean the same.
		if again, _ := unescapeName(escapeName(back) + "."); ok && checkName(back) == nil && again != back {
			t.Errorf("%q became %q", back, again)
		}
	})
}

// FuzzUnescapeName reads any text as a name with escapes.
func FuzzUnescapeName(f *testing.F) {
	for _, s := range []string{`a\.b`, `a\046b.c`, `\`, `\1`, `\256`, `a\\.b`, "A.B."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, ok := unescapeName(s)
		if len(name) > len(s) {
			t.Errorf("%q became %q", s, name)
		}
		if !ok {
			return
		}
		// As many labels as the wire form has, or the name cannot be asked for.
		if checkName(name) == nil {
			wire := make([]byte, 512)
			if _, err := dns.PackDomainName(dns.Fqdn(s), wire, 0, nil, false); err == nil {
				labels := 0
				for i := 0; wire[i] != 0; i += 1 + int(wire[i]) {
					labels++
				}
				if want := strings.Count(name, ".") + 1; labels != want {
					t.Errorf("%q is %q, with %d labels instead of %d", s, name, want, labels)
				}
			}
		}
	})
}
