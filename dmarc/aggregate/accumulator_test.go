package aggregate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/spf"
)

// noon is when messages come, as a rule.
var noon = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

// A message is the result of one message, as far as a report shows it.
type message struct {
	from     string // Author Domain; default example.com
	policyOf string // default the Author Domain
	org      string // default the policy domain
	record   string // default p=none with a rua
	ip       string
	spf      spf.Status
	dkim     dkim.Status
	selector string
	time     time.Time
}

func (m message) result(t testing.TB) *dmarc.Result {
	t.Helper()
	set := func(s *string, standard string) {
		if *s == "" {
			*s = standard
		}
	}
	set(&m.from, "example.com")
	set(&m.policyOf, m.from)
	set(&m.org, m.policyOf)
	set(&m.record, "v=DMARC1; p=none; rua=mailto:agg@example.com")
	set(&m.ip, "192.0.2.1")
	set(&m.selector, "s1")
	if m.time.IsZero() {
		m.time = noon
	}
	rec, ok, err := record.Parse(m.record, record.RFC9989)
	if !ok || err != nil {
		t.Fatalf("record %s: %v", m.record, err)
	}
	return &dmarc.Result{
		Envelope: dmarc.Envelope{IP: netip.MustParseAddr(m.ip), MailFrom: "x@bounce.example.net"},
		Time:     m.time,
		SPF:      &spf.Result{Identity: spf.IdentityMailFrom, Status: m.spf, Domain: "bounce.example.net"},
		DKIM:     []*dkim.Result{{Status: m.dkim, Domain: "example.net", Selector: m.selector}},
		DMARC: dmarc.Verdict{
			Status: dmarc.StatusFail, Err: dmarc.ErrNotAligned,
			AuthorDomain: m.from, OrganizationalDomain: m.org, PolicyDomain: m.policyOf, Policy: rec.Policy,
			Discovery: &discovery.Result{
				AuthorDomain: m.from, PolicyDomain: m.policyOf, Source: discovery.SourceAuthor,
				Queries: []*discovery.Query{{Domain: m.policyOf, Record: rec}},
			},
		},
	}
}

// A memory is a Store that adds up, as every one has to.
type memory struct {
	mu      sync.Mutex
	seen    map[string]bool
	rows    map[string]int64 // by report and row
	reports map[string]*aggregate.Report
	lost    int64
	fail    func(*aggregate.Batch) error // before or after it is added
	after   bool
	batches int
}

func (m *memory) Add(ctx context.Context, b *aggregate.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.batches++
	var err error
	if m.fail != nil {
		if err = m.fail(b); err != nil && !m.after {
			return err
		}
	}
	if m.seen == nil {
		m.seen, m.rows, m.reports = map[string]bool{}, map[string]int64{}, map[string]*aggregate.Report{}
	}
	if !m.seen[b.ID] {
		m.seen[b.ID] = true
		m.lost += b.Lost
		for _, r := range b.Reports {
			key := fmt.Sprint(r.Begin.Unix(), " ", r.Policy)
			m.reports[key] = r
			m.rows[key+" omitted"] += r.Omitted
			for _, row := range r.Rows {
				n := row.Count
				row.Count = 0
				text, err := json.Marshal(row)
				if err != nil {
					return err
				}
				m.rows[key+string(text)] += n
			}
		}
	}
	return err
}

// sum returns how many messages the store has, and in how many rows.
func (m *memory) sum() (messages int64, rows int) {
	for key, n := range m.rows {
		messages += n
		if !strings.HasSuffix(key, " omitted") {
			rows++
		}
	}
	return messages, rows
}

func flush(t testing.TB, a *aggregate.Accumulator) {
	t.Helper()
	if err := a.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestMessagesAreCountedByRow(t *testing.T) {
	store := new(memory)
	a := &aggregate.Accumulator{Store: store}
	for range 3 {
		if !a.Add(message{}.result(t), aggregate.Delivery{}) {
			t.Error("not counted")
		}
	}
	flush(t, a)
	var got []*aggregate.Report
	for _, r := range store.reports {
		got = append(got, r)
	}
	want := []*aggregate.Report{{
		RFC9990: true, Version: "1.0",
		Begin: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 1, 1, 23, 59, 59, 0, time.UTC),
		Policy: aggregate.Policy{Domain: "example.com", P: "none", SP: "none", NP: "none", DKIMAlignment: "r", SPFAlignment: "r",
			FailureOptions: "0", Testing: "n", Discovery: "treewalk"},
		Destinations: []string{"agg@example.com"},
		Rows: []aggregate.Row{{
			Source: netip.MustParseAddr("192.0.2.1"), Count: 3, Disposition: "none", DKIM: "fail", SPF: "fail",
			HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net",
			AuthDKIM: []aggregate.Auth{{Domain: "example.net", Selector: "s1", Result: "none"}},
			AuthSPF:  []aggregate.Auth{{Domain: "bounce.example.net", Scope: "mfrom", Result: "none"}},
		}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestWhatDiffersIsARowOfItsOwn(t *testing.T) {
	rejected := aggregate.Delivery{Disposition: dmarc.DispositionReject}
	listed := aggregate.Delivery{Reasons: []aggregate.Reason{{Type: "mailing_list"}}}
	commented := aggregate.Delivery{Reasons: []aggregate.Reason{{Type: "mailing_list", Comment: "users"}}}
	store := new(memory)
	a := &aggregate.Accumulator{Store: store}
	n := 0
	for _, m := range []message{{}, {ip: "192.0.2.2"}, {ip: "2001:db8::1"}, {spf: spf.StatusFail}, {dkim: dkim.StatusFail}, {selector: "s2"},
		{from: "sub.example.com", policyOf: "example.com"}} {
		for _, d := range []aggregate.Delivery{{}, rejected, listed, commented} {
			for range 2 {
				a.Add(m.result(t), d)
				n++
			}
		}
	}
	flush(t, a)
	if messages, rows := store.sum(); messages != int64(n) || rows != n/2 || len(store.reports) != 1 {
		t.Errorf("%d messages in %d rows of %d reports, want %d in %d of 1", messages, rows, len(store.reports), n, n/2)
	}
}

func TestEachPolicyAndDayHasAReport(t *testing.T) {
	store := new(memory)
	a := &aggregate.Accumulator{Store: store}
	last := time.Date(2025, 1, 1, 23, 59, 59, 999_999_999, time.UTC)
	for _, m := range []message{
		{}, {from: "example.org"}, {record: "v=DMARC1; p=reject; rua=mailto:agg@example.com"},
		{time: last}, {time: last.Add(1)}, {time: last.In(time.FixedZone("", 9*60*60))}, {time: time.Unix(-1, 0)},
		{record: "v=DMARC1; p=none; rua=mailto:other@example.com"}, // of the same policy
		{record: "v=DMARC1; p=none; x=y; rua=mailto:agg@example.com"},
	} {
		a.Add(m.result(t), aggregate.Delivery{})
	}
	flush(t, a)
	var got []string
	for _, r := range store.reports {
		got = append(got, fmt.Sprintf("%s %s %s %d %s %q", r.Begin.Format(time.DateTime), r.Policy.Domain, r.Policy.P, r.Messages(), r.Destinations, r.Errors))
	}
	slices.Sort(got)
	want := []string{
		`1969-12-31 00:00:00 example.com none 1 [agg@example.com] []`,
		`2025-01-01 00:00:00 example.com none 5 [agg@example.com] []`,
		`2025-01-01 00:00:00 example.com reject 1 [agg@example.com] []`,
		`2025-01-01 00:00:00 example.org none 1 [agg@example.com] []`,
		`2025-01-02 00:00:00 example.com none 1 [agg@example.com] []`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFaultsOfTheRecordAreInTheReport(t *testing.T) {
	store := new(memory)
	a := &aggregate.Accumulator{Store: store}
	a.Add(message{record: "v=DMARC1; p=none; adkim=x; rua=mailto:agg@example.com"}.result(t), aggregate.Delivery{})
	flush(t, a)
	for _, r := range store.reports {
		if len(r.Errors) != 1 || !strings.Contains(r.Errors[0], "adkim") {
			t.Errorf("errors %q", r.Errors)
		}
	}
}

func TestWhoIsNotCounted(t *testing.T) {
	a := &aggregate.Accumulator{Store: new(memory), Exclude: []string{"Excluded.example", "bücher.example", "DMARC@receiver.example", "abuse@receiver.example", "policy.example"}}
	to := func(addresses ...string) aggregate.Delivery { return aggregate.Delivery{Recipients: addresses} }
	for _, row := range []struct {
		name string
		m    message
		d    aggregate.Delivery
		want bool
	}{
		{"everybody else", message{}, to("jane@receiver.example"), true},
		{"no rua", message{record: "v=DMARC1; p=none"}, aggregate.Delivery{}, false},
		{"refused for now", message{}, aggregate.Delivery{Disposition: dmarc.DispositionTempFail}, false},
		{"a domain", message{from: "excluded.example"}, aggregate.Delivery{}, false},
		{"a name below it", message{from: "a.b.excluded.example"}, aggregate.Delivery{}, false},
		{"a domain in U-labels", message{from: "xn--bcher-kva.example"}, aggregate.Delivery{}, false},
		{"a name that ends alike", message{from: "notexcluded.example"}, aggregate.Delivery{}, true},
		{"a policy domain", message{from: "other.example", policyOf: "policy.example"}, aggregate.Delivery{}, false},
		{"a recipient", message{}, to("dmarc@Receiver.example"), false},
		{"two of them", message{}, to("dmarc@receiver.example", "abuse@receiver.example"), false},
		{"one of two", message{}, to("dmarc@receiver.example", "jane@receiver.example"), true},
	} {
		if got := a.Add(row.m.result(t), row.d); got != row.want {
			t.Errorf("%s: counted is %v", row.name, got)
		}
	}
}

func TestABatchThatFailedIsGivenAgainAndCountedOnce(t *testing.T) {
	broken := errors.New("connection lost")
	for _, after := range []bool{false, true} { // before or after the commit
		store := &memory{after: after, fail: func(*aggregate.Batch) error { return broken }}
		var told []error
		a := &aggregate.Accumulator{Store: store, Flushed: func(_ *aggregate.Batch, err error) { told = append(told, err) }}
		a.Add(message{}.result(t), aggregate.Delivery{})
		if err := a.Flush(context.Background()); err != broken {
			t.Errorf("error %v", err)
		}
		a.Add(message{}.result(t), aggregate.Delivery{})
		if err := a.Flush(context.Background()); err != broken {
			t.Errorf("error %v", err)
		}
		store.fail = nil
		flush(t, a)
		flush(t, a)
		if messages, rows := store.sum(); messages != 2 || rows != 1 {
			t.Errorf("after %v: %d messages in %d rows", after, messages, rows)
		}
		if want := []error{broken, broken, nil, nil}; !slices.Equal(told, want) {
			t.Errorf("told of %v, want %v", told, want)
		}
	}
}

func TestNothingIsCountedTwiceByManyGoroutines(t *testing.T) {
	const goroutines, messages = 8, 400
	store := new(memory)
	n := 0
	store.fail = func(*aggregate.Batch) error {
		if n++; n%3 == 0 {
			return errors.New("now and then")
		}
		return nil
	}
	a := &aggregate.Accumulator{Store: store}
	var results []*dmarc.Result
	for i := range 16 {
		results = append(results, message{ip: fmt.Sprintf("192.0.2.%d", i)}.result(t))
	}
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range messages {
				a.Add(results[(g+i)%len(results)], aggregate.Delivery{})
				if i%50 == g {
					_ = a.Flush(context.Background())
				}
			}
		})
	}
	wg.Wait()
	store.fail = nil
	flush(t, a)
	if got, rows := store.sum(); got != goroutines*messages || rows != len(results) {
		t.Errorf("%d messages in %d rows", got, rows)
	}
}

func TestARowTooManyIsCountedInItsReport(t *testing.T) {
	store := new(memory)
	a := &aggregate.Accumulator{Store: store, MaxRows: 10}
	for i := range 30 {
		if !a.Add(message{from: fmt.Sprintf("host%d.example.com", i%15), policyOf: "example.com"}.result(t), aggregate.Delivery{}) {
			t.Error("not counted")
		}
	}
	flush(t, a)
	if messages, rows := store.sum(); messages != 30 || rows != 10 {
		t.Errorf("%d messages in %d rows", messages, rows)
	}
	for _, r := range store.reports {
		if r.Omitted != 10 {
			t.Errorf("%d omitted", r.Omitted)
		}
	}
	a.Add(message{}.result(t), aggregate.Delivery{})
	flush(t, a)
	if messages, rows := store.sum(); messages != 31 || rows != 11 {
		t.Errorf("after the flush %d messages in %d rows", messages, rows)
	}
}

func TestInventedDomainsDoNotFillTheStore(t *testing.T) {
	store := new(memory)
	a := &aggregate.Accumulator{Store: store, MaxPolicies: 1000}
	counted := 0
	for i := range 50 {
		if a.Add(message{from: fmt.Sprintf("x%d.flood.example", i), org: "flood.example"}.result(t), aggregate.Delivery{}) {
			counted++
		}
		if i%20 == 0 {
			flush(t, a)
		}
	}
	if counted != 10 {
		t.Errorf("%d policies of one organization", counted)
	}
	for i := range 2000 {
		if a.Add(message{from: fmt.Sprintf("flood%d.example", i)}.result(t), aggregate.Delivery{}) {
			counted++
		}
	}
	if counted != 1000 {
		t.Errorf("%d policies in all", counted)
	}
	next := message{from: "new.example", time: noon.AddDate(0, 0, 1)}
	if !a.Add(next.result(t), aggregate.Delivery{}) {
		t.Error("the next day has no room")
	}
	flush(t, a)
	if store.lost != 40+1010 {
		t.Errorf("%d messages are lost", store.lost)
	}
	if messages, _ := store.sum(); messages != 1001 {
		t.Errorf("%d messages", messages)
	}
	// The day after, what was seen in the first is forgotten.
	a.Add(message{from: "new.example", time: noon.AddDate(0, 0, 2)}.result(t), aggregate.Delivery{})
	flush(t, a)
	if !a.Add(message{from: "late.example"}.result(t), aggregate.Delivery{}) {
		t.Error("the first day was not forgotten")
	}
}

func TestRunFlushesOnceAnIntervalAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(memory)
		a := &aggregate.Accumulator{Store: store}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- a.Run(ctx) }()
		want := func(batches int, messages int64) {
			t.Helper()
			synctest.Wait()
			store.mu.Lock()
			defer store.mu.Unlock()
			if got, _ := store.sum(); got != messages || store.batches != batches {
				t.Errorf("%d messages in %d batches, want %d in %d", got, store.batches, messages, batches)
			}
		}
		a.Add(message{}.result(t), aggregate.Delivery{})
		time.Sleep(59 * time.Second)
		want(0, 0)
		time.Sleep(time.Second)
		want(1, 1)
		time.Sleep(time.Hour)
		want(1, 1) // of nothing there is no batch
		a.Add(message{}.result(t), aggregate.Delivery{})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("error %v", err)
		}
		want(2, 2)
	})
}

func TestRunFlushesBeforeThereAreTooManyRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(memory)
		a := &aggregate.Accumulator{Store: store, MaxRows: 80}
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		synctest.Wait()
		for i := range 300 {
			a.Add(message{selector: fmt.Sprint(i)}.result(t), aggregate.Delivery{})
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		for _, r := range store.reports {
			if r.Omitted != 0 {
				t.Errorf("%d messages have no row", r.Omitted)
			}
		}
		if messages, rows := store.sum(); messages != 300 || rows != 300 {
			t.Errorf("%d messages in %d rows", messages, rows)
		}
	})
}

func TestTheLastFlushDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := hanging{}
		a := &aggregate.Accumulator{Store: store}
		a.Add(message{}.result(t), aggregate.Delivery{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		if err := a.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
	})
}

type hanging struct{}

func (hanging) Add(ctx context.Context, _ *aggregate.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestHostileTextIsCountedAndWritten(t *testing.T) {
	store := new(memory)
	a := &aggregate.Accumulator{Store: store}
	for _, selector := range []string{"a</selector><result>pass</result>", "\x00\xff\ufffe", strings.Repeat("y", 5000)} {
		a.Add(message{selector: selector}.result(t), aggregate.Delivery{Reasons: []aggregate.Reason{{Type: "<x>", Comment: "]]>\x01"}}})
	}
	flush(t, a)
	for _, r := range store.reports {
		r.Org, r.Email, r.ID = "o", "e@o.example", "i"
		back := read(t, written(t, r))
		if back.Messages() != 3 || hasProblem(back, aggregate.ProblemMarkup, aggregate.ProblemOctets) {
			t.Errorf("%v: %v", back, back.Problems)
		}
		for _, row := range back.Rows {
			if row.AuthDKIM[0].Result != "none" || len(row.AuthDKIM[0].Selector) > 1000 {
				t.Errorf("row %+v", row)
			}
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	a := &aggregate.Accumulator{Store: new(memory), MaxRows: -1}
	var results []*dmarc.Result
	for i := range 1024 {
		results = append(results, message{ip: fmt.Sprintf("10.0.%d.%d", i>>8, i&255)}.result(b))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		a.Add(results[i&1023], aggregate.Delivery{})
		i++
	}
}

// BenchmarkNewRow says what a row takes, in octets of memory.
func BenchmarkNewRow(b *testing.B) {
	a := &aggregate.Accumulator{Store: new(memory), MaxRows: -1}
	r := message{}.result(b)
	r.DKIM = append(r.DKIM, r.DKIM[0])
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for i := range b.N {
		r.Envelope.IP = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		a.Add(r, aggregate.Delivery{})
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "octets/row")
	runtime.KeepAlive(a)
}
