package dmarctest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/spf"
)

// WantVerdict fails the test, with an explanation of what happened, if the verdict of DMARC
// is another one.
func WantVerdict(t testing.TB, r *dmarc.Result, want dmarc.Status) {
	t.Helper()
	check(t, r, "verdict", r.DMARC.Status, want)
}

// WantDisposition fails the test, with an explanation of what happened, if something else is
// recommended.
func WantDisposition(t testing.TB, r *dmarc.Result, want dmarc.Disposition) {
	t.Helper()
	check(t, r, "disposition", r.DMARC.Disposition, want)
}

// WantSPF fails the test, with an explanation of what happened, if the result of SPF for
// MAIL FROM is another one.
func WantSPF(t testing.TB, r *dmarc.Result, want spf.Status) {
	t.Helper()
	check(t, r, "spf", spfStatus(r), want)
}

// WantDKIM fails the test, with an explanation of what happened, if the results of the
// signatures are others: one for each signature, topmost first, and none for a message that
// is not signed.
func WantDKIM(t testing.TB, r *dmarc.Result, want ...dkim.Status) {
	t.Helper()
	got := make([]dkim.Status, 0, len(r.DKIM))
	for _, d := range r.DKIM {
		got = append(got, d.Status)
	}
	check(t, r, "dkim", list(words(got)), list(words(want)))
}

// WantAligned fails the test, with an explanation of what happened, if the ways by which the
// message is aligned with its Author Domain are not exactly these. Given none, nothing is to
// be aligned. It is about identifiers that are authenticated: RFC 9989, section 4.4.
func WantAligned(t testing.TB, r *dmarc.Result, want ...dmarc.Method) {
	t.Helper()
	var got []dmarc.Method
	if r.DMARC.SPFAligned {
		got = append(got, dmarc.MethodSPF)
	}
	if r.DMARC.DKIMAligned {
		got = append(got, dmarc.MethodDKIM)
	}
	want = slices.Clone(want)
	slices.Sort(want)
	check(t, r, "aligned", list(words(got)), list(words(slices.Compact(want))))
}

// check fails the test if got is not want.
func check[T comparable](t testing.TB, r *dmarc.Result, name string, got, want T) {
	t.Helper()
	switch {
	case got == want:
	case explained(t, r):
		t.Errorf("%s: got %v, want %v (explained above)", name, got, want)
	default:
		t.Errorf("%s: got %v, want %v\n%s", name, got, want, explanation(r))
	}
}

// explanations are the results that a test has explained, until it ends.
var explanations sync.Map // of explanationKey

type explanationKey struct {
	test   string
	result *dmarc.Result
}

// explained reports whether the test has explained the result before, and otherwise takes
// note that it does so now.
func explained(t testing.TB, r *dmarc.Result) bool {
	key := explanationKey{t.Name(), r}
	_, before := explanations.LoadOrStore(key, nil)
	if !before {
		t.Cleanup(func() { explanations.Delete(key) })
	}
	return before
}

func words[T fmt.Stringer](values []T) []string {
	list := make([]string, 0, len(values))
	for _, v := range values {
		list = append(list, v.String())
	}
	return list
}

// explanation returns how the verdict came about, for a test log.
func explanation(r *dmarc.Result) string {
	var b strings.Builder
	// A strings.Builder takes everything.
	explain.Explain(r).Text(&b, explain.TextOptions{Width: 100})
	return b.String()
}
