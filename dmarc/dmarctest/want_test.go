package dmarctest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// failed is a result of a message that SPF passed and one of two signatures too, neither of
// which is aligned.
func failed() *dmarc.Result {
	return &dmarc.Result{
		SPF:  &spf.Result{Status: spf.StatusPass, Domain: "provider.example"},
		HELO: &spf.Result{Identity: spf.IdentityHELO},
		DKIM: []*dkim.Result{{Status: dkim.StatusPass, Domain: "provider.example"}, {Status: dkim.StatusFail, Domain: "example.com"}},
		DMARC: dmarc.Verdict{
			Status: dmarc.StatusFail, Disposition: dmarc.DispositionReject, AuthorDomain: "example.com", Err: dmarc.ErrNotAligned,
		},
	}
}

func TestAMismatchShowsWhatThereIsBesideWhatWasExpected(t *testing.T) {
	rows := Want{Verdict: "pass", Disposition: "reject", SPF: "pass", DKIM: []string{}}.compare(failed())
	const want = `                 got              want
    verdict      fail             pass             <--
    disposition  reject           reject
    spf          pass             pass
    dkim         pass fail        (none)           <--
`
	if got := table(rows); got != want || !differ(rows) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestAResultMeetsItsOwnExpectation(t *testing.T) {
	for _, r := range []*dmarc.Result{failed(), {}} {
		w := wantOf(r)
		text, err := json.Marshal(map[string]Want{"want": w})
		if err != nil {
			t.Fatal(err)
		}
		if err := new(Fixture).readSidecar(text); err != nil {
			t.Error(err)
		}
		if rows := w.compare(r); len(rows) != 4 || differ(rows) {
			t.Errorf("%v", rows)
		}
	}
}

func TestWhatIsNotExpectedIsNotLookedAt(t *testing.T) {
	if rows := (Want{Disposition: "reject"}).compare(failed()); len(rows) != 1 || differ(rows) {
		t.Errorf("%v", rows)
	}
}

func TestChecksThatHoldSayNothing(t *testing.T) {
	r := failed()
	WantVerdict(t, r, dmarc.StatusFail)
	WantDisposition(t, r, dmarc.DispositionReject)
	WantSPF(t, r, spf.StatusPass)
	WantDKIM(t, r, dkim.StatusPass, dkim.StatusFail)
	WantAligned(t, r)
	r.DMARC.SPFAligned, r.DMARC.DKIMAligned = true, true
	WantAligned(t, r, dmarc.MethodDKIM, dmarc.MethodSPF)
	r.DKIM = nil
	WantDKIM(t, r)
}

func TestChecksThatFailExplainTheVerdict(t *testing.T) {
	r := failed()
	for _, tt := range []struct {
		name string
		test func(t testing.TB)
		want string
	}{
		{"verdict", func(t testing.TB) { WantVerdict(t, r, dmarc.StatusPass) }, "verdict: got fail, want pass\n"},
		{"disposition", func(t testing.TB) { WantDisposition(t, r, dmarc.DispositionNone) }, "disposition: got reject, want none\n"},
		{"spf", func(t testing.TB) { WantSPF(t, r, spf.StatusSoftFail) }, "spf: got pass, want softfail\n"},
		{"one signature too few", func(t testing.TB) { WantDKIM(t, r, dkim.StatusPass) }, "dkim: got pass fail, want pass\n"},
		{"signatures in another order", func(t testing.TB) { WantDKIM(t, r, dkim.StatusFail, dkim.StatusPass) }, "dkim: got pass fail, want fail pass\n"},
		{"no signatures", func(t testing.TB) { WantDKIM(t, r) }, "dkim: got pass fail, want (none)\n"},
		{"alignment", func(t testing.TB) { WantAligned(t, r, dmarc.MethodDKIM, dmarc.MethodSPF) }, "aligned: got (none), want spf dkim\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantText(t, failure(t, tt.test), tt.want, "example.com")
		})
	}
}

func TestSeveralChecksThatFailExplainAResultOnce(t *testing.T) {
	r, other := failed(), failed()
	checks := func(t testing.TB) {
		WantVerdict(t, r, dmarc.StatusPass)
		WantSPF(t, r, spf.StatusFail)
		WantVerdict(t, other, dmarc.StatusPass)
	}
	for _, name := range []string{"once", "in another test again"} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, checks)
			wantText(t, got, "verdict: got fail, want pass\n", "spf: got pass, want fail (explained above)\n")
			if n := strings.Count(got, explanation(r)); n != 2 {
				t.Errorf("%d explanations, want one of each result:\n%s", n, got)
			}
		})
	}
	explanations.Range(func(key, _ any) bool {
		t.Errorf("%v is kept after its test", key)
		return true
	})
}
