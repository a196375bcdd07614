package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// An upsert adds the reports of one batch within a transaction.
type upsert struct {
	ctx   context.Context
	tx    *sql.Tx
	store *Store
	chunk *sql.Stmt // of chunkRows rows
}

// chunkRows is how many rows one statement has: SQLite takes 32,766 parameters, PostgreSQL 65,535.
const chunkRows = 500

func (u *upsert) close() {
	if u.chunk != nil {
		u.chunk.Close()
	}
}

// report adds one report: to the part of it that is open.
func (u *upsert) report(r *report) error {
	id, err := u.open(r)
	if err != nil {
		return err
	}
	var offered int64
	err = u.tx.QueryRowContext(u.ctx, u.store.sql(`SELECT offered FROM dmarc_report WHERE id = ?`), id).Scan(&offered)
	if err != nil {
		return err
	}
	if offered <= u.store.maxRows() {
		return u.rows(id, r.rows)
	}
	// As many rows may have been offered; how many there are is not known yet.
	var there int64
	err = u.tx.QueryRowContext(u.ctx, u.store.sql(`SELECT COUNT(*) FROM dmarc_row WHERE report = ?`), id).Scan(&there)
	if err != nil {
		return err
	}
	offered = there + int64(len(r.rows))
	if offered <= u.store.maxRows() {
		err = u.rows(id, r.rows)
	} else {
		offered, err = u.scarce(id, r.rows, u.store.maxRows()-there)
	}
	if err != nil {
		return err
	}
	_, err = u.tx.ExecContext(u.ctx, u.store.sql(`UPDATE dmarc_report SET offered = ? WHERE id = ?`), offered, id)
	return err
}

// open finds or makes the part of a report that is not closed, and adds what is not in its rows.
// Until the transaction ends, nobody else adds to it or closes it.
func (u *upsert) open(r *report) (id string, err error) {
	for part := 0; ; part++ {
		id = hash(u.store.id, r.policy, strconv.FormatInt(r.Begin.Unix(), 10), strconv.FormatInt(r.End.Unix(), 10), strconv.Itoa(part))
		result, err := u.tx.ExecContext(u.ctx, u.store.sql(`
			INSERT INTO dmarc_report (id, begin_at, end_at, domain, policy, destinations, errors, closed, offered, omitted)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
			ON CONFLICT (id) DO UPDATE SET destinations = excluded.destinations, errors = excluded.errors,
				offered = dmarc_report.offered + excluded.offered, omitted = dmarc_report.omitted + excluded.omitted
			WHERE dmarc_report.closed = 0`),
			id, r.Begin.Unix(), r.End.Unix(), r.Policy.Domain, r.policy, r.destinations, r.errors, len(r.rows), r.Omitted)
		if err != nil {
			return "", err
		}
		n, err := result.RowsAffected()
		if err != nil || n == 1 {
			return id, err
		}
	}
}

// rows adds rows, as many as there are.
func (u *upsert) rows(report string, rows []row) error {
	for len(rows) > 0 {
		n := min(len(rows), chunkRows)
		arguments := make([]any, 0, 4*n)
		for _, r := range rows[:n] {
			arguments = append(arguments, report, r.id, r.body, r.n)
		}
		if err := u.insert(n, arguments); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// insert adds n rows in one statement.
func (u *upsert) insert(n int, arguments []any) error {
	statement := u.store.sql(`INSERT INTO dmarc_row (report, id, body, n) VALUES (?, ?, ?, ?)` +
		strings.Repeat(`, (?, ?, ?, ?)`, n-1) +
		` ON CONFLICT (report, id) DO UPDATE SET n = dmarc_row.n + excluded.n`)
	if n < chunkRows {
		_, err := u.tx.ExecContext(u.ctx, statement, arguments...)
		return err
	}
	if u.chunk == nil {
		var err error
		if u.chunk, err = u.tx.PrepareContext(u.ctx, statement); err != nil {
			return err
		}
	}
	_, err := u.chunk.ExecContext(u.ctx, arguments...)
	return err
}

// scarce adds rows to a report that may have room more of them only. Messages of those that have no
// room are counted as omitted. It returns how many rows the report has then.
func (u *upsert) scarce(report string, rows []row, room int64) (there int64, err error) {
	update, err := u.tx.PrepareContext(u.ctx, u.store.sql(`UPDATE dmarc_row SET n = n + ? WHERE report = ? AND id = ?`))
	if err != nil {
		return 0, err
	}
	defer update.Close()
	var omitted int64
	for _, r := range rows {
		result, err := update.ExecContext(u.ctx, r.n, report, r.id)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		switch {
		case err != nil:
			return 0, err
		case n == 1:
		case room > 0:
			room--
			if err := u.insert(1, []any{report, r.id, r.body, r.n}); err != nil {
				return 0, err
			}
		default:
			omitted += r.n
		}
	}
	_, err = u.tx.ExecContext(u.ctx, u.store.sql(`UPDATE dmarc_report SET omitted = omitted + ? WHERE id = ?`), omitted, report)
	return u.store.maxRows() - room, err
}
