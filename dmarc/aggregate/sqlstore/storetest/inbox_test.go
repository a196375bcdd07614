package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

func (d *database) inbox(t testing.TB) *sqlstore.Inbox {
	t.Helper()
	b, err := sqlstore.OpenInbox(context.Background(), d.open(t), d.dialect)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// incoming returns a report about one.example of a day, with a row that passes and one that does not.
func incoming(id, reporter string, day int) sqlstore.Incoming {
	begin := firstDay.AddDate(0, 0, day)
	return sqlstore.Incoming{Reporter: reporter, Received: begin.AddDate(0, 0, 1), Report: &aggregate.Report{
		Org: "Reporter", ID: id, Begin: begin, End: begin.Add(86399 * time.Second), Policy: aggregate.Policy{Domain: "one.example", P: "none"},
		Rows: []aggregate.Row{
			{Source: netip.MustParseAddr("192.0.2.1"), Count: 10, Disposition: "pass", DKIM: "pass", SPF: "pass", HeaderFrom: "one.example",
				AuthDKIM: []aggregate.Auth{{Domain: "one.example", Selector: "s1", Result: "pass"}}},
			{Source: netip.MustParseAddr("2001:db8::1"), Count: 3, Disposition: "quarantine", DKIM: "fail", SPF: "fail", HeaderFrom: "a.one.example"},
		},
	}}
}

func receive(t testing.TB, b *sqlstore.Inbox, in ...sqlstore.Incoming) []bool {
	t.Helper()
	added, err := b.Receive(t.Context(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func wantMessages(t *testing.T, b *sqlstore.Inbox, proven, unproven int64) []rollout.Flow {
	t.Helper()
	month := sqlstore.Last(30, firstDay.AddDate(0, 0, 29))
	flows, err := b.Flows(t.Context(), "one.example", month)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, f := range flows {
		n += f.Messages
	}
	totals, err := b.Totals(t.Context(), month)
	if err != nil {
		t.Fatal(err)
	}
	if n != proven || len(totals) != 1 || totals[0].Messages != proven || totals[0].Unproven != unproven {
		t.Errorf("%d messages, totals %+v, want %d and %d", n, totals, proven, unproven)
	}
	return flows
}

func TestAReportThatComesTwiceIsCountedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		if added := receive(t, b, incoming("a", "reporter.example", 0), incoming("a", "reporter.example", 0), incoming("b", "reporter.example", 1)); fmt.Sprint(added) != "[true false true]" {
			t.Error(added)
		}
		if added := receive(t, d.inbox(t), incoming("a", "", 0)); added[0] {
			t.Error("added again, from another program")
		}
		flows := wantMessages(t, b, 26, 0)
		if f := flows[0]; f.Source.String() != "192.0.2.1" || !f.DKIM || !f.SPF || f.Class != rollout.Aligned || f.Name != "selector s1" || f.Messages != 20 ||
			!f.First.Equal(firstDay) || !f.Last.Equal(firstDay.AddDate(0, 0, 1)) {
			t.Errorf("%+v", f)
		}
		if f := flows[1]; f.Source.String() != "2001:db8::1" || f.HeaderFrom != "a.one.example" || f.Class != rollout.Unknown || f.Disposition != "quarantine" {
			t.Errorf("%+v", f)
		}
	})
}

func TestAReportThatProvesNothingIsCountedApartUntilItIsProven(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		forged := incoming("a", "", 0)
		forged.Report.Rows[0].Count = 1000
		forged.Report.Policy.P = "reject"
		receive(t, b, forged)
		wantMessages(t, b, 0, 1003)
		if p, _, err := b.Policy(t.Context(), "one.example"); p.P != "" || err != nil {
			t.Errorf("a forged report tells of %q, %v", p.P, err)
		}
		if added := receive(t, b, incoming("a", "reporter.example", 0)); !added[0] {
			t.Error("the report itself was taken for the forged one")
		}
		wantMessages(t, b, 13, 0)
		reporters, err := b.Reporters(t.Context(), "one.example", sqlstore.Last(1, firstDay))
		if err != nil || len(reporters) != 1 || reporters[0] != (sqlstore.Reporter{Domain: "reporter.example", Org: "Reporter", Reports: 1, Messages: 13}) {
			t.Errorf("%+v %v", reporters, err)
		}
	})
}

func TestDaysAndPolicyOfADomain(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		for day := range 4 {
			in := incoming(fmt.Sprint(day), "reporter.example", day)
			if day > 1 {
				in.Report.Policy.P = "quarantine"
			}
			receive(t, b, in)
		}
		p, since, err := b.Policy(t.Context(), "one.example")
		if err != nil || p.P != "quarantine" || !since.Equal(firstDay.AddDate(0, 0, 2)) {
			t.Errorf("%+v since %v, %v", p, since, err)
		}
		days, err := b.Days(t.Context(), "one.example", sqlstore.Last(3, firstDay.AddDate(0, 0, 3)))
		if err != nil || len(days) != 3 || days[0] != (sqlstore.Day{Day: firstDay.AddDate(0, 0, 1), Passed: 10, Quarantine: 3}) {
			t.Errorf("%+v %v", days, err)
		}
		if p, since, err := b.Policy(t.Context(), "none.example"); p.P != "" || !since.IsZero() || err != nil {
			t.Errorf("%+v %v %v", p, since, err)
		}
	})
}

func TestWhatIsNewSinceTheLastLook(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		receive(t, b, incoming("a", "reporter.example", 0))
		look := firstDay.AddDate(0, 0, 2)
		if last, err := b.Look(t.Context(), "one.example", look); !last.IsZero() || err != nil {
			t.Errorf("looked at %v, %v", last, err)
		}
		in := incoming("b", "reporter.example", 3)
		in.Report.Rows[1].Source = netip.MustParseAddr("192.0.2.77")
		receive(t, b, in)
		last, err := b.Look(t.Context(), "one.example", look.AddDate(0, 0, 5))
		if !last.Equal(look) || err != nil {
			t.Errorf("looked at %v, %v", last, err)
		}
		flows, err := b.Flows(t.Context(), "one.example", sqlstore.Last(30, firstDay.AddDate(0, 0, 20)))
		if err != nil || len(flows) != 3 {
			t.Fatalf("%v %v", flows, err)
		}
		for _, f := range flows {
			if isNew := f.Source.String() == "192.0.2.77"; isNew == f.Seen.Before(last) {
				t.Errorf("%s seen %v", f, f.Seen)
			}
		}
	})
}

func TestAReportMayHoldAnyText(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		in := incoming("nul \x00 and \xff", "reporter.example", 0)
		in.Report.Org, in.Report.Rows[0].HeaderFrom, in.Report.Rows[0].Disposition = "\x00", "\xff\x00", "\x00"
		in.Report.Rows[0].Count, in.Report.Rows[1].Count = 1<<62, 1<<62
		in.Report.Rows[1].Source = netip.Addr{}
		in.Report.Policy.P = "\x00"
		b := d.inbox(t)
		receive(t, b, in)
		in.Reporter, in.Report.ID = "", "b"
		receive(t, b, in)
		wantMessages(t, b, 2<<40, 2<<40)
	})
}

func TestManyProgramsReceiveAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		var programs sync.WaitGroup
		for program := range 4 {
			programs.Go(func() {
				own := d.inbox(t)
				for i := range 10 {
					// Each report comes to two of the programs, in another order.
					n := i
					if program%2 == 1 {
						n = 9 - i
					}
					n += 10 * (program / 2)
					in := []sqlstore.Incoming{incoming(fmt.Sprint(n), "reporter.example", n%5), incoming(fmt.Sprint("x", n), "", n%5)}
					in[1].Report.Policy.Domain = "two.example"
					if program%2 == 1 {
						in[0], in[1] = in[1], in[0]
					}
					if _, err := own.Receive(t.Context(), in...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		programs.Wait()
		flows, err := b.Flows(t.Context(), "one.example", sqlstore.Last(30, firstDay.AddDate(0, 0, 29)))
		var n int64
		for _, f := range flows {
			n += f.Messages
		}
		if err != nil || n != 20*13 {
			t.Errorf("%d messages, %v", n, err)
		}
	})
}

func TestNamesOfHostsAreKeptForATime(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		one, two, three := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("192.0.2.3")
		set := func(names map[netip.Addr]string, at time.Time) {
			t.Helper()
			if err := b.SetHostNames(t.Context(), names, at); err != nil {
				t.Fatal(err)
			}
		}
		set(map[netip.Addr]string{one: "old.example", two: "two.example"}, firstDay)
		set(map[netip.Addr]string{one: "mail.example", three: ""}, firstDay.AddDate(0, 0, 9))
		var many []netip.Addr
		for a := netip.MustParseAddr("10.0.0.0"); len(many) < 1200; a = a.Next() {
			many = append(many, a)
		}
		names, err := b.HostNames(t.Context(), append(many, one, two, three), firstDay.AddDate(0, 0, 1))
		if err != nil || fmt.Sprint(names) != "map[192.0.2.1:mail.example 192.0.2.3:]" {
			t.Errorf("%v %v", names, err)
		}
		if names, err := b.HostNames(t.Context(), nil, firstDay); err != nil || len(names) != 0 {
			t.Errorf("%v %v", names, err)
		}
	})
}

func TestAReportOfAnotherTimeSaysNothingOfThePolicy(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		far, none := incoming("far", "reporter.example", 2), incoming("none", "reporter.example", 3)
		far.Report.Begin, far.Report.Policy.P = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "reject"
		none.Report.Begin, none.Report.Policy.P = time.Time{}, "reject"
		receive(t, b, incoming("a", "reporter.example", 0), far, none)
		policy, since, err := b.Policy(t.Context(), "one.example")
		if err != nil || policy.P != "none" || !since.Equal(firstDay) {
			t.Errorf("%+v since %v, %v", policy, since, err)
		}
	})
}

func TestTextsOfAnyLengthAreStoredShort(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		b := d.inbox(t)
		long := incoming("long", "reporter.example", 0)
		text := strings.Repeat("é", 30_000)
		long.Report.Org, long.Report.ID, long.Report.Rows[0].AuthDKIM[0].Selector, long.Report.Rows[1].HeaderFrom = text, text, text, text+".one.example"
		receive(t, b, long)
		for _, f := range wantMessages(t, b, 13, 0) {
			if len(f.Name) > 255 || len(f.HeaderFrom) > 255 || !utf8.ValidString(f.Name+f.HeaderFrom) {
				t.Errorf("%d and %d octets", len(f.Name), len(f.HeaderFrom))
			}
		}
		list, err := b.Reporters(t.Context(), "one.example", sqlstore.Last(30, firstDay))
		if err != nil || len(list) != 1 || len(list[0].Org) > 255 || !strings.HasSuffix(list[0].Org, "é…") {
			t.Errorf("%+v %v", list, err)
		}
	})
}
