package storetest

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/resolver"
)

var tomorrow = firstDay.AddDate(0, 0, 1)

// queued returns a store with a report of each of n domains that is queued.
func queued(t *testing.T, d *database, n int, due func(*send.Task) time.Time) *sqlstore.Store {
	t.Helper()
	s := d.store(t)
	a := &aggregate.Accumulator{Store: s}
	for i := range n {
		for range i + 1 {
			a.Add(result(domainOf(i), 1, noon), aggregate.Delivery{})
		}
	}
	flush(t, a)
	if err := s.Close(t.Context(), tomorrow, due); err != nil {
		t.Fatal(err)
	}
	return s
}

func claim(t *testing.T, s *sqlstore.Store, now time.Time) *send.Task {
	t.Helper()
	task, err := s.Claim(t.Context(), now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestAPeriodIsClosedAfterItsEnd(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		a := &aggregate.Accumulator{Store: s}
		a.Add(result("one.example", 1, noon), aggregate.Delivery{})
		a.Add(result("one.example", 1, noon.AddDate(0, 0, 1)), aggregate.Delivery{})
		flush(t, a)
		for _, step := range []struct {
			ended time.Time
			want  int
		}{{firstDay.Add(86399 * time.Second), 0}, {tomorrow, 1}, {tomorrow.Add(86398 * time.Second), 1}, {tomorrow.AddDate(0, 0, 1), 2}} {
			if err := s.Close(t.Context(), step.ended, soon); err != nil {
				t.Fatal(err)
			}
			if n := len(pending(t, s, time.Time{})); n != step.want {
				t.Errorf("before %s: %d deliveries, want %d", step.ended, n, step.want)
			}
		}
	})
}

func TestADeliveryIsClaimedByOne(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		const n = 30
		s := queued(t, d, n, soon)
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := make(map[string]int)
		for range 4 {
			other := d.store(t)
			wg.Go(func() {
				for {
					task, err := other.Claim(context.Background(), noon, time.Hour)
					if err != nil {
						t.Error(err)
					}
					if task == nil {
						return
					}
					mu.Lock()
					seen[task.ID]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s was claimed %d times", id, times)
			}
		}
		if len(seen) != n {
			t.Errorf("%d deliveries were claimed", len(seen))
		}
		if task := claim(t, s, noon.Add(time.Hour)); task == nil || task.Attempts != 2 || !task.First.Equal(noon) {
			t.Errorf("after the lease %+v", task)
		}
	})
}

func TestDeliveriesComeInTheOrderOfTheirTimes(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := queued(t, d, 3, func(t *send.Task) time.Time {
			return noon.Add(time.Duration(3-int(t.Report.Policy.Domain[1]-'0')) * time.Minute)
		})
		if task := claim(t, s, noon); task != nil {
			t.Errorf("%v is due too early", task)
		}
		var got []string
		for range 4 {
			if task := claim(t, s, noon.Add(3*time.Minute)); task != nil {
				got = append(got, task.Report.Policy.Domain)
			}
		}
		if text := strings.Join(got, " "); text != "d2.example d1.example d0.example" {
			t.Errorf("order %s", text)
		}
	})
}

func TestWhatBecameOfADelivery(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := queued(t, d, 1, soon)
		task := claim(t, s, noon)
		task.Due, task.Reason = noon.Add(5*time.Minute), "later"
		if err := s.Settle(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if claim(t, s, noon.Add(4*time.Minute)) != nil {
			t.Error("claimed before it is due")
		}
		task = claim(t, s, noon.Add(5*time.Minute))
		if task == nil || task.Attempts != 2 || task.Reason != "later" || task.State != send.StateWaiting {
			t.Fatalf("%+v", task)
		}
		task.State = send.StateSent
		if err := s.Settle(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if claim(t, s, noon.AddDate(1, 0, 0)) != nil || len(pending(t, s, noon)) != 0 {
			t.Error("it is sent, and waits")
		}
	})
}

func TestBouncesAreCountedByAddress(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		// Of each of five days a report to the same address.
		a := &aggregate.Accumulator{Store: s}
		for day := range 5 {
			a.Add(result("one.example", 1, noon.AddDate(0, 0, day)), aggregate.Delivery{})
		}
		flush(t, a)
		if err := s.Close(t.Context(), firstDay.AddDate(0, 1, 0), soon); err != nil {
			t.Fatal(err)
		}
		bounces := func() (n int) {
			task := claim(t, s, noon)
			n = task.Bounces
			if n > 0 && task.LastBounce.IsZero() {
				t.Error("nobody knows when it bounced")
			}
			task.State = send.StateSent
			if err := s.Settle(t.Context(), task); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := bounces(); n != 0 {
			t.Errorf("%d bounces of none", n)
		}
		refused := claim(t, s, noon)
		refused.State = send.StateBounced
		if err := s.Settle(t.Context(), refused); err != nil {
			t.Fatal(err)
		}
		sent := claim(t, s, noon)
		sent.State = send.StateSent
		if err := s.Settle(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		for _, id := range []string{sent.ID, sent.ID, "unknown", refused.ID} {
			if err := s.Bounce(t.Context(), id, now); err != nil {
				t.Fatal(err)
			}
		}
		if n := bounces(); n != 2 {
			t.Errorf("%d bounces, want 2", n)
		}
		task := claim(t, s, noon)
		if err := s.Bounce(t.Context(), task.ID, now.AddDate(0, 0, 31)); err != nil {
			t.Fatal(err)
		}
		a.Add(result("one.example", 1, noon.AddDate(0, 0, 9)), aggregate.Delivery{})
		flush(t, a)
		if err := s.Close(t.Context(), firstDay.AddDate(0, 1, 0), soon); err != nil {
			t.Fatal(err)
		}
		if n := bounces(); n != 1 {
			t.Errorf("%d bounces a month later, want 1", n)
		}
	})
}

func TestOldReportsAreForgotten(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		var batch *aggregate.Batch
		a := &aggregate.Accumulator{Store: s, Flushed: func(b *aggregate.Batch, _ error) { batch = b }}
		a.Add(result("one.example", 1, noon), aggregate.Delivery{})
		a.Add(result("one.example", 1, noon.AddDate(0, 0, 3)), aggregate.Delivery{})
		flush(t, a)
		if err := s.Close(t.Context(), tomorrow, soon); err != nil {
			t.Fatal(err)
		}
		if err := s.Prune(t.Context(), tomorrow); err != nil {
			t.Fatal(err)
		}
		wantSum(t, s, 1, 1)
		if claim(t, s, noon.AddDate(1, 0, 0)) != nil {
			t.Error("a delivery without a report")
		}
		if err := s.Add(t.Context(), batch); err != nil { // its ID is younger
			t.Fatal(err)
		}
		wantSum(t, s, 1, 1)
		db := d.open(t)
		if err := s.Prune(t.Context(), time.Now().AddDate(1, 0, 0)); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"dmarc_report", "dmarc_row", "dmarc_delivery", "dmarc_flush"} {
			var n int
			if err := db.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows, error %v", table, n, err)
			}
		}
	})
}

// relay keeps the mails that it takes.
type relay struct{ mails []string }

func (r *relay) Mail(_ context.Context, _ string, _ []string, message []byte) error {
	r.mails = append(r.mails, string(message))
	return nil
}

// What was counted is what the owner of the domain reads.
func TestFromTheMessageToTheReport(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		a := &aggregate.Accumulator{Store: s}
		want := make(map[string]int64)
		for i := range 500 {
			name := domainOf(i % 7)
			a.Add(result(name, i%23, time.Now().AddDate(0, 0, -1)), aggregate.Delivery{})
			want[name]++
		}
		flush(t, a)
		key := ed25519.NewKeyFromSeed(make([]byte, 32))
		out := new(relay)
		sender := send.Sender{
			Queue: s, Mailer: out, Submitter: "receiver.example", From: "dmarc@receiver.example", Bounces: "b@receiver.example",
			Key: key, Selector: "s1", After: time.Nanosecond, Spread: time.Nanosecond,
			Resolver: resolver.Zone{
				"s1._domainkey.receiver.example": {TXT: []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))}},
				"_dmarc.receiver.example":        {TXT: []string{"v=DMARC1; p=reject"}},
			},
			Attempted: func(task *send.Task) { t.Log(task) },
		}
		if n, err := sender.Send(t.Context()); err != nil || n != 7 {
			t.Fatalf("%d mails, error %v", n, err)
		}
		got := make(map[string]int64)
		for _, mail := range out.mails {
			reports, err := new(aggregate.Reader).Read(strings.NewReader(mail))
			if err != nil || len(reports) != 1 || len(reports[0].Problems) > 0 {
				t.Fatalf("%v, error %v", reports, err)
			}
			got[reports[0].Policy.Domain] += reports[0].Messages()
		}
		for name, n := range want {
			if got[name] != n {
				t.Errorf("%s: %d messages, want %d", name, got[name], n)
			}
		}
	})
}
