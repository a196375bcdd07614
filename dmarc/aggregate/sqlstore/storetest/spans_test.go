package storetest

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// forged returns a report of a day with one message from each of so many addresses, all new on each day,
// half of them in names below the domain, and with what incoming has.
func forged(id string, day, hosts int) sqlstore.Incoming {
	in := incoming(id, "reporter.example", day)
	for i := range hosts {
		row := aggregate.Row{
			Source: netip.AddrFrom4([4]byte{10, byte(day), byte(i >> 8), byte(i)}), Count: 1, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "one.example",
		}
		if i%2 == 1 {
			row.HeaderFrom = fmt.Sprintf("n%d.one.example", day*1000+i)
		}
		in.Report.Rows = append(in.Report.Rows, row)
	}
	return in
}

// sums returns what flows have by Author Domain: that of the organization, and all below it.
func sums(flows []rollout.Flow) (own, below int64, hosts int) {
	for _, f := range flows {
		if f.HeaderFrom == "one.example" {
			own += f.Messages
		} else {
			below += f.Messages
		}
		hosts += f.Hosts
	}
	return own, below, hosts
}

func TestSmallSendersThatProveNothingAreSummedUpAndNoneIsLost(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		const days, hosts = 180, 80
		for day := range days {
			receive(t, b, forged(fmt.Sprint(day), day, hosts))
		}
		for _, n := range []int{1, 2, 7, 16, 30, 33, 128, 180, 365} {
			period := sqlstore.Last(n, firstDay.AddDate(0, 0, days-1))
			flows, err := b.Flows(t.Context(), "one.example", period)
			if err != nil {
				t.Fatal(err)
			}
			covered := int64(min(n, days))
			own, below, summed := sums(flows)
			if own != covered*(10+hosts/2) || below != covered*(3+hosts/2) {
				t.Errorf("%d days: %d of the domain and %d below it, want %d and %d", n, own, below, covered*(10+hosts/2), covered*(3+hosts/2))
			}
			single := 0
			for _, f := range flows {
				if f.Class == rollout.Unknown && f.Source.IsValid() {
					single++
				}
			}
			if single+summed < int(covered)*hosts || single > n*60+60 {
				t.Errorf("%d days: %d addresses and %d that are summed up, of %d", n, single, summed, int(covered)*hosts)
			}
			if !slices.ContainsFunc(flows, func(f rollout.Flow) bool { return f.Class == rollout.Aligned && f.Messages == 10*covered }) {
				t.Errorf("%d days: %v", n, flows[0])
			}
		}
	})
}

func TestAReportThatComesLateChangesWhatWasSummedUp(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		period := sqlstore.Last(40, firstDay.AddDate(0, 0, 39))
		want := func(messages int64) {
			t.Helper()
			flows, err := b.Flows(t.Context(), "one.example", period)
			own, below, _ := sums(flows)
			if err != nil || own+below != messages {
				t.Errorf("%d messages, want %d; %v", own+below, messages, err)
			}
		}
		if err := b.Prepare(t.Context(), "one.example", period.To); err != nil {
			t.Fatal(err)
		}
		want(0)
		receive(t, b, incoming("a", "reporter.example", 20))
		want(13)
		receive(t, b, forged("b", 20, 100), incoming("c", "", 20))
		want(126)
		receive(t, b, incoming("c", "another.example", 20)) // it is proven now
		want(139)
	})
}

func TestAHostThatIsKnownIsNotSummedUp(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		in := forged("a", 0, 100)
		for i := range in.Report.Rows[2:] {
			in.Report.Rows[2+i].Count = 5
		}
		in.Report.Rows = append(in.Report.Rows, aggregate.Row{ // from the domain's own host
			Source: netip.MustParseAddr("192.0.2.1"), Count: 1, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "one.example"})
		receive(t, b, in)
		flows, err := b.Flows(t.Context(), "one.example", sqlstore.Last(1, firstDay))
		if err != nil || !slices.ContainsFunc(flows, func(f rollout.Flow) bool { return f.Class == rollout.Misaligned && f.Messages == 1 }) {
			t.Errorf("%v %v", flows, err)
		}
	})
}

func TestQuestionsWhileReportsComeInMissNothing(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		receive(t, b, incoming("first", "reporter.example", 3))
		period := sqlstore.Last(30, firstDay.AddDate(0, 0, 29))
		var coming sync.WaitGroup
		coming.Go(func() {
			other := d.inbox(t)
			for n := range 60 {
				if _, err := other.Receive(t.Context(), incoming(fmt.Sprint(n), "reporter.example", 3)); err != nil {
					t.Error(err)
				}
			}
		})
		var last int64
		for last < 61*13 {
			flows, err := b.Flows(t.Context(), "one.example", period)
			own, below, _ := sums(flows)
			if n := own + below; err != nil || n < last || n%13 != 0 {
				t.Errorf("%d messages after %d; %v", n, last, err)
				break
			} else {
				last = n
			}
		}
		coming.Wait()
	})
}
