package aggregate

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/feedback"
)

// counters count messages by row. The zero counters are empty.
type counters struct {
	rows   map[string]uint32 // the index in counts of each row; its key is the number of its group, and the row
	counts []int64
	lost   int64 // messages without a group

	numbers map[dayPolicy]uint32 // of groups
	groups  []*group
	perOrg  map[dayOrg]int // how many groups an organization has in a day
}

// groupOctets is how many octets of a key are the number of its group.
const groupOctets = 4

// A group is the report about one policy for one day.
type group struct {
	key     dayPolicy
	omitted int64

	record       *record.Record // the last one that was seen; what follows is of it
	destinations []string
	faults       string
}

type dayPolicy struct {
	day    day
	policy Policy
}

type dayOrg struct {
	day day
	org string // or everybody
}

const everybody = "*"

// A day is the time of its beginning, in seconds since 1970, in UTC.
type day int64

const daySeconds = 24 * 60 * 60

func dayOf(t time.Time) day {
	s := t.Unix()
	return day(s - (s%daySeconds+daySeconds)%daySeconds)
}

// group returns the group of a policy and its number. It is nil where the day has as many as it
// may, or the organization has a hundredth of these.
func (c *counters) group(key dayPolicy, org string, most int) (*group, uint32) {
	if n, ok := c.numbers[key]; ok {
		return c.groups[n], n
	}
	owner, all := dayOrg{key.day, org}, dayOrg{key.day, everybody}
	if c.perOrg[all] >= most || c.perOrg[owner] >= max(most/100, 1) {
		return nil, 0
	}
	if c.numbers == nil {
		c.numbers, c.perOrg = make(map[dayPolicy]uint32), make(map[dayOrg]int)
	}
	g, n := &group{key: key}, uint32(len(c.groups))
	c.perOrg[owner]++
	c.perOrg[all]++
	c.numbers[key] = n
	c.groups = append(c.groups, g)
	return g, n
}

// saw takes the record that a message had. Where its addresses change during a day, the last ones
// count.
func (g *group) saw(rec *record.Record) {
	if g.record != rec {
		g.record, g.destinations, g.faults = rec, feedback.Addresses(rec.AggregateReports), feedback.Faults(rec)
	}
}

// add counts a message, and returns how many rows there are where it made a new one, else 0.
func (c *counters) add(g *group, key []byte, most int) int {
	if i, ok := c.rows[string(key)]; ok {
		c.counts[i]++
		return 0
	}
	if len(c.counts) >= most {
		g.omitted++
		return 0
	}
	if c.rows == nil {
		c.rows = make(map[string]uint32)
	}
	c.rows[string(key)] = uint32(len(c.counts))
	c.counts = append(c.counts, 1)
	return len(c.counts)
}

// take returns what was counted, and leaves no counts. The groups stay, for as long as their day
// may, since they count for the limit of a day.
func (c *counters) take() counters {
	taken := *c
	taken.groups = make([]*group, len(c.groups))
	for i, g := range c.groups {
		copied := *g
		taken.groups[i] = &copied
		g.omitted = 0
	}
	c.rows, c.counts, c.lost = nil, nil, 0
	c.forget()
	return taken
}

// forget drops the groups of all days but the last two.
func (c *counters) forget() {
	last := day(0)
	for _, g := range c.groups {
		last = max(last, g.key.day)
	}
	old := func(d day) bool { return d < last-daySeconds }
	if !slices.ContainsFunc(c.groups, func(g *group) bool { return old(g.key.day) }) {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(c.groups), func(g *group) bool { return old(g.key.day) })
	numbers, perOrg := make(map[dayPolicy]uint32, len(kept)), make(map[dayOrg]int)
	for i, g := range kept {
		numbers[g.key] = uint32(i)
	}
	for key, n := range c.perOrg {
		if !old(key.day) {
			perOrg[key] = n
		}
	}
	c.groups, c.numbers, c.perOrg = kept, numbers, perOrg
}

// batch returns the counts as a batch, or nil where nothing was counted.
func (c *counters) batch() *Batch {
	reports := make([]*Report, len(c.groups))
	for i, g := range c.groups {
		reports[i] = g.report()
	}
	for key, i := range c.rows {
		row := decodeRow(key[groupOctets:])
		row.Count = c.counts[i]
		r := reports[binary.BigEndian.Uint32([]byte(key[:groupOctets]))]
		r.Rows = append(r.Rows, row)
	}
	reports = slices.DeleteFunc(reports, func(r *Report) bool { return len(r.Rows) == 0 && r.Omitted == 0 })
	if len(reports) == 0 && c.lost == 0 {
		return nil
	}
	return &Batch{ID: rand.Text(), Reports: reports, Lost: c.lost}
}

// report returns the report of a group, without its rows.
func (g *group) report() *Report {
	begin := time.Unix(int64(g.key.day), 0).UTC()
	r := &Report{
		RFC9990: true, Version: "1.0", Policy: g.key.policy, Destinations: g.destinations, Omitted: g.omitted,
		Begin: begin, End: begin.Add((daySeconds - 1) * time.Second),
	}
	if g.faults != "" {
		r.Errors = []string{g.faults}
	}
	return r
}
