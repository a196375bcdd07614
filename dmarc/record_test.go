package dmarc

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestProblemsOfARecordAreListed(t *testing.T) {
	for _, tt := range []struct {
		name, record string
		tag, assumed string
	}{
		{"a bad alignment mode", "v=DMARC1; p=none; adkim=x", "adkim", "r"},
		{"a bad psd", "v=DMARC1; p=none; psd=maybe", "psd", "u"},
		{"a bad t", "v=DMARC1; p=none; t=1", "t", "n"},
		{"a bad fo", "v=DMARC1; p=none; fo=9", "fo", "0"},
		{"fo with both 0 and 1", "v=DMARC1; p=none; fo=0:1", "fo", "0:1"},
		{"fo with the same value twice", "v=DMARC1; p=none; fo=1:d:s:d", "fo", "1:d:s:d"},
		{"a repeated tag", "v=DMARC1; p=none; t=y; t=n", "t", "the first one"},
		{"a repeated policy", "v=DMARC1; p=none; p=none; rua=mailto:a@a.example", "p", "no policy stated"},
		{"a tag without an equals sign", "v=DMARC1; p=none; sp-none", "sp-none", "ignored"},
		{"a URI that is none", "v=DMARC1; p=none; rua=bogus", "rua", "not used"},
		{"a missing policy", "v=DMARC1; rua=mailto:a@a.example", "p", "no policy stated"},
		{"a policy assumed for the sake of reports", "v=DMARC1; rua=mailto:a@a.example", "p", "p=none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _, _ := Parse(tt.record)
			for _, p := range r.Problems {
				if p.Tag == tt.tag && p.Assumed == tt.assumed {
					return
				}
			}
			t.Errorf("%q: problems %v, want one of %s that assumes %s", tt.record, r.Problems, tt.tag, tt.assumed)
		})
	}
}

func TestTagsAreKeptAsTheyStand(t *testing.T) {
	r, _, _ := Parse("V=DMARC1; P=Reject; pct=5; x=y; broken; rf=afrf")
	want := []Tag{
		{"V", "DMARC1", TagKnown}, {"P", "Reject", TagKnown}, {"pct", "5", TagRemoved},
		{"x", "y", TagUnknown}, {"broken", "", TagBroken}, {"rf", "afrf", TagRemoved},
	}
	if !reflect.DeepEqual(r.Tags, want) {
		t.Errorf("tags %v, want %v", r.Tags, want)
	}
	if !r.Stated("p") || r.Stated("sp") {
		t.Error("Stated does not know p from sp")
	}
}

func TestURIs(t *testing.T) {
	for _, tt := range []struct {
		text, address, size string
		err                 error
	}{
		{"mailto:a@example.com", "a@example.com", "", nil},
		{"MAILTO:a@example.com!10m", "a@example.com", "10m", nil},
		{"mailto:a@example.com!99999999999999999999t", "a@example.com", "99999999999999999999t", nil},
		{"mailto:a%2Bb@example.com", "a+b@example.com", "", nil},
		{"mailto:b@inj.example?bcc=x@target.example&subject=y", "b@inj.example", "", nil},
		{"mailto:a%0d%0aRCPT%20TO:%3Cx@target.example%3E@inj.example", "", "", ErrURIAddress},
		{"mailto:a@b@target.example", "", "", ErrURIAddress},
		{"mailto:a@b.example,c@d.example", "", "", ErrURIAddress},
		{"mailto:a@", "", "", ErrURIAddress},
		{"mailto://abuse.com", "", "", ErrURIAddress},
		{"mailto:/a@example.com", "", "", ErrURIAddress},
		{"mailto://a@example.com:x", "", "", ErrURISyntax},
		{"https://example.com:x/", "", "", ErrURISyntax},
		{"1a:b@example.com", "", "", ErrURISyntax},
		{"mailto:a@example.com!", "", "", ErrURIBang},
		{"mailto:a@example.com!10p", "", "", ErrURIBang},
		{"mailto:a!b@example.com!10m", "", "10m", ErrURIBang},
		{"https://example.com/up", "", "", ErrURIScheme},
		{"bogus", "", "", ErrURISyntax},
		{"", "", "", ErrURISyntax},
		{"mailto:a@ex\x00ample.com", "", "", ErrURISyntax},
	} {
		u := parseURI(tt.text)
		if u.Address != tt.address || u.Size != tt.size || !errors.Is(u.Err, tt.err) || u.Err != nil && tt.err == nil {
			t.Errorf("%q: address %q, size %q, %v; want %q, %q, %v", tt.text, u.Address, u.Size, u.Err, tt.address, tt.size, tt.err)
		}
	}
}

func TestALongRecordStatesNoPolicy(t *testing.T) {
	r, isDMARC, err := Parse("v=DMARC1; p=reject; x=" + strings.Repeat("a", maxRecord))
	if !isDMARC || !errors.Is(err, ErrNoPolicy) || r.Policy != PolicyUnset {
		t.Errorf("%v, %v: want a record without a policy", isDMARC, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=reject; rua=mailto:a@example.com!10m, mailto:b@example.com; pct=5; t=y",
		"V = DMARC1 ;P=none;;x;adkim=s", "v=DMARC1; p=none; p=none", "v=DMARC1;9=x;a=\x00;fo=1:d:s",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, isDMARC, err := Parse(s)
		if !isDMARC {
			if r != nil || err != nil {
				t.Fatalf("not a record, but %v, %v", r, err)
			}
			return
		}
		if (err == nil) != (r.Policy != PolicyUnset) {
			t.Fatalf("error %v with policy %s", err, r.Policy)
		}
		if len(s) > maxRecord {
			return
		}
		again, isDMARC, _ := Parse(r.String())
		if !isDMARC || !reflect.DeepEqual(again, r) {
			t.Errorf("%q: String gives %q, which reads as\n%+v, want\n%+v", s, r.String(), again, r)
		}
	})
}
