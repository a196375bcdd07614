package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// checked runs check on a world as of the day after the month.
func (w *world) checked(args ...string) (status int, stdout, stderr string) {
	w.t.Helper()
	return run(w.t, "", append([]string{"check", "-store", w.store, "-zone", w.zone, "-now", day.AddDate(0, 0, 40).Format(time.DateOnly)}, args...)...)
}

// longer fills the store with reports of 40 days, of which the last three are changed.
func (w *world) longer(change func(r *aggregate.Report)) {
	w.t.Helper()
	files := make(map[string]string)
	for n := range 40 {
		r := oneReport(fmt.Sprint("day", n))
		r.Begin, r.End = r.Begin.AddDate(0, 0, n), r.End.AddDate(0, 0, n)
		r.Rows[0].Count = 1000
		if n >= 37 {
			change(r)
		}
		files[fmt.Sprintf("%d.eml", n)] = signed(w.t, mailOf(w.t, r))
	}
	w.run("read", "-quiet", put(w.t, files))
}

func TestCheckIsSilentWhereAllIsAsItWas(t *testing.T) {
	w := newWorld(t)
	w.longer(func(*aggregate.Report) {})
	if status, out, errs := w.checked(); status != exitOK || out+errs != "" {
		t.Errorf("status %d %s%s", status, out, errs)
	}
}

func TestCheckFindsWhatHasChanged(t *testing.T) {
	forged := func(n int64) func(*aggregate.Report) {
		return func(r *aggregate.Report) {
			row := r.Rows[1]
			row.Source, row.Count, row.AuthSPF = netip.MustParseAddr("203.0.113.66"), n, []aggregate.Auth{{Domain: "forger.example", Scope: "mfrom", Result: "pass"}}
			r.Rows = append(r.Rows, row)
		}
	}
	for name, test := range map[string]struct {
		change func(*aggregate.Report)
		want   string // the kind and the source, or nothing
		text   string
	}{
		"a new sender over the threshold":     {forged(60), "new-source forger.example", "forger.example is new (unknown): 120 messages fail in 3 days"},
		"one below it":                        {forged(10), "", ""},
		"a known sender without its key":      {func(r *aggregate.Report) { fail(&r.Rows[0]) }, "not-aligned selector s", "selector s passes no longer: 0 % of 2,000 messages in 3 days, before it was 100 %"},
		"a part of whose mail fails":          {func(r *aggregate.Report) { half := r.Rows[0]; fail(&half); r.Rows = append(r.Rows, half) }, "not-aligned selector s", "50.0 % of 4,000"},
		"a sender that is gone, for a change": {func(r *aggregate.Report) { r.Rows = r.Rows[1:] }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.longer(test.change)
			status, out, errs := w.checked("-json")
			if test.want == "" {
				if status != exitOK || out != "" {
					t.Errorf("status %d %s%s", status, out, errs)
				}
				return
			}
			kind, source, _ := strings.Cut(test.want, " ")
			if status != exitFound || strings.Count(out, "\n") != 1 || !strings.Contains(out, `"kind":"`+kind+`","source":"`+source+`"`) || !strings.Contains(out, test.text) {
				t.Errorf("status %d %s%s", status, out, errs)
			}
		})
	}
}

// fail makes a row one of the same host whose signatures break, and for which SPF does not pass.
func fail(row *aggregate.Row) {
	row.DKIM, row.SPF, row.Disposition = "fail", "fail", "none"
	row.AuthDKIM = []aggregate.Auth{{Domain: "example.com", Selector: "s", Result: "fail"}}
	row.AuthSPF = []aggregate.Auth{{Domain: "example.com", Scope: "mfrom", Result: "softfail"}}
}

func TestCheckFindsThatReportsStopped(t *testing.T) {
	w := newWorld(t)
	w.longer(func(*aggregate.Report) {})
	later := day.AddDate(0, 0, 46).Format(time.DateOnly)
	status, out, _ := run(t, "", "check", "-store", w.store, "-offline", "-now", later)
	if status != exitFound || out != "example.com: no report came about the last 4 days, the last one was about 2026-04-09: are rua and its mailbox as they were?\n" {
		t.Errorf("status %d %s", status, out)
	}
	// It is said for as long as somebody may have missed it.
	status, out, _ = run(t, "", "check", "-store", w.store, "-offline", "-now", day.AddDate(0, 4, 0).Format(time.DateOnly))
	if status != exitFound || !strings.Contains(out, "the last one was about 2026-04-09") {
		t.Errorf("status %d %s", status, out)
	}
	// Another reporter goes on.
	other := oneReport("other")
	other.Begin, other.End = other.Begin.AddDate(0, 0, 45), other.End.AddDate(0, 0, 45)
	w.run("read", "-trusted", "-quiet", put(t, map[string]string{"a.xml": xmlOf(t, other)}))
	status, out, _ = run(t, "", "check", "-store", w.store, "-offline", "-now", later)
	if status != exitFound || !strings.Contains(out, "example.com: reporter.example has not reported about the last 4 days; before, it reported 100 % of the messages\n") {
		t.Errorf("status %d %s", status, out)
	}
}

func TestCheckSaysItOnceAndMailsIt(t *testing.T) {
	w := newWorld(t)
	w.longer(func(r *aggregate.Report) { fail(&r.Rows[0]) })
	server := newMailServer(t)
	args := []string{"-once", "-mail", "postmaster@example.com", "-smtp", server.address}
	if status, out, errs := w.checked(args...); status != exitFound || !strings.HasPrefix(out, "example.com: selector s passes no longer") {
		t.Fatalf("status %d %s%s", status, out, errs)
	}
	mail := <-server.mails
	if !strings.Contains(mail, "RCPT TO:<postmaster@example.com>") || !strings.Contains(mail, "Subject: DMARC reports: example.com: selector s passes") {
		t.Error(mail)
	}
	if status, out, errs := w.checked(args...); status != exitOK || out+errs != "" || len(server.mails) != 0 {
		t.Errorf("status %d %s%s", status, out, errs)
	}
	if status, _, errs := w.checked("-mail", "postmaster@example.com", "-smtp", "127.0.0.1:1"); status != exitUsage || !strings.Contains(errs, "-mail postmaster@example.com") {
		t.Errorf("status %d %s", status, errs)
	}
}
