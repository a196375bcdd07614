package dmarctest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// Plant lets the questions for a name go wrong in a zone, whether or not the name exists
// there. A name that did not exist still does not: for the types that the fault is not for, a
// wildcard answers or nobody, as before.
//
//	dmarctest.Plant(t, zone, "_dmarc.example.com", resolver.Fault{Err: resolver.ErrTimeout})
//	dmarctest.Plant(t, zone, "example.com TXT", resolver.Fault{Delay: 3 * time.Second})
//
// A question is a name, for which every question goes wrong, or a name and one of the types
// A, AAAA, MX, PTR and TXT.
func Plant(t testing.TB, zone resolver.Zone, question string, f resolver.Fault) {
	t.Helper()
	if err := plant(zone, question, f); err != nil {
		t.Fatalf("planting a fault at %q: %v", question, err)
	}
}

func plant(zone resolver.Zone, question string, f resolver.Fault) error {
	text, kind, one := strings.Cut(question, " ")
	name, err := domain.Canonical(text)
	if err != nil {
		return err
	}
	records, known := zone[name]
	records.Absent = records.Absent || !known
	if !one {
		records.Fault = f
		zone[name] = records
		return nil
	}
	qtype, ok := questionType(kind)
	if !ok {
		return fmt.Errorf("%q is none of the types A, AAAA, MX, PTR and TXT", kind)
	}
	// Copied, since a zone may share it with the one that it was cloned from.
	faults := maps.Clone(records.Faults)
	if faults == nil {
		faults = map[resolver.Type]resolver.Fault{}
	}
	faults[qtype] = f
	records.Faults = faults
	zone[name] = records
	return nil
}

func questionType(word string) (resolver.Type, bool) {
	for _, t := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA, resolver.TypeMX, resolver.TypePTR, resolver.TypeTXT} {
		if strings.EqualFold(word, t.String()) {
			return t, true
		}
	}
	return 0, false
}

// faultWords are what a sidecar calls the errors of package resolver.
func faultWords() map[string]error {
	return map[string]error{
		"nxdomain":    resolver.ErrNXDomain,
		"nodata":      resolver.ErrNoData,
		"servfail":    resolver.ErrServFail,
		"refused":     resolver.ErrRefused,
		"formerr":     resolver.ErrFormat,
		"timeout":     resolver.ErrTimeout,
		"unreachable": resolver.ErrUnreachable,
		"malformed":   resolver.ErrMalformed,
	}
}

// parseFault reads a fault of a sidecar: an error, a delay, or both, as in "servfail", "3s"
// and "3s timeout".
func parseFault(s string) (resolver.Fault, error) {
	var f resolver.Fault
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > 2 {
		return f, fmt.Errorf("%q is not a fault such as \"servfail\", \"3s\" or \"3s timeout\"", s)
	}
	if delay, err := time.ParseDuration(words[0]); err == nil && delay > 0 {
		f.Delay = delay
		words = words[1:]
	}
	if len(words) == 0 {
		return f, nil
	}
	err, ok := faultWords()[words[0]]
	if !ok || len(words) > 1 {
		return f, fmt.Errorf("%q is not a fault such as \"servfail\", \"3s\" or \"3s timeout\"", s)
	}
	f.Err = err
	return f, nil
}

// Slow returns a resolver that lets delay pass before every question to r, of an existing
// name or not: a server far away. Within testing/synctest that takes no time, and counting
// it tells how many questions were waited for one after the other.
func Slow(r resolver.Resolver, delay time.Duration) resolver.Resolver {
	return slow{r, delay}
}

type slow struct {
	resolver resolver.Resolver
	delay    time.Duration
}

func (s slow) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done(): // which the resolver will say in its own terms
	}
	return s.resolver.Resolve(ctx, q)
}
