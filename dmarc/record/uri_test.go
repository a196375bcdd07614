package record_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	. "github.com/mailverdict/mailverdict/dmarc/record"
)

// uri reads one URI that has no comma.
func uri(t *testing.T, text string) URI {
	t.Helper()
	r, _, _ := Parse("v=DMARC1; p=none; rua="+text, RFC9989)
	if len(r.AggregateReports) != 1 {
		t.Fatalf("%q: %d URIs", text, len(r.AggregateReports))
	}
	return r.AggregateReports[0]
}

func TestURIs(t *testing.T) {
	for _, tt := range []struct {
		text, address, size string
		err                 error
	}{
		{"mailto:a@example.com", "a@example.com", "", nil},
		{"MAILTO:a@example.com!10m", "a@example.com", "10m", nil},
		{"mailto:a@example.com!99999999999999999999t", "a@example.com", "99999999999999999999t", nil},
		{"mailto:a@example.com!0", "a@example.com", "0", nil},
		{"mailto:a%2Bb@example.com", "a+b@example.com", "", nil},
		{"mailto:b@inj.example?bcc=x@target.example&subject=y", "b@inj.example", "", nil},
		{"mailto:b@inj.example#x", "b@inj.example", "", nil},
		{"mailto:a%0d%0aRCPT%20TO:%3Cx@target.example%3E@inj.example", "", "", ErrURIAddress},
		{"mailto:a@b@target.example", "", "", ErrURIAddress},
		{"mailto:a%2Cb@d.example", "", "", ErrURIAddress},
		{"mailto:a%7F@d.example", "", "", ErrURIAddress},
		{"mailto:%FF@d.example", "", "", ErrURIAddress},
		{"mailto:a@", "", "", ErrURIAddress},
		{"mailto:@example.com", "", "", ErrURIAddress},
		{"mailto:example.com", "", "", ErrURIAddress},
		{"mailto:", "", "", ErrURIAddress},
		{"mailto://abuse.com", "", "", ErrURIAddress},
		{"mailto:/a@example.com", "", "", ErrURIAddress},
		{"mailto://a@example.com:x", "", "", ErrURISyntax},
		{"https://example.com:x/", "", "", ErrURISyntax},
		{"1a:b@example.com", "", "", ErrURISyntax},
		{"a_b:c", "", "", ErrURISyntax},
		{":b@example.com", "", "", ErrURISyntax},
		{"mailto:a%2@example.com", "", "", ErrURISyntax},
		{"mailto:a%zz@example.com", "", "", ErrURISyntax},
		{"mailto:a@example.com%2", "", "", ErrURISyntax},
		{"mailto:a b@example.com", "", "", ErrURISyntax},
		{"mailto:a@example.com!", "", "", ErrURIBang},
		{"mailto:a@example.com!m", "", "", ErrURIBang},
		{"mailto:a@example.com!10p", "", "", ErrURIBang},
		{"mailto:a@example.com!10mm", "", "", ErrURIBang},
		{"mailto:a!b@example.com!10m", "", "10m", ErrURIBang},
		{"https://example.com/up", "", "", ErrURIScheme},
		{"a+1-.:x", "", "", ErrURIScheme},
		{"zAZa0+9:x", "", "", ErrURIScheme},
		{"mailto:zaZA09%39%5a%Fa@z9.example", "", "", ErrURIAddress},
		{"mailto:zaZA09%39%5a@z9.example", "zaZA099Z@z9.example", "", nil},
		{"!10m", "", "10m", ErrURISyntax},
		{"!a!10m", "", "10m", ErrURIBang},
		{"bogus", "", "", ErrURISyntax},
		{"", "", "", ErrURISyntax},
		{"mailto:a@ex\x00ample.com", "", "", ErrURISyntax},
		{"mailto:a@bücher.example", "", "", ErrURISyntax},
	} {
		u := uri(t, tt.text)
		if u.Address != tt.address || u.Size != tt.size || !errors.Is(u.Err, tt.err) || u.Err != nil && tt.err == nil {
			t.Errorf("%q: address %q, size %q, %v; want %q, %q, %v", tt.text, u.Address, u.Size, u.Err, tt.address, tt.size, tt.err)
		}
		if valid := tt.err != ErrURISyntax && tt.err != ErrURIBang; u.Valid() != valid {
			t.Errorf("%q: valid: %v, want %v", tt.text, u.Valid(), valid)
		}
	}
}

func TestAURIHasItsSchemeInLowerCaseAndNoSize(t *testing.T) {
	if u := uri(t, "MailTo:a@example.com!10M"); u.Scheme != "mailto" || u.Text != "MailTo:a@example.com" || u.String() != u.Text || u.Size != "10M" {
		t.Errorf("%+v", u)
	}
	if u := uri(t, "HTTPS://example.com/"); u.Scheme != "https" {
		t.Errorf("%+v", u)
	}
}

func TestAtMostTenURIsAreUsed(t *testing.T) {
	list := []string{"bogus", "https://example.com/"}
	for i := range 12 {
		list = append(list, fmt.Sprintf("mailto:a%d@example.com", i))
	}
	r, _, _ := Parse("v=DMARC1; p=none; rua="+strings.Join(list, ","), RFC9989)
	if len(r.AggregateReports) != len(list) {
		t.Fatalf("%d URIs, want all of them listed", len(r.AggregateReports))
	}
	for i, u := range r.AggregateReports {
		used := i >= 2 && i < 12
		if (u.Err == nil) != used || i >= 12 && (!errors.Is(u.Err, ErrURILimit) || !u.Valid()) {
			t.Errorf("%s: %v; used should be %v", u, u.Err, used)
		}
	}
}
