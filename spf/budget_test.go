package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A meter counts questions, and answers after 20 ms, so that questions are also asked ahead.
type meter struct {
	resolver.Resolver
	mu    sync.Mutex
	asked int
}

func (m *meter) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	m.mu.Lock()
	m.asked++
	m.mu.Unlock()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
	}
	return m.Resolver.Resolve(ctx, q)
}

// Whatever a client says and a domain publishes, a check takes a bounded number of questions
// and a bounded amount of memory, which is not that of what was said.
func TestWhatACheckMayCost(t *testing.T) {
	const many = 1 << 20
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprintf("p%d.example.com", i)
	}
	domain := func(record string, more ...string) resolver.Zone {
		zone := resolver.Zone{"example.com": {TXT: []string{record}}, "*.example.com": {A: []string{"198.51.100.1"}}}
		for i := 0; i < len(more); i += 2 {
			zone[more[i]] = resolver.Records{TXT: []string{more[i+1]}}
		}
		zone["5.113.0.203.in-addr.arpa"] = resolver.Records{PTR: names}
		return zone
	}
	for _, tt := range []struct {
		name      string
		zone      resolver.Zone
		mailFrom  string
		questions int
		kilobytes uint64
		want      spf.Status
		err       error
	}{
		{"a local-part of 1 MB, 1900 times in a name", domain("v=spf1 exists:" + strings.Repeat("%{l}", 1900) + ".example.com -all"),
			strings.Repeat("a", many) + "@example.com", 2, 150, spf.StatusFail, nil},
		{"a local-part of 1 MB of dots, turned around", domain("v=spf1 exists:%{lr}.example.com exists:%{l1r-}.example.com -all"),
			strings.Repeat("a.", many/2) + "@example.com", 4, 1500, spf.StatusFail, nil},
		{"a local-part of 1 MB in the explanation", domain("v=spf1 -all exp=e.example.com", "e.example.com", strings.Repeat("%{s} ", 12_000)),
			strings.Repeat("a", many) + "@example.com", 2, 150, spf.StatusFail, nil},
		{"an explanation of 60 KB that asks for names", domain("v=spf1 -all exp=e.example.com", "e.example.com", strings.Repeat("%{p} ", 12_000)),
			"a@example.com", 2 + 11, 500, spf.StatusFail, nil},
		{"1 MB of at-signs", domain("v=spf1 -all"), strings.Repeat("@", many) + "example.com", 1, 50, spf.StatusFail, nil},
		{"1 MB of quotes", domain("v=spf1 -all"), strings.Repeat(`"`, many) + "@example.com", 1, 50, spf.StatusFail, nil},
		{"1 MB without an at-sign", domain("v=spf1 -all"), strings.Repeat("a", many), 0, 50, spf.StatusNone, spf.ErrNoDomain},
		{"1 MB of domain", domain("v=spf1 -all"), "a@" + strings.Repeat("a.", many/2) + "example.com", 0, 50, spf.StatusNone, spf.ErrBadDomain},
		{"1 MB of domain that is not ASCII", domain("v=spf1 -all"), "a@" + strings.Repeat("\u4e00\u4e8c", many/6) + ".com", 0, 50, spf.StatusNone, spf.ErrBadDomain},
		{"1 MB of route", domain("v=spf1 -all"), "@" + strings.Repeat("a,@", many/3) + "a:b@example.com", 1, 50, spf.StatusFail, nil},
		{"5000 names of an address, by ptr and %{p}", domain("v=spf1 exists:%{p}.x.example.org ptr:example.org -all"), "a@example.com", 2 + 10 + 1, 300, spf.StatusFail, nil},
		{"a record of 64 KB", domain("v=spf1 " + strings.Repeat("a ", 32<<10)), "a@example.com", 1, 100, spf.StatusPermError, spf.ErrRecordLimit},
		{"8 KB of spaces", domain("v=spf1" + strings.Repeat(" ", 8000) + "-all"), "a@example.com", 1, 50, spf.StatusFail, nil},
		{"501 terms", domain("v=spf1" + strings.Repeat(" a", 501)), "a@example.com", 1, 200, spf.StatusPermError, spf.ErrRecordLimit},
		{"8 KB of one broken term", domain("v=spf1 exists:" + strings.Repeat("%{", 4000)), "a@example.com", 1, 200, spf.StatusPermError, spf.ErrSyntax},
		{"500 records", resolver.Zone{"example.com": {TXT: strings.Split(strings.Repeat("v=spf1 -all,", 500), ",")}}, "a@example.com", 1, 200, spf.StatusPermError, spf.ErrMultipleRecords},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &meter{Resolver: tt.zone}
			s := spf.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: "mail.example.org", MailFrom: tt.mailFrom}
			var before, after runtime.MemStats
			var r *spf.Result
			runtime.ReadMemStats(&before)
			synctest.Test(t, func(t *testing.T) { r = (&spf.Checker{Resolver: m}).Check(t.Context(), s) })
			runtime.ReadMemStats(&after)
			octets := (after.TotalAlloc - before.TotalAlloc) >> 10
			t.Logf("%s, %d questions, %d KB", r.Status, m.asked, octets)
			if r.Status != tt.want || !errors.Is(r.Err, tt.err) {
				t.Errorf("%s (%v), want %s (%v)", r.Status, r.Err, tt.want, tt.err)
			}
			if m.asked > tt.questions {
				t.Errorf("%d questions, want at most %d", m.asked, tt.questions)
			}
			if octets > tt.kilobytes {
				t.Errorf("%d KB of memory, want at most %d", octets, tt.kilobytes)
			}
		})
	}
}

// A panicker panics at its n-th question.
type panicker struct {
	resolver.Resolver
	mu sync.Mutex
	n  int
}

func (p *panicker) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	p.mu.Lock()
	p.n--
	now := p.n == 0
	p.mu.Unlock()
	if now {
		panic("defect")
	}
	time.Sleep(20 * time.Millisecond) // of the bubble
	return p.Resolver.Resolve(ctx, q)
}

func TestAResolverThatPanicsAtAnyQuestionIsATempError(t *testing.T) {
	zone := resolver.Zone{
		"example.com":   {TXT: []string{"v=spf1 include:a.example.com mx ptr exists:%{i}.example.com -all exp=e.example.com"}, MX: []string{"10 b.example.com", "20 c.example.com"}},
		"a.example.com": {TXT: []string{"v=spf1 a:b.example.com a:c.example.com -all"}},
		"b.example.com": {A: []string{"198.51.100.1"}},
		"c.example.com": {A: []string{"198.51.100.2"}},
		"e.example.com": {TXT: []string{"no"}},
	}
	for _, sequential := range []bool{false, true} {
		for n := 1; ; n++ {
			p := &panicker{Resolver: zone, n: n}
			s := spf.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: "mail.example.com", MailFrom: "a@example.com"}
			var r *spf.Result
			synctest.Test(t, func(t *testing.T) {
				r = (&spf.Checker{Resolver: p, Options: spf.Options{Sequential: sequential}}).Check(t.Context(), s)
			})
			// The last question is that for the explanation; ptr does not mind failures.
			if r.Status != spf.StatusTempError && r.Status != spf.StatusFail {
				t.Errorf("panic at question %d: %s (%v)", n, r.Status, r.Err)
			}
			if r.Status == spf.StatusTempError && !errors.Is(r.Err, resolver.ErrPanic) {
				t.Errorf("panic at question %d: %v, want one that says so", n, r.Err)
			}
			if p.n > 0 {
				break
			}
		}
	}
}
