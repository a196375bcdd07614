package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

// ErrBusy says that so many reports came in at once that their sums were out of date each time they were
// made: ask again.
var ErrBusy = errors.New("sqlstore: reports come in faster than they are summed up")

// maxTries is how often sums are made again for one question.
const maxTries = 20

// Flows returns the flows about a domain, summed over the reports of a period that are proven, and
// refined: see package rollout; those with the most messages come first. Addresses from which few messages
// came that prove nothing are summed up: such a Flow has no Source, and says of how many Hosts it is. A host
// that is among them on several days counts for each.
func (b *Inbox) Flows(ctx context.Context, domain string, p Period) ([]rollout.Flow, error) {
	from, to := p.days()
	spans := cover(from, to, spanSizes)
	for range maxTries {
		found, whole, err := b.sums(ctx, b.store.number("zone", domain), spans)
		if err != nil {
			return nil, err
		}
		if whole {
			return refined(found), nil
		}
		if err := b.makeSpans(ctx, domain, spans); err != nil {
			return nil, err
		}
	}
	return nil, ErrBusy
}

// sums returns the flows of spans, and whether all of these spans were there: what comes in at the same
// time takes some away. Both are from one statement, which sees the database at one time.
func (b *Inbox) sums(ctx context.Context, zone int64, spans []spanRange) (found []spanFlow, whole bool, err error) {
	var inner, conditions []string
	var args, more []any
	var want, have int64
	for _, r := range spans {
		inner = append(inner, `SELECT flow, n, hosts, first_day, last_day FROM dmarc_span WHERE zone = ? AND size = ? AND start BETWEEN ? AND ?`)
		args = append(args, zone, r.size, r.from, r.to)
		conditions = append(conditions, `size = ? AND start BETWEEN ? AND ?`)
		more = append(more, r.size, r.from, r.to)
		want += (r.to-r.from)/r.size + 1
	}
	statement := flowsOver(strings.Join(inner, " UNION ALL ")) +
		` UNION ALL SELECT 0, '', '', 0, 0, '', '', '', '', 0, (SELECT COUNT(*) FROM dmarc_spanned WHERE zone = ? AND (` + strings.Join(conditions, " OR ") + `)), 0, 0, 0`
	err = b.query(ctx, func(scan func(...any) error) error {
		var f spanFlow
		if err := scanFlow(scan, &f.id, &f.Flow); err != nil {
			return err
		}
		if f.id == 0 {
			have = f.Messages
		} else {
			found = append(found, f)
		}
		return nil
	}, statement, append(append(args, zone), more...)...)
	return found, have == want, err
}

// refined returns flows in their order, without IDs. Databases take longer to sort.
func refined(found []spanFlow) []rollout.Flow {
	slices.SortFunc(found, func(a, b spanFlow) int { return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.id, b.id)) })
	flows := make([]rollout.Flow, len(found))
	for i := range found {
		flows[i] = found[i].Flow
	}
	rollout.Refine(flows)
	return flows
}

// flowsOver returns the statement that gives the flows of an inner one, which has flow, messages, hosts,
// first and last day in this order (the empty one before it names its columns). scanFlow reads its rows.
func flowsOver(inner string) string {
	return `SELECT f.id, f.source, f.header_from, f.dkim, f.spf, f.disposition, f.class, f.name, f.provider, f.first_at, d.n, d.hosts, d.first_day, d.last_day
		FROM (SELECT flow, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(hosts) AS BIGINT) AS hosts, MIN(first_day) AS first_day, MAX(last_day) AS last_day
			FROM (SELECT 0 AS flow, 0 AS n, 0 AS hosts, 0 AS first_day, 0 AS last_day WHERE 1 = 0 UNION ALL ` + inner + `) r GROUP BY flow) d
		JOIN dmarc_flow f ON f.id = d.flow WHERE d.n > 0`
}

func scanFlow(scan func(...any) error, id *int64, f *rollout.Flow) error {
	var source string
	var seen, first, last int64
	err := scan(id, &source, &f.HeaderFrom, &f.DKIM, &f.SPF, &f.Disposition, &f.Class, &f.Name, &f.Provider, &seen, &f.Messages, &f.Hosts, &first, &last)
	f.Source, _ = netip.ParseAddr(source) // the zero Addr where a report had none
	f.First, f.Last = timeOf(first), timeOf(last)
	if seen > 0 {
		f.Seen = time.Unix(seen, 0).UTC()
	}
	return err
}
