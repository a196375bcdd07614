package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
)

var _ send.Queue = (*Store)(nil)

// Close implements [send.Queue].
func (s *Store) Close(ctx context.Context, ended time.Time, due func(*send.Task) time.Time) error {
	reports, err := s.reports(ctx, s.db, `WHERE closed = 0 AND end_at < ?`, ended.Unix())
	if err != nil {
		return err
	}
	for _, r := range reports {
		err := s.transaction(ctx, func(tx *sql.Tx) error {
			// A flush that is under way ends before this goes on, and a later one finds the
			// report closed.
			result, err := tx.ExecContext(ctx, s.sql(`UPDATE dmarc_report SET closed = 1 WHERE id = ? AND closed = 0`), r.ID)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return err
			}
			return s.queue(ctx, tx, r.ID, due)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// queue queues the deliveries of a report that was just closed.
func (s *Store) queue(ctx context.Context, tx *sql.Tx, id string, due func(*send.Task) time.Time) error {
	reports, err := s.reports(ctx, tx, `WHERE id = ?`, id) // again: a flush may have changed it
	if err != nil {
		return err
	}
	for _, r := range reports {
		for _, t := range tasks(r) {
			at := due(t).Unix()
			if _, err := tx.ExecContext(ctx, s.sql(`
				INSERT INTO dmarc_delivery (id, report, address, state, attempts, first_at, due_at, reason)
				VALUES (?, ?, ?, 0, 0, ?, ?, '')`), t.ID, r.ID, t.Address, at, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// tasks returns the deliveries of a report.
func tasks(r *aggregate.Report) (list []*send.Task) {
	for _, address := range r.Destinations {
		list = append(list, &send.Task{ID: hash(r.ID, address), Address: address, Report: r})
	}
	return list
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// reports returns the reports that have a row and meet a condition.
func (s *Store) reports(ctx context.Context, q querier, where string, args ...any) ([]*aggregate.Report, error) {
	rows, err := q.QueryContext(ctx, s.sql(`
		SELECT id, begin_at, end_at, policy, destinations, errors, omitted FROM dmarc_report `+where+`
			AND EXISTS (SELECT 1 FROM dmarc_row WHERE dmarc_row.report = dmarc_report.id)
		ORDER BY begin_at, id`), args...)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	defer rows.Close()
	var list []*aggregate.Report
	for rows.Next() {
		r := &aggregate.Report{RFC9990: true, Version: "1.0"}
		var begin, end int64
		var policy, destinations, faults string
		err := rows.Scan(&r.ID, &begin, &end, &policy, &destinations, &faults, &r.Omitted)
		if err == nil {
			err = errors.Join(json.Unmarshal([]byte(policy), &r.Policy), json.Unmarshal([]byte(destinations), &r.Destinations), json.Unmarshal([]byte(faults), &r.Errors))
		}
		if err != nil {
			return nil, fmt.Errorf("sqlstore: %w", err)
		}
		r.Begin, r.End = time.Unix(begin, 0).UTC(), time.Unix(end, 0).UTC()
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	return list, nil
}

// Claim implements [send.Queue].
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration) (*send.Task, error) {
	for {
		list, err := s.deliveries(ctx, `WHERE d.state = 0 AND d.due_at <= ? ORDER BY d.due_at, d.id LIMIT 1`, now.Unix())
		if err != nil || len(list) == 0 {
			return nil, err
		}
		t := list[0]
		was, due := t.Due.Unix(), now.Add(lease)
		result, err := s.db.ExecContext(ctx, s.sql(`
			UPDATE dmarc_delivery SET due_at = ?, attempts = attempts + 1 WHERE id = ? AND state = 0 AND due_at = ?`),
			due.Unix(), t.ID, was)
		if err != nil {
			return nil, fmt.Errorf("sqlstore: %w", err)
		}
		n, err := result.RowsAffected()
		switch {
		case err != nil:
			return nil, fmt.Errorf("sqlstore: %w", err)
		case n == 1:
			t.Attempts++
			t.Due = due
			return t, nil
		}
		// Another Sender was faster.
	}
}

// deliveries returns the deliveries d that meet a condition.
func (s *Store) deliveries(ctx context.Context, where string, args ...any) ([]*send.Task, error) {
	rows, err := s.db.QueryContext(ctx, s.sql(`
		SELECT d.id, d.report, d.address, d.state, d.attempts, d.first_at, d.due_at, d.reason,
			COALESCE(a.bounces, 0), COALESCE(a.bounced_at, 0)
		FROM dmarc_delivery d LEFT JOIN dmarc_destination a ON a.address = d.address `+where), args...)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	defer rows.Close()
	var list []*send.Task
	ids := make(map[string]*aggregate.Report)
	for rows.Next() {
		t := &send.Task{Report: new(aggregate.Report)}
		var first, due, bounced int64
		if err := rows.Scan(&t.ID, &t.Report.ID, &t.Address, &t.State, &t.Attempts, &first, &due, &t.Reason, &t.Bounces, &bounced); err != nil {
			return nil, fmt.Errorf("sqlstore: %w", err)
		}
		t.First, t.Due, t.LastBounce = time.Unix(first, 0).UTC(), time.Unix(due, 0).UTC(), time.Unix(bounced, 0).UTC()
		list = append(list, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	rows.Close()
	for _, t := range list {
		if ids[t.Report.ID] == nil {
			reports, err := s.reports(ctx, s.db, `WHERE id = ?`, t.Report.ID)
			if err != nil {
				return nil, err
			}
			if len(reports) == 0 {
				return nil, fmt.Errorf("sqlstore: delivery %s: its report is gone", t.ID)
			}
			ids[t.Report.ID] = reports[0]
		}
		t.Report = ids[t.Report.ID]
	}
	return list, nil
}

// Rows implements [send.Queue].
func (s *Store) Rows(ctx context.Context, t *send.Task) iter.Seq2[aggregate.Row, error] {
	return func(yield func(aggregate.Row, error) bool) {
		rows, err := s.db.QueryContext(ctx, s.sql(`SELECT body, n FROM dmarc_row WHERE report = ? ORDER BY n DESC, id`), t.Report.ID)
		if err != nil {
			yield(aggregate.Row{}, fmt.Errorf("sqlstore: %w", err))
			return
		}
		defer rows.Close()
		var body []byte
		for rows.Next() {
			var row aggregate.Row
			var n int64
			err := rows.Scan(&body, &n)
			if err == nil {
				err = json.Unmarshal(body, &row)
			}
			if err != nil {
				yield(aggregate.Row{}, fmt.Errorf("sqlstore: %w", err))
				return
			}
			row.Count = n
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(aggregate.Row{}, fmt.Errorf("sqlstore: %w", err))
		}
	}
}

// Settle implements [send.Queue].
func (s *Store) Settle(ctx context.Context, t *send.Task) error {
	return s.transaction(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.sql(`UPDATE dmarc_delivery SET state = ?, due_at = ?, reason = ? WHERE id = ?`),
			int64(t.State), t.Due.Unix(), t.Reason, t.ID); err != nil {
			return err
		}
		if t.State == send.StateBounced {
			return s.bounced(ctx, tx, t.Address, time.Now())
		}
		return nil
	})
}

// Bounce implements [send.Queue].
func (s *Store) Bounce(ctx context.Context, id string, now time.Time) error {
	return s.transaction(ctx, func(tx *sql.Tx) error {
		// The second bounce of one mail does not count.
		result, err := tx.ExecContext(ctx, s.sql(`UPDATE dmarc_delivery SET state = ?, reason = ? WHERE id = ? AND state <> ?`),
			int64(send.StateBounced), "the mail came back", id, int64(send.StateBounced))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		var address string
		if err := tx.QueryRowContext(ctx, s.sql(`SELECT address FROM dmarc_delivery WHERE id = ?`), id).Scan(&address); err != nil {
			return err
		}
		return s.bounced(ctx, tx, address, now)
	})
}

// bounceMemory is how long a bounce counts: one after so long a time is the first.
const bounceMemory = 30 * 24 * time.Hour

// bounced counts a bounce of a destination.
func (s *Store) bounced(ctx context.Context, tx *sql.Tx, address string, now time.Time) error {
	_, err := tx.ExecContext(ctx, s.sql(`
		INSERT INTO dmarc_destination (address, bounces, bounced_at) VALUES (?, 1, ?)
		ON CONFLICT (address) DO UPDATE SET bounced_at = excluded.bounced_at,
			bounces = CASE WHEN dmarc_destination.bounced_at < ? THEN 1 ELSE dmarc_destination.bounces + 1 END`),
		address, now.Unix(), now.Add(-bounceMemory).Unix())
	return err
}

// Pending implements [send.Queue].
func (s *Store) Pending(ctx context.Context, ended time.Time) iter.Seq2[*send.Task, error] {
	return func(yield func(*send.Task, error) bool) {
		list, err := s.deliveries(ctx, `WHERE d.state = 0 ORDER BY d.due_at, d.id`)
		if err == nil {
			var reports []*aggregate.Report
			reports, err = s.reports(ctx, s.db, `WHERE closed = 0 AND end_at < ?`, ended.Unix())
			for _, r := range reports {
				list = append(list, tasks(r)...)
			}
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, t := range list {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// Prune implements [send.Queue]: it deletes the reports of periods that ended before a time, their
// rows and deliveries, and the IDs of batches that were added before.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	return s.transaction(ctx, func(tx *sql.Tx) error {
		const old = ` IN (SELECT id FROM dmarc_report WHERE end_at < ?)`
		for _, d := range []struct {
			statement string
			before    time.Time
		}{
			{`DELETE FROM dmarc_row WHERE report` + old, before},
			{`DELETE FROM dmarc_delivery WHERE report` + old, before},
			{`DELETE FROM dmarc_report WHERE end_at < ?`, before},
			{`DELETE FROM dmarc_flush WHERE added_at < ?`, before},
			{`DELETE FROM dmarc_destination WHERE bounced_at < ?`, before.Add(-bounceMemory)},
		} {
			if _, err := tx.ExecContext(ctx, s.sql(d.statement), d.before.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}
