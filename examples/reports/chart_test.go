package main

import (
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

func TestAChartHasAllMessagesAndABarForEachDayOrWeek(t *testing.T) {
	end := day.AddDate(0, 0, 364).Add(13 * time.Hour)
	var days []sqlstore.Day
	for n := range 365 {
		if n%10 != 3 { // on some days nobody reports
			days = append(days, sqlstore.Day{Day: day.AddDate(0, 0, n), Passed: 1000, Delivered: 5, Quarantine: 3, Reject: int64(n % 2)})
		}
	}
	for _, test := range []struct {
		days, bars  int
		unit, first string
	}{{1, 1, "day", "28 February 2027"}, {7, 7, "day", "22 February 2027"}, {120, 120, "day", "1 November 2026"}, {364, 52, "week", "2 March 2026"}, {365, 53, "week", "1 March 2026"}} {
		p := sqlstore.Last(test.days, end)
		var want int64
		var within []sqlstore.Day
		for _, d := range days {
			if !d.Day.Before(p.From.Truncate(24 * time.Hour)) {
				within = append(within, d)
				want += d.Passed
			}
		}
		for _, c := range dayCharts(within, p) {
			if len(c.Bars) != test.bars || c.Unit != test.unit || c.Bars[0].Label != test.first {
				t.Errorf("%d days: %d bars of a %s from %s", test.days, len(c.Bars), c.Unit, c.Bars[0].Label)
			}
			if c.Kinds[0].Class == "pass" && c.Kinds[0].Total != want {
				t.Errorf("%d days: %d messages, want %d", test.days, c.Kinds[0].Total, want)
			}
			for _, b := range c.Bars {
				if top := len(b.Parts) - 1; top >= 0 && b.Parts[top].Y < -2 {
					t.Errorf("%d days: a bar that begins at %g", test.days, b.Parts[top].Y)
				}
			}
		}
	}
}

func TestAScaleIsRoundAndHoldsTheHighestBar(t *testing.T) {
	for highest, want := range map[int64]int64{0: 1, 1: 1, 4: 1, 5: 2, 21: 10, 1026: 500, 2_000_001: 1_000_000, 1 << 50: 500_000_000_000_000} {
		if step := roundStep(highest); step != want {
			t.Errorf("%d: a step of %d, want %d", highest, step, want)
		}
	}
}
