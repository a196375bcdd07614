package main

import (
	"fmt"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// A chart is days as stacked bars. Lengths are in units of the drawing: a bar is one wide, and the
// highest one is 100 high at most.
type chart struct {
	Title  string
	Kinds  []kind
	Bars   []bar
	Grid   []gridLine
	Labels []string // of the axis of time: of the first bar, some between, and the last one
	Unit   string   // what a bar is: "day" or "week"
}

// A kind is what a part of a bar stands for.
type kind struct {
	Class string // of the style sheet
	Name  string
	Total int64
}

type bar struct {
	X      float64
	Label  string
	Counts []int64 // for each kind
	Parts  []part
	Empty  bool // there is no report about it
}

type part struct {
	Class     string
	Y, Height float64
}

type gridLine struct {
	Y     float64
	Value int64
}

// mostBars is how many bars a chart has of days. For more days it has one for each week.
const mostBars = 120

// newChart draws what count takes from each day of a period.
func newChart(title string, kinds []kind, days []sqlstore.Day, p sqlstore.Period, count func(*sqlstore.Day) []int64) *chart {
	c := &chart{Title: title, Kinds: kinds, Unit: "day"}
	const day = 24 * time.Hour
	from, to := p.From.UTC().Truncate(day), p.To.UTC().Truncate(day)
	n := int(to.Sub(from)/day) + 1
	step := 1
	if n > mostBars {
		step, c.Unit = 7, "week"
	}
	// Weeks end with the last day: then the first one is cut, if one has to be.
	for at := to.AddDate(0, 0, 1-(n+step-1)/step*step); !at.After(to); at = at.AddDate(0, 0, step) {
		first := at
		if first.Before(from) {
			first = from
		}
		b := bar{X: float64(len(c.Bars)), Label: first.Format("2 January 2006"), Counts: make([]int64, len(kinds)), Empty: true}
		for len(days) > 0 && days[0].Day.Before(at.AddDate(0, 0, step)) {
			for k, value := range count(&days[0]) {
				b.Counts[k] += value
				c.Kinds[k].Total += value
			}
			b.Empty = false
			days = days[1:]
		}
		c.Bars = append(c.Bars, b)
	}
	c.scale()
	c.label()
	return c
}

// scale gives the bars their heights, and draws the lines of a round scale.
func (c *chart) scale() {
	var highest int64
	for i := range c.Bars {
		var sum int64
		for _, n := range c.Bars[i].Counts {
			sum += n
		}
		highest = max(highest, sum)
	}
	step := roundStep(highest)
	top := (highest + step - 1) / step * step
	top = max(top, step)
	for value := int64(0); value <= top; value += step {
		c.Grid = append(c.Grid, gridLine{100 - 100*float64(value)/float64(top), value})
	}
	for i := range c.Bars {
		y := 100.0
		for k, n := range c.Bars[i].Counts {
			if n <= 0 {
				continue
			}
			height := max(100*float64(n)/float64(top), 0.6) // what there is can be seen
			y -= height
			c.Bars[i].Parts = append(c.Bars[i].Parts, part{c.Kinds[k].Class, y, height})
		}
	}
}

// roundStep returns a step of 1, 2 or 5 times a power of ten, of which the highest value has at most four.
func roundStep(highest int64) int64 {
	for power := int64(1); power < 1e17; power *= 10 {
		for _, n := range []int64{1, 2, 5} {
			if step := n * power; highest <= 4*step {
				return step
			}
		}
	}
	return 1e17
}

// label names up to five of the bars.
func (c *chart) label() {
	n := len(c.Bars)
	count := min(n, 5)
	for i := range count {
		at := 0
		if count > 1 {
			at = i * (n - 1) / (count - 1)
		}
		day, _ := time.Parse("2 January 2006", c.Bars[at].Label)
		c.Labels = append(c.Labels, day.Format("2 Jan"))
	}
}

// Describe says in words what the chart shows, for those who do not see it.
func (c *chart) Describe() string {
	text := fmt.Sprintf("%s, %d bars, one for each %s.", c.Title, len(c.Bars), c.Unit)
	for _, k := range c.Kinds {
		text += fmt.Sprintf(" %s: %s messages.", k.Name, number(k.Total))
	}
	return text + " The table below has the numbers."
}

// dayCharts are the charts of a domain: all mail, and what fails on a scale of its own.
func dayCharts(days []sqlstore.Day, p sqlstore.Period) []*chart {
	failing := []kind{{Class: "delivered", Name: "failed, delivered"}, {Class: "quarantine", Name: "failed, quarantined"}, {Class: "reject", Name: "failed, refused"}}
	all := append([]kind{{Class: "pass", Name: "passed"}}, failing...)
	charts := []*chart{newChart("All messages", all, days, p, func(d *sqlstore.Day) []int64 {
		return []int64{d.Passed, d.Delivered, d.Quarantine, d.Reject}
	})}
	if k := charts[0].Kinds; k[0].Total > 0 && k[1].Total+k[2].Total+k[3].Total > 0 {
		charts = append(charts, newChart("Messages that failed, on a scale of their own", failing, days, p, func(d *sqlstore.Day) []int64 {
			return []int64{d.Delivered, d.Quarantine, d.Reject}
		}))
	}
	return charts
}
