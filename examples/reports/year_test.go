package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/resolver"
)

// A year is generated reports: so many a day, for a year, about some domains, from some reporters.
// Domains and reporters are skewed as in life: the first domain has a third of the reports, and few
// reporters send most of the messages.
type year struct {
	random             *rand.Rand
	domains, reporters *rand.Zipf
	reports, days      int
	first              time.Time
}

const (
	yearDomains   = 40
	yearReporters = 150
	yearForwards  = 300
)

func newYear() *year {
	random := rand.New(rand.NewPCG(1, 2))
	return &year{
		random: random, domains: rand.NewZipf(random, 1.3, 1, yearDomains-1), reporters: rand.NewZipf(random, 1.1, 2, yearReporters-1),
		reports: 1000, days: 365, first: time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (y *year) last() time.Time { return y.first.AddDate(0, 0, y.days-1) }

func yearDomain(n int) string { return fmt.Sprintf("brand%d.example", n) }

// day returns the reports of a day.
func (y *year) day(n int) []sqlstore.Incoming {
	list := make([]sqlstore.Incoming, 0, y.reports)
	for i := range y.reports {
		list = append(list, y.report(n, i))
	}
	return list
}

func (y *year) report(day, i int) sqlstore.Incoming {
	domain, n := yearDomain(int(y.domains.Uint64())), int(y.reporters.Uint64())
	reporter := fmt.Sprintf("receiver%d.example", n)
	begin := y.first.AddDate(0, 0, day)
	r := &aggregate.Report{
		Org: fmt.Sprintf("Receiver %d", n), Email: "dmarc@" + reporter, ID: fmt.Sprintf("%d.%d", day, i), Begin: begin, End: begin.Add(86399 * time.Second),
		Policy: aggregate.Policy{Domain: domain, P: "none", SP: "none", NP: "none", DKIMAlignment: "r", SPFAlignment: "r"},
	}
	// A large receiver sees many senders, a small one one or two.
	rows := 1 + y.random.IntN(2+60/(n+1))
	for range rows {
		r.Rows = append(r.Rows, y.row(domain, 1000/(n+1)+1))
	}
	in := sqlstore.Incoming{Report: r, Reporter: reporter, Received: begin.AddDate(0, 0, 1)}
	if y.random.IntN(50) == 0 {
		in.Reporter = ""
	}
	return in
}

// row returns a row about a domain: most are of its own hosts and providers, some are forwarded, and
// the forged ones come from ever new addresses.
func (y *year) row(domain string, volume int) aggregate.Row {
	row := aggregate.Row{HeaderFrom: domain, Count: 1 + int64(y.random.ExpFloat64()*float64(volume)/10), Disposition: "pass", DKIM: "pass", SPF: "pass"}
	passes := []aggregate.Auth{{Domain: domain, Selector: "s1", Result: "pass"}}
	switch kind := y.random.IntN(100); {
	case kind < 45: // its own hosts
		row.Source = netip.AddrFrom4([4]byte{192, 0, 2, byte(y.random.IntN(8))})
		row.AuthDKIM, row.AuthSPF = passes, []aggregate.Auth{{Domain: domain, Scope: "mfrom", Result: "pass"}}
	case kind < 65: // a provider that is set up
		row.Source = netip.AddrFrom4([4]byte{198, 51, 100, byte(y.random.IntN(64))})
		row.SPF, row.AuthDKIM = "fail", append(passes, aggregate.Auth{Domain: "amazonses.com", Selector: "x", Result: "pass"})
		row.AuthSPF = []aggregate.Auth{{Domain: "eu-west-1.amazonses.com", Scope: "mfrom", Result: "pass"}}
	case kind < 70: // one that is not
		row.Source = netip.AddrFrom4([4]byte{198, 51, 101, byte(y.random.IntN(30))})
		row.DKIM, row.SPF, row.Disposition = "fail", "fail", "none"
		row.AuthSPF = []aggregate.Auth{{Domain: "em1.sendgrid.net", Scope: "mfrom", Result: "pass"}}
	case kind < 82: // forwarders
		n := y.random.IntN(yearForwards)
		row.Source = netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)})
		row.SPF, row.Count = "fail", 1+row.Count/20
		row.AuthDKIM, row.AuthSPF = passes, []aggregate.Auth{{Domain: fmt.Sprintf("forwarder%d.example", n), Scope: "mfrom", Result: "pass"}}
		if kind == 81 {
			row.DKIM, row.Disposition = "fail", "none"
			row.AuthDKIM = []aggregate.Auth{{Domain: domain, Selector: "s1", Result: "fail"}}
		}
	default: // forged
		n := y.random.Uint32()
		row.Source = netip.AddrFrom4([4]byte{byte(n>>24)&63 + 1, byte(n >> 16), byte(n >> 8), byte(n)})
		row.DKIM, row.SPF, row.Disposition, row.Count = "fail", "fail", "none", 1+row.Count/50
		if y.random.IntN(3) == 0 {
			row.HeaderFrom = fmt.Sprintf("n%d.%s", y.random.IntN(500), domain)
		}
		row.AuthSPF = []aggregate.Auth{{Domain: row.HeaderFrom, Scope: "mfrom", Result: "softfail"}}
	}
	return row
}

// yearStore returns the URL of a store with the reports of a year. It takes some minutes to make; the
// environment variable REPORTS_YEAR names a file that keeps it for the next time.
func yearStore(tb testing.TB, y *year) string {
	file := os.Getenv("REPORTS_YEAR")
	if file == "" {
		file = filepath.Join(tb.TempDir(), "year.db")
	}
	store := "sqlite:" + file
	if _, err := os.Stat(file); err == nil {
		return store
	}
	inbox, done, err := openInbox(tb.Context(), store)
	if err != nil {
		tb.Fatal(err)
	}
	defer done()
	for n := range y.days {
		if _, err := inbox.Receive(tb.Context(), y.day(n)...); err != nil {
			tb.Fatal(err)
		}
	}
	for n := range yearDomains {
		if err := inbox.Prepare(tb.Context(), yearDomain(n), y.last()); err != nil {
			tb.Fatal(err)
		}
	}
	return store
}

// BenchmarkYear says how long pages take on a year of 1,000 reports a day, of the domain that a third of
// them is about, and how large the store is.
func BenchmarkYear(b *testing.B) {
	y := newYear()
	store := yearStore(b, y)
	inbox, done, err := openInbox(b.Context(), store)
	if err != nil {
		b.Fatal(err)
	}
	defer done()
	site := &site{inbox: inbox, resolver: resolver.Zone{}, now: func() time.Time { return y.last().Add(12 * time.Hour) }}
	defer site.background.Wait()
	pages := site.handler()
	for _, path := range []string{
		"/", "/?days=365", "/domain/DOMAIN?days=7", "/domain/DOMAIN", "/domain/DOMAIN?days=90", "/domain/DOMAIN?days=365",
		"/domain/DOMAIN/rollout", "/domain/DOMAIN/rollout?days=365", "/domain/DOMAIN/source?name=SendGrid", "/domain/DOMAIN/source?name=SendGrid&days=365",
	} {
		path = strings.Replace(path, "DOMAIN", yearDomain(0), 1)
		b.Run(strings.ReplaceAll(path[1:], "/", "|"), func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				pages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms")
		})
	}
	if info, err := os.Stat(strings.TrimPrefix(store, "sqlite:")); err == nil {
		b.Logf("the store has %d MB", info.Size()>>20)
	}
}
