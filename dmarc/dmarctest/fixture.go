package dmarctest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Fixture is a message with the world around it: who delivered it, what DNS says, what
// time it is. It is written in a test, or read from files by [Read] and [Load].
type Fixture struct {
	Name     string         // of the files, without .eml; may be empty for one that is written in a test
	Message  []byte         // lines end in CRLF, or all of them in LF
	Envelope dmarc.Envelope // the zero Envelope has no client address: SPF is none
	Zone     resolver.Zone  // all of DNS; names in lower case, without a final dot
	Now      time.Time      // the clock; the zero time means time.Now

	// Configure, where it is not nil, changes the Verifier before it is used. What it is
	// given is the recommended configuration with the Resolver and the clock of the
	// fixture, SPF traced for explanations, and a Draw that puts every message into the
	// sample of pct.
	Configure func(*dmarc.Verifier)

	// Want is what Check expects.
	Want Want

	sidecar string // file that Want was read from
	broken  error  // why the fixture could not be read
}

// Verify verifies the message and returns the result. It fails the test where there is none.
func (f *Fixture) Verify(t testing.TB) *dmarc.Result {
	t.Helper()
	if f.broken != nil {
		t.Fatal(f.broken)
	}
	if err := checkNames(f.Zone); err != nil {
		t.Fatal(err)
	}
	v := &dmarc.Verifier{Resolver: f.Zone, Draw: func() float64 { return 0 }}
	v.SPF.Trace = true
	if !f.Now.IsZero() {
		v.Now = func() time.Time { return f.Now }
	}
	if f.Configure != nil {
		f.Configure(v)
	}
	r, err := v.Verify(t.Context(), f.Envelope, bytes.NewReader(f.Message))
	if err != nil {
		t.Fatalf("verifying %s: %v", or(f.Name, "the message"), err)
	}
	return r
}

// checkNames returns an error for a name in a zone that no question can have.
func checkNames(zone resolver.Zone) error {
	for name := range zone {
		if want := strings.TrimSuffix(domain.ToLower(name), "."); name != want {
			return fmt.Errorf("the name %q in the zone can never match: write %q", name, want)
		}
	}
	return nil
}

// Check verifies the message, and fails the test with an explanation where the result is
// not what Want says, or where Want says nothing. Where the package comment says so, it
// writes what it found into the fixture's file instead.
func (f *Fixture) Check(t testing.TB) *dmarc.Result {
	t.Helper()
	r := f.Verify(t)
	rows := f.Want.compare(r)
	switch {
	case len(rows) > 0 && !differ(rows):
	case f.sidecar != "" && updating():
		if err := update(f.sidecar, wantOf(r)); err != nil {
			t.Fatal(err)
		}
	case len(rows) == 0:
		t.Errorf("%s expects nothing. To expect what there is:\n  \"want\": %s\n\n%s", f.origin(), wantOf(r).text(), explanation(r))
	default:
		t.Errorf("%s expects something else:\n%s\n%s", f.origin(), table(rows), explanation(r))
	}
	return r
}

// origin says where the expectations stand.
func (f *Fixture) origin() string { return or(f.sidecar, or(f.Name, "the fixture")) }

// Run checks every NAME.eml in dir as a parallel subtest called NAME: see [Load] for the
// files, and [Fixture.Check].
//
// Each subtest is a bubble of testing/synctest: answers that are seconds away, and limits
// of time, take no time at all, and a goroutine that stays behind fails the test.
func Run(t *testing.T, dir string) {
	t.Helper()
	for _, f := range Load(t, dir) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			if f.Now.IsZero() {
				f.Now = time.Now() // in a bubble it is the year 2000
			}
			synctest.Test(t, func(t *testing.T) { f.Check(t) })
		})
	}
}
