package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

// Most of what a year of reports has are senders that were seen once, with a message or two, and prove
// nothing: forgers, from ever new addresses. So what is asked of days is answered from spans of one or
// more days, in which such senders are summed up, all but the largest. A span is made when it is asked
// for first, and again after a report about one of its days came.

// spanSizes are the sizes of spans in days, each a multiple of the next one. A span begins at a multiple of
// its size, and is made of those of the next size.
var spanSizes = []int64{128, 16, 1}

// spanTail is how many addresses that prove nothing a span keeps apart, and how many names below the
// domain those that are summed up have.
var spanTail = map[int64]int{1: 50, 16: 200, 128: 200}

// A spanRange is the spans of one size from a day to a day.
type spanRange struct{ size, from, to int64 } // to is the first day of the last span

// cover returns the spans that days consist of, of the given sizes: the largest that there is room for.
func cover(from, to int64, sizes []int64) []spanRange {
	if from > to {
		return nil
	}
	size, rest := sizes[0], sizes[1:]
	first := (from + size - 1) / size * size
	last := (to+1)/size*size - size
	if last < first {
		return cover(from, to, rest)
	}
	list := append(cover(from, first-1, rest), spanRange{size, first, last})
	return append(list, cover(last+size, to, rest)...)
}

// Prepare makes the spans that questions about a domain and the days up to now are answered from, so that
// the first question does not have to.
func (b *Inbox) Prepare(ctx context.Context, domain string, now time.Time) error {
	from, to := Last(365, now).days()
	return b.makeSpans(ctx, domain, cover(from, to, spanSizes))
}

// makeSpans makes those spans that are not there.
func (b *Inbox) makeSpans(ctx context.Context, domain string, ranges []spanRange) error {
	zone := b.store.number("zone", domain)
	var absent []spanRange
	for _, r := range ranges {
		there, err := b.spanned(ctx, zone, r)
		if err != nil {
			return err
		}
		for start := r.from; start <= r.to; start += r.size {
			if !there[start] {
				absent = append(absent, spanRange{r.size, start, start})
			}
		}
	}
	// Few in one transaction: others wait for it.
	for part := range slices.Chunk(absent, 16) {
		err := b.store.transaction(ctx, func(tx *sql.Tx) error {
			t := newIntake(ctx, tx, b.store)
			if err := t.lock(zone); err != nil {
				return err
			}
			for _, r := range part {
				if err := t.makeSpan(domain, zone, r.size, r.from); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// spanned returns the first days of the spans of a range that are there.
func (b *Inbox) spanned(ctx context.Context, zone int64, r spanRange) (map[int64]bool, error) {
	there := make(map[int64]bool)
	err := b.query(ctx, func(scan func(...any) error) error {
		var start int64
		err := scan(&start)
		there[start] = true
		return err
	}, `SELECT start FROM dmarc_spanned WHERE zone = ? AND size = ? AND start BETWEEN ? AND ?`, zone, r.size, r.from, r.to)
	return there, err
}

// makeSpan makes a span, unless another program has made it meanwhile.
func (t *intake) makeSpan(domain string, zone, size, start int64) error {
	n, err := t.exec(`INSERT INTO dmarc_spanned (zone, size, start) VALUES (?, ?, ?) ON CONFLICT (zone, size, start) DO NOTHING`, zone, size, start)
	if err != nil || n == 0 {
		return err
	}
	source, args := `SELECT flow, n, 0, day, day FROM dmarc_day WHERE zone = ? AND proven = 1 AND day = ?`, []any{zone, start}
	if size > 1 {
		part := spanSizes[slices.Index(spanSizes, size)+1]
		for at := start; at < start+size; at += part {
			if err := t.makeSpan(domain, zone, part, at); err != nil {
				return err
			}
		}
		source = `SELECT flow, n, hosts, first_day, last_day FROM dmarc_span WHERE zone = ? AND size = ? AND start BETWEEN ? AND ?`
		args = []any{zone, part, start, start + size - 1}
	}
	flows, err := t.spanFlows(source, args...)
	if err != nil {
		return err
	}
	for _, f := range sumTail(domain, flows, spanTail[size]) {
		if f.id == 0 {
			if f.id, err = t.tailFlow(domain, &f.Flow); err != nil {
				return err
			}
		}
		if _, err := t.exec(`
			INSERT INTO dmarc_span (zone, size, start, flow, n, hosts, first_day, last_day) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (zone, size, start, flow) DO UPDATE SET n = dmarc_span.n + excluded.n, hosts = dmarc_span.hosts + excluded.hosts`,
			zone, size, start, f.id, f.Messages, f.Hosts, dayOf(f.First), dayOf(f.Last)); err != nil {
			return err
		}
	}
	return nil
}

// A spanFlow is a flow with its ID, which is 0 for one that is a sum.
type spanFlow struct {
	rollout.Flow
	id int64
}

// spanFlows returns the flows of an inner statement, which gives flow, messages, hosts, first and last day.
func (t *intake) spanFlows(inner string, args ...any) ([]spanFlow, error) {
	rows, err := t.tx.QueryContext(t.ctx, t.store.sql(flowsOver(inner)), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var flows []spanFlow
	for rows.Next() {
		var f spanFlow
		if err := scanFlow(rows.Scan, &f.id, &f.Flow); err != nil {
			return nil, err
		}
		flows = append(flows, f)
	}
	return flows, rows.Err()
}

// sumTail sums up the flows that prove nothing by their Author Domains, but for so many, the largest.
func sumTail(domain string, flows []spanFlow, keep int) []spanFlow {
	plain := make([]rollout.Flow, len(flows))
	for i := range flows {
		plain[i] = flows[i].Flow
	}
	rollout.Refine(plain)
	slices.SortStableFunc(flows, func(a, b spanFlow) int { return cmp.Compare(b.Messages, a.Messages) })
	known := make(map[netip.Addr]bool) // hosts of which other rows show what they are
	for i := range plain {
		known[plain[i].Source] = known[plain[i].Source] || plain[i].Class != rollout.Unknown
	}
	type tail struct{ from, disposition string }
	sums := make(map[tail]*spanFlow)
	names := make(map[string]bool)
	kept := make([]spanFlow, 0, len(flows))
	rest := 0
	for _, f := range flows {
		proves := f.Class != rollout.Unknown || f.Name != "" || f.Source.IsValid() && known[f.Source]
		if proves || f.Source.IsValid() && rest < keep {
			if !proves {
				rest++
			}
			kept = append(kept, f)
			continue
		}
		if f.HeaderFrom != domain && !names[f.HeaderFrom] {
			if len(names) < keep {
				names[f.HeaderFrom] = true
			} else {
				f.HeaderFrom = rollout.OtherNames
			}
		}
		if f.Source.IsValid() {
			f.Hosts = 1
		}
		f.Source, f.id = netip.Addr{}, 0
		sum := sums[tail{f.HeaderFrom, f.Disposition}]
		if sum == nil {
			sums[tail{f.HeaderFrom, f.Disposition}] = &f
			continue
		}
		sum.Messages = min(sum.Messages+f.Messages, maxCount)
		sum.Hosts += f.Hosts
		sum.First, sum.Last = earlier(sum.First, f.First), later(sum.Last, f.Last)
	}
	for _, sum := range sums {
		kept = append(kept, *sum)
	}
	return kept
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// tailFlow returns the ID of a flow that is a sum.
func (t *intake) tailFlow(domain string, f *rollout.Flow) (id int64, err error) {
	id = t.store.number("tail", domain, f.HeaderFrom, f.Disposition)
	_, err = t.exec(`
		INSERT INTO dmarc_flow (id, source, header_from, dkim, spf, disposition, class, name, provider, first_at)
		VALUES (?, '', ?, 0, 0, ?, ?, '', '', 0) ON CONFLICT (id) DO NOTHING`, id, f.HeaderFrom, f.Disposition, string(f.Class))
	return id, err
}

// forgetSpans removes the spans of the days that were changed.
func (t *intake) forgetSpans() error {
	for at := range t.changed {
		for _, size := range spanSizes {
			start := at.day / size * size
			for _, statement := range []string{
				`DELETE FROM dmarc_spanned WHERE zone = ? AND size = ? AND start = ?`,
				`DELETE FROM dmarc_span WHERE zone = ? AND size = ? AND start = ?`,
			} {
				if _, err := t.exec(statement, at.zone, size, start); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
