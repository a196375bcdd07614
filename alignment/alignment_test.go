package alignment_test

import (
	"fmt"
	"testing"

	"github.com/mailverdict/mailverdict/alignment"
)

func TestAligned(t *testing.T) {
	for _, tt := range []struct {
		name               string
		author, identifier string
		relaxed, strict    bool
	}{
		{"the same name", "example.com", "example.com", true, true},
		{"case does not count", "EXAMPLE.com", "example.COM", true, true},
		{"a trailing dot does not count", "example.com.", "example.com", true, true},
		{"a U-label is its A-label", "bücher.example", "xn--bcher-kva.example", true, true},
		{"a subdomain of the author", "example.com", "mail.example.com", true, false},
		{"a parent of the author", "mail.example.com", "example.com", true, false},
		{"siblings of one organization", "a.example.com", "b.example.com", true, false},
		{"siblings under a public suffix", "victim.co.uk", "attacker.co.uk", false, false},
		{"siblings under a public suffix in upper case", "victim.CO.UK", "attacker.CO.UK", false, false},
		{"customers of a private suffix", "alice.github.io", "mallory.github.io", false, false},
		{"the public suffix itself", "victim.co.uk", "co.uk", false, false},
		{"a suffix without a dot", "victim.example", "notvictim.example", false, false},
		{"one label", "localhost", "localhost", true, true},
		{"two single labels", "corp", "lan", false, false},
		{"empty names", "", "", false, false},
		{"empty labels", "a..example", "a..example", false, false},
		{"an octet that no name has", "a\x00.example", "a\x00.example", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, i := alignment.PublicSuffix{}.Of(tt.author), alignment.PublicSuffix{}.Of(tt.identifier)
			if got := alignment.Relaxed.Aligned(a, i); got != tt.relaxed {
				t.Errorf("relaxed: %v, want %v (%v, %v)", got, tt.relaxed, a, i)
			}
			if got := alignment.Strict.Aligned(a, i); got != tt.strict {
				t.Errorf("strict: %v, want %v (%v, %v)", got, tt.strict, a, i)
			}
		})
	}
}

func TestNamesAreComparedInAnyForm(t *testing.T) {
	for _, tt := range []struct {
		author, identifier alignment.Domain
		relaxed, strict    bool
	}{
		{alignment.Domain{Name: "A.Example.", Organizational: "EXAMPLE"}, alignment.Domain{Name: "a.example", Organizational: "example."}, true, true},
		{alignment.Domain{Name: "a.example", Organizational: "example"}, alignment.Domain{Name: "A.EXAMPLE", Organizational: "Example"}, true, true},
		{alignment.Domain{Name: "a.example", Organizational: "example"}, alignment.Domain{Name: "b.example", Organizational: "example"}, true, false},
		{alignment.Domain{Name: "a.example", Organizational: "a.example"}, alignment.Domain{Name: "a.example"}, false, true},
		{alignment.Domain{}, alignment.Domain{}, false, false},
		{alignment.Domain{Name: "a b", Organizational: "a b"}, alignment.Domain{Name: "a b", Organizational: "a b"}, false, false},
	} {
		if got := alignment.Relaxed.Aligned(tt.author, tt.identifier); got != tt.relaxed {
			t.Errorf("relaxed, %v and %v: %v", tt.author, tt.identifier, got)
		}
		if got := alignment.Strict.Aligned(tt.author, tt.identifier); got != tt.strict {
			t.Errorf("strict, %v and %v: %v", tt.author, tt.identifier, got)
		}
	}
}

func TestSuffix(t *testing.T) {
	for name, want := range map[string]string{
		"a.b.CO.UK.": "co.uk", "co.uk": "co.uk", "alice.github.io": "github.io", "a.bar.foo.ck": "foo.ck", "www.ck": "ck", "corp": "corp", "a b": "", "": "",
	} {
		if got := (alignment.PublicSuffix{}).Suffix(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := (alignment.PublicSuffix{ICANNOnly: true}).Suffix("a.alice.github.io"); got != "io" {
		t.Errorf("without the private section: %q", got)
	}
}

func TestOrganizationalDomain(t *testing.T) {
	for _, tt := range []struct {
		name             string
		domain           string
		whole, icannOnly string
	}{
		{"below a generic suffix", "a.b.example.com", "example.com", "example.com"},
		{"below a suffix of two labels", "a.b.shop.co.uk", "shop.co.uk", "shop.co.uk"},
		{"below a private suffix", "www.alice.github.io", "alice.github.io", "github.io"},
		{"a private suffix itself", "github.io", "github.io", "github.io"},
		{"below a wildcard rule", "a.bar.foo.ck", "bar.foo.ck", "bar.foo.ck"},
		{"an exception to a wildcard", "bar.www.ck", "www.ck", "www.ck"},
		{"an unlisted top level", "mail.corp.internal", "corp.internal", "corp.internal"},
		{"a public suffix", "co.uk", "co.uk", "co.uk"},
		{"one label", "com", "com", "com"},
		{"upper case", "A.SHOP.CO.UK", "shop.co.uk", "shop.co.uk"},
		{"not a name", "a b", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := (alignment.PublicSuffix{}).Of(tt.domain).Organizational; got != tt.whole {
				t.Errorf("whole list: %q, want %q", got, tt.whole)
			}
			if got := (alignment.PublicSuffix{ICANNOnly: true}).Of(tt.domain).Organizational; got != tt.icannOnly {
				t.Errorf("ICANN section: %q, want %q", got, tt.icannOnly)
			}
		})
	}
	if (alignment.PublicSuffix{}).Is("") || (alignment.PublicSuffix{}).Is("a..b") {
		t.Error("what is no name is a public suffix")
	}
	if !(alignment.PublicSuffix{}).Is("CO.UK.") || (alignment.PublicSuffix{}).Is("example.co.uk") {
		t.Error("Is does not know co.uk from example.co.uk")
	}
}

func Example() {
	author := alignment.PublicSuffix{}.Of("news.shop.co.uk")
	signer := alignment.PublicSuffix{}.Of("shop.co.uk")
	stranger := alignment.PublicSuffix{}.Of("stall.co.uk")
	fmt.Println(alignment.Relaxed.Aligned(author, signer))
	fmt.Println(alignment.Strict.Aligned(author, signer))
	fmt.Println(alignment.Relaxed.Aligned(author, stranger))
	// Output:
	// true
	// false
	// false
}
