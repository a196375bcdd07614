package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// A Period is a range of days: from the day of From to that of To, both included.
type Period struct{ From, To time.Time }

// Last returns the period of so many days that ends with a time.
func Last(days int, end time.Time) Period { return Period{From: end.AddDate(0, 0, 1-days), To: end} }

func (p Period) days() (from, to int64) { return dayOf(p.From), dayOf(p.To) }

// query calls each for every row of an answer.
func (b *Inbox) query(ctx context.Context, each func(scan func(...any) error) error, statement string, args ...any) error {
	rows, err := b.store.db.QueryContext(ctx, b.store.sql(statement), args...)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return fmt.Errorf("sqlstore: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// A Day is what reports say of the mail of one day.
type Day struct {
	Day        time.Time `json:"day"`
	Passed     int64     `json:"passed"`
	Delivered  int64     `json:"delivered"` // failed, and nothing was done
	Quarantine int64     `json:"quarantine"`
	Reject     int64     `json:"reject"`
}

// Days returns the days of a period that have proven reports about a domain, in their order.
func (b *Inbox) Days(ctx context.Context, domain string, p Period) ([]Day, error) {
	var days []Day
	from, to := p.days()
	err := b.query(ctx, func(scan func(...any) error) error {
		var day, n int64
		var passed bool
		var disposition string
		err := scan(&day, &passed, &disposition, &n)
		if at := timeOf(day); len(days) == 0 || !days[len(days)-1].Day.Equal(at) {
			days = append(days, Day{Day: at})
		}
		switch d := &days[len(days)-1]; {
		case passed:
			d.Passed += n
		case disposition == "quarantine":
			d.Quarantine += n
		case disposition == "reject":
			d.Reject += n
		default:
			d.Delivered += n
		}
		return err
	}, `SELECT day, passed, disposition, n FROM dmarc_total WHERE zone = ? AND proven = 1 AND day BETWEEN ? AND ? ORDER BY day`,
		b.store.number("zone", domain), from, to)
	return days, err
}

// Unproven returns how many messages the reports about a domain in a period have that anybody can have
// written. No other number has them.
func (b *Inbox) Unproven(ctx context.Context, domain string, p Period) (n int64, err error) {
	from, to := p.days()
	err = b.one(ctx, []any{&n}, `SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM dmarc_total WHERE zone = ? AND proven = 0 AND day BETWEEN ? AND ?`,
		b.store.number("zone", domain), from, to)
	return n, err
}

// A Total is what there is of a domain in a period.
type Total struct {
	Domain   string `json:"domain"`
	Messages int64  `json:"messages"`
	Passed   int64  `json:"passed"`
	Unproven int64  `json:"unproven"` // messages of reports that anybody can have written, which Messages has not
}

// Totals returns the domains that reports of a period are about, those with the most messages first.
func (b *Inbox) Totals(ctx context.Context, p Period) ([]Total, error) {
	var list []Total
	from, to := p.days()
	err := b.query(ctx, func(scan func(...any) error) error {
		var t Total
		err := scan(&t.Domain, &t.Messages, &t.Passed, &t.Unproven)
		list = append(list, t)
		return err
	}, `SELECT domain, CAST(SUM(CASE WHEN proven = 1 THEN n ELSE 0 END) AS BIGINT) AS messages,
			CAST(SUM(CASE WHEN proven = 1 AND passed = 1 THEN n ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN proven = 0 THEN n ELSE 0 END) AS BIGINT)
		FROM dmarc_total WHERE day BETWEEN ? AND ? GROUP BY domain ORDER BY messages DESC, domain`, from, to)
	return list, err
}

// A Reporter is who reports about a domain.
type Reporter struct {
	Domain   string `json:"domain,omitempty"` // for which the mail passed DMARC, or empty
	Org      string `json:"org"`              // as it calls itself
	Reports  int64  `json:"reports"`
	Messages int64  `json:"messages"`
}

// Reporters returns who reported about a domain in a period, those with the most messages first. Those
// that proved nothing are listed too, with an empty Domain.
func (b *Inbox) Reporters(ctx context.Context, domain string, p Period) ([]Reporter, error) {
	var list []Reporter
	from, to := p.days()
	err := b.query(ctx, func(scan func(...any) error) error {
		var r Reporter
		err := scan(&r.Domain, &r.Org, &r.Reports, &r.Messages)
		list = append(list, r)
		return err
	}, `SELECT reporter, org, CAST(SUM(reports) AS BIGINT), CAST(SUM(messages) AS BIGINT) AS total FROM dmarc_reporter
		WHERE zone = ? AND day BETWEEN ? AND ? GROUP BY reporter, org HAVING SUM(reports) > 0 ORDER BY total DESC, reporter, org`,
		b.store.number("zone", domain), from, to)
	return list, err
}

// Policy returns the policy of the last proven report about a domain, and since when reports say the
// same of p without a break, as far back as they go. The Policy is zero where there is no report.
func (b *Inbox) Policy(ctx context.Context, domain string) (policy aggregate.Policy, since time.Time, err error) {
	var text, p string
	var first, changed int64
	zone := b.store.number("zone", domain)
	err = b.one(ctx, []any{&text, &p, &first}, `SELECT policy, p, first_at FROM dmarc_published WHERE zone = ? ORDER BY last_at DESC, p LIMIT 1`, zone)
	if err != nil || text == "" {
		return policy, since, err
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return policy, since, fmt.Errorf("sqlstore: %w", err)
	}
	err = b.one(ctx, []any{&changed}, `SELECT COALESCE(MAX(last_at), 0) FROM dmarc_published WHERE zone = ? AND p <> ?`, zone, p)
	return policy, time.Unix(max(changed, first), 0).UTC(), err
}

// one reads the one row of an answer, if there is one.
func (b *Inbox) one(ctx context.Context, to []any, statement string, args ...any) error {
	err := b.store.db.QueryRowContext(ctx, b.store.sql(statement), args...).Scan(to...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// Look returns when a name was last looked at, or the zero time, and notes that it is looked at now.
func (b *Inbox) Look(ctx context.Context, name string, now time.Time) (last time.Time, err error) {
	err = b.store.transaction(ctx, func(tx *sql.Tx) error {
		var text string
		switch err := tx.QueryRowContext(ctx, b.store.sql(`SELECT value FROM dmarc_meta WHERE name = ?`), "look "+name).Scan(&text); {
		case err == nil:
			last, err = time.Parse(time.RFC3339, text)
			if err != nil {
				return err
			}
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		_, err := tx.ExecContext(ctx, b.store.sql(`INSERT INTO dmarc_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`),
			"look "+name, now.UTC().Format(time.RFC3339))
		return err
	})
	return last, err
}
