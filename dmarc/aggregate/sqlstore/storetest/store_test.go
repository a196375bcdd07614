package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

func TestWhatIsCountedIsInTheStore(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		a := &aggregate.Accumulator{Store: s}
		for i := range 3000 { // more than one statement has rows
			a.Add(result("one.example", i%1200, noon), aggregate.Delivery{})
			if i%1000 == 999 {
				flush(t, a)
			}
		}
		a.Add(result("two.example", 1, noon), aggregate.Delivery{Reasons: []aggregate.Reason{{Type: "other", Comment: "nul \x00 and \xff"}}})
		a.Add(result("one.example", 1, noon.AddDate(0, 0, 1)), aggregate.Delivery{})
		flush(t, a)
		wantSum(t, s, 3002, 1202)
		reports := pending(t, s, firstDay.AddDate(0, 0, 1))
		if len(reports) != 2 {
			t.Fatalf("%d reports of the first day", len(reports))
		}
		for _, r := range reports {
			if r.Address != "agg@"+r.Report.Policy.Domain || !r.Report.Begin.Equal(firstDay) || r.Report.End.Unix() != firstDay.Unix()+86399 ||
				r.Report.Policy.Discovery != "treewalk" || len(r.Report.ID) != 26 {
				t.Errorf("report %+v", r.Report)
			}
			if r.rows[0].Count < r.rows[len(r.rows)-1].Count {
				t.Error("the rows with the most messages are not the first")
			}
			row := r.rows[0]
			if row.Disposition != "pass" || row.DKIM != "pass" || row.HeaderFrom != r.Report.Policy.Domain || row.AuthDKIM[0].Selector != "s1" {
				t.Errorf("row %+v", row)
			}
		}
	})
}

func TestABatchIsAddedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		var batch *aggregate.Batch
		a := &aggregate.Accumulator{Store: s, Flushed: func(b *aggregate.Batch, _ error) { batch = b }}
		for i := range 700 {
			a.Add(result("one.example", i, noon), aggregate.Delivery{})
		}
		flush(t, a)
		other := d.store(t) // another program
		for range 3 {
			if err := s.Add(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if err := other.Add(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
		wantSum(t, s, 700, 700)
	})
}

// Programs that are interrupted in the middle of a flush, and give the batch again.
func TestSumsAreExactWhateverFails(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		const programs, messages = 4, 1500
		var stores []*sqlstore.Store
		for range programs {
			stores = append(stores, d.store(t))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		failed := 0
		for p, s := range stores {
			random := rand.New(rand.NewPCG(1, uint64(p)))
			a := &aggregate.Accumulator{Store: s}
			wg.Go(func() {
				for i := range messages {
					a.Add(result(domainOf(i%3), random.IntN(400), noon), aggregate.Delivery{})
					if i%100 != 99 {
						continue
					}
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(15000))*time.Microsecond)
					if err := a.Flush(ctx); err != nil {
						mu.Lock()
						failed++
						mu.Unlock()
					}
					cancel()
				}
				if err := a.Flush(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if failed == 0 {
			t.Error("no flush failed: this tests nothing")
		}
		got, rows := sum(t, stores[0])
		if got != programs*messages || rows > 1200 {
			t.Errorf("%d messages in %d rows, want %d; %d flushes failed", got, rows, programs*messages, failed)
		}
	})
}

func TestWhatComesAfterTheReportIsClosedIsAnotherReport(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		a := &aggregate.Accumulator{Store: s}
		tomorrow := firstDay.AddDate(0, 0, 1)
		ids := make(map[string]int64)
		for n := range 3 {
			for range n + 1 {
				a.Add(result("one.example", 1, noon), aggregate.Delivery{})
			}
			flush(t, a)
			if err := s.Close(t.Context(), tomorrow, soon); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(t.Context(), tomorrow, soon); err != nil { // changes nothing
				t.Fatal(err)
			}
		}
		for _, r := range pending(t, s, tomorrow) {
			ids[r.Report.ID] = r.messages()
		}
		got := make(map[int64]bool)
		for _, n := range ids {
			got[n] = true
		}
		if len(ids) != 3 || !reflect.DeepEqual(got, map[int64]bool{1: true, 2: true, 3: true}) {
			t.Errorf("reports %v", ids)
		}
	})
}

func TestFlushAndCloseAtTheSameTimeLoseNothing(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s, closer := d.store(t), d.store(t)
		a := &aggregate.Accumulator{Store: s}
		var wg sync.WaitGroup
		done := make(chan struct{})
		wg.Go(func() {
			defer close(done)
			for i := range 60 {
				for k := range 20 {
					a.Add(result("one.example", k, noon), aggregate.Delivery{})
				}
				if err := a.Flush(context.Background()); err != nil {
					t.Errorf("flush %d: %v", i, err)
				}
			}
		})
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if err := closer.Close(context.Background(), firstDay.AddDate(0, 0, 1), soon); err != nil {
						t.Errorf("close: %v", err)
					}
				}
			}
		})
		wg.Wait()
		if messages, _ := sum(t, s); messages != 60*20 {
			t.Errorf("%d messages", messages)
		}
	})
}

func TestTwoDatabasesHaveNoReportIDInCommon(t *testing.T) {
	ids := make(map[string]bool)
	for range 2 {
		s := sqlite(t).store(t)
		a := &aggregate.Accumulator{Store: s}
		a.Add(result("one.example", 1, noon), aggregate.Delivery{})
		flush(t, a)
		ids[pending(t, s, noon.AddDate(0, 0, 1))[0].Report.ID] = true
	}
	if len(ids) != 2 {
		t.Errorf("IDs %v", ids)
	}
}

func TestAReportHasAsManyRowsAsItMay(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		s.MaxRows = 100
		a := &aggregate.Accumulator{Store: s}
		add := func(from, to int) {
			for i := from; i < to; i++ {
				a.Add(result("flood.example", i, noon), aggregate.Delivery{})
			}
			flush(t, a)
		}
		// The same rows over and over are no more rows.
		for range 5 {
			add(0, 60)
		}
		wantSum(t, s, 300, 60)
		add(30, 130) // 40 new ones fit, 30 do not
		wantSum(t, s, 400, 100)
		add(0, 130)
		add(500, 600)
		add(0, 1)
		messages, rows := sum(t, s)
		r := pending(t, s, noon.AddDate(0, 0, 1))[0]
		if messages != 631 || rows != 100 || r.Report.Omitted != 30+30+100 {
			t.Errorf("%d messages in %d rows, %d omitted", messages, rows, r.Report.Omitted)
		}
		a.Add(result("other.example", 1, noon), aggregate.Delivery{})
		flush(t, a)
		wantSum(t, s, 632, 101)
	})
}

func TestTheLastAddressesAndErrorsCount(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		for i, destinations := range [][]string{{"a@example.com"}, {"b@example.com", "c@example.com"}} {
			r := &aggregate.Report{Begin: firstDay, End: firstDay.Add(24*time.Hour - time.Second), Policy: aggregate.Policy{Domain: "example.com", P: "none"},
				Destinations: destinations, Errors: []string{fmt.Sprint("error ", i)}, Omitted: 2,
				Rows: []aggregate.Row{{Count: 1, HeaderFrom: "example.com"}, {Count: 2, HeaderFrom: "example.com"}, {Count: 4, HeaderFrom: "x.example.com"}}}
			if err := s.Add(t.Context(), &aggregate.Batch{ID: fmt.Sprint(i), Reports: []*aggregate.Report{r}}); err != nil {
				t.Fatal(err)
			}
		}
		list := pending(t, s, noon.AddDate(0, 0, 1))
		if len(list) != 2 || list[0].Address != "b@example.com" || list[0].Report.Errors[0] != "error 1" || list[0].Report.Omitted != 4 || list[0].messages() != 14 || len(list[0].rows) != 2 {
			t.Errorf("%+v", list)
		}
	})
}

func TestOpenAgainAndAtTheSameTime(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		db := d.open(t)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if _, err := sqlstore.Open(context.Background(), db, d.dialect); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s := d.store(t)
		a := &aggregate.Accumulator{Store: s}
		a.Add(result("one.example", 1, noon), aggregate.Delivery{})
		flush(t, a)
		wantSum(t, d.store(t), 1, 1)
		if _, err := db.Exec("UPDATE dmarc_meta SET value = '99' WHERE name = 'version'"); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.Open(t.Context(), db, d.dialect); !errors.Is(err, sqlstore.ErrVersion) {
			t.Errorf("a later version: %v", err)
		}
	})
}

func TestADatabaseThatIsGoneIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		db := d.open(t)
		s, err := sqlstore.Open(t.Context(), db, d.dialect)
		if err != nil {
			t.Fatal(err)
		}
		a := &aggregate.Accumulator{Store: s}
		a.Add(result("one.example", 1, noon), aggregate.Delivery{Disposition: dmarc.DispositionNone})
		db.Close()
		if err := a.Flush(t.Context()); err == nil {
			t.Error("no error")
		}
		if _, err := sqlstore.Open(t.Context(), db, d.dialect); err == nil {
			t.Error("opened")
		}
	})
}
