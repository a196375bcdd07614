package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// versions are the steps of the schema, each a list of statements that both databases know. A step
// is never changed once it was released: what follows is another one.
//
// Times are seconds since 1970. Documents are JSON. What a row is, is its key: the hash of its body.
var versions = [][]string{
	{
		// A flush that was added: see Store.Add.
		`CREATE TABLE dmarc_flush (
			id TEXT PRIMARY KEY,
			added_at BIGINT NOT NULL
		)`,
		// A report: one for each policy and period, and one more for each part of it that was
		// counted after the ones before were closed. Offered is not less than its rows.
		`CREATE TABLE dmarc_report (
			id TEXT PRIMARY KEY,
			begin_at BIGINT NOT NULL,
			end_at BIGINT NOT NULL,
			domain TEXT NOT NULL,
			policy TEXT NOT NULL,
			destinations TEXT NOT NULL,
			errors TEXT NOT NULL,
			closed INTEGER NOT NULL,
			offered BIGINT NOT NULL,
			omitted BIGINT NOT NULL
		)`,
		`CREATE INDEX dmarc_report_end ON dmarc_report (closed, end_at)`,
		`CREATE TABLE dmarc_row (
			report TEXT NOT NULL,
			id TEXT NOT NULL,
			body TEXT NOT NULL,
			n BIGINT NOT NULL,
			PRIMARY KEY (report, id)
		)`,
		`CREATE TABLE dmarc_delivery (
			id TEXT PRIMARY KEY,
			report TEXT NOT NULL,
			address TEXT NOT NULL,
			state INTEGER NOT NULL,
			attempts INTEGER NOT NULL,
			first_at BIGINT NOT NULL,
			due_at BIGINT NOT NULL,
			reason TEXT NOT NULL
		)`,
		`CREATE INDEX dmarc_delivery_due ON dmarc_delivery (state, due_at)`,
		`CREATE INDEX dmarc_delivery_report ON dmarc_delivery (report)`,
		// What is known of a destination: how many bounces it had lately.
		`CREATE TABLE dmarc_destination (
			address TEXT PRIMARY KEY,
			bounces INTEGER NOT NULL,
			bounced_at BIGINT NOT NULL
		)`,
	},
	{
		// A report that came in: see Inbox. Proven is whether its mail passed DMARC. Flows has
		// them in JSON as long as it is not.
		`CREATE TABLE dmarc_incoming (
			id TEXT PRIMARY KEY,
			domain TEXT NOT NULL,
			org TEXT NOT NULL,
			reporter TEXT NOT NULL,
			proven INTEGER NOT NULL,
			report TEXT NOT NULL,
			begin_at BIGINT NOT NULL,
			messages BIGINT NOT NULL,
			received_at BIGINT NOT NULL,
			flows TEXT NOT NULL
		)`,
		// Each value of p that proven reports about a domain give: in periods that begin from when
		// to when, and the policy in the last one.
		`CREATE TABLE dmarc_published (
			zone BIGINT NOT NULL,
			p TEXT NOT NULL,
			first_at BIGINT NOT NULL,
			last_at BIGINT NOT NULL,
			policy TEXT NOT NULL,
			PRIMARY KEY (zone, p)
		)`,
		// A flow: see package rollout. Its ID is a hash of what it is.
		`CREATE TABLE dmarc_flow (
			id BIGINT NOT NULL PRIMARY KEY,
			source TEXT NOT NULL,
			header_from TEXT NOT NULL,
			dkim INTEGER NOT NULL,
			spf INTEGER NOT NULL,
			disposition TEXT NOT NULL,
			class TEXT NOT NULL,
			name TEXT NOT NULL,
			provider TEXT NOT NULL,
			first_at BIGINT NOT NULL
		)`,
		// How many messages a flow had on a day. Zone is a hash of the policy domain.
		`CREATE TABLE dmarc_day (
			zone BIGINT NOT NULL,
			proven INTEGER NOT NULL,
			day BIGINT NOT NULL,
			flow BIGINT NOT NULL,
			n BIGINT NOT NULL,
			PRIMARY KEY (zone, proven, day, flow)
		) {clustered}`,
		// The same without sources, for charts and lists of domains.
		`CREATE TABLE dmarc_total (
			zone BIGINT NOT NULL,
			domain TEXT NOT NULL,
			proven INTEGER NOT NULL,
			day BIGINT NOT NULL,
			passed INTEGER NOT NULL,
			disposition TEXT NOT NULL,
			n BIGINT NOT NULL,
			PRIMARY KEY (zone, proven, day, passed, disposition)
		) {clustered}`,
		`CREATE TABLE dmarc_reporter (
			zone BIGINT NOT NULL,
			day BIGINT NOT NULL,
			reporter TEXT NOT NULL,
			org TEXT NOT NULL,
			proven INTEGER NOT NULL,
			reports BIGINT NOT NULL,
			messages BIGINT NOT NULL,
			PRIMARY KEY (zone, day, reporter, org, proven)
		) {clustered}`,
	},
	{
		// The name of a host by reverse DNS, or "" where it has none that is confirmed.
		`CREATE TABLE dmarc_host (
			address TEXT NOT NULL PRIMARY KEY,
			name TEXT NOT NULL,
			asked_at BIGINT NOT NULL
		) {clustered}`,
		// What dmarc_day has of a zone in a span of days, proven alone, with the small senders that
		// prove nothing summed up: their flow has no source, and hosts says how many there are. It
		// is made when it is asked for, and then stands in dmarc_spanned: see spans.go.
		`CREATE TABLE dmarc_span (
			zone BIGINT NOT NULL,
			size INTEGER NOT NULL,
			start BIGINT NOT NULL,
			flow BIGINT NOT NULL,
			n BIGINT NOT NULL,
			hosts BIGINT NOT NULL,
			first_day BIGINT NOT NULL,
			last_day BIGINT NOT NULL,
			PRIMARY KEY (zone, size, start, flow)
		) {clustered}`,
		`CREATE TABLE dmarc_spanned (
			zone BIGINT NOT NULL,
			size INTEGER NOT NULL,
			start BIGINT NOT NULL,
			PRIMARY KEY (zone, size, start)
		) {clustered}`,
	},
}

// ErrVersion says that the database has the schema of a later version of this package.
var ErrVersion = errors.New("sqlstore: the database has a later schema than this program knows")

// migrate brings the schema up to date. Many programs may do so at once.
func (s *Store) migrate(ctx context.Context) error {
	const table = `CREATE TABLE IF NOT EXISTS dmarc_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)`
	if _, err := s.db.ExecContext(ctx, table); err != nil {
		// In PostgreSQL one of two programs that create it at the same time fails.
		if _, err = s.db.ExecContext(ctx, table); err != nil {
			return fmt.Errorf("sqlstore: %w", err)
		}
	}
	return s.transaction(ctx, func(tx *sql.Tx) error {
		// The insert makes others wait for this transaction, also on a new database.
		if _, err := tx.ExecContext(ctx, s.sql(`
			INSERT INTO dmarc_meta (name, value) VALUES ('store', ?)
			ON CONFLICT (name) DO UPDATE SET value = dmarc_meta.value`), rand.Text()); err != nil {
			return err
		}
		version, err := s.meta(ctx, tx, "version")
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		have, _ := strconv.Atoi(version)
		if have > len(versions) {
			return ErrVersion
		}
		for _, step := range versions[have:] {
			for _, statement := range step {
				if _, err := tx.ExecContext(ctx, strings.Replace(statement, "{clustered}", s.clustered(), 1)); err != nil {
					return err
				}
			}
		}
		if _, err := tx.ExecContext(ctx, s.sql(`
			INSERT INTO dmarc_meta (name, value) VALUES ('version', ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`), strconv.Itoa(len(versions))); err != nil {
			return err
		}
		s.id, err = s.meta(ctx, tx, "store")
		return err
	})
}

// clustered returns what makes a table one with the index of its key, which halves it: PostgreSQL has
// no such tables.
func (s *Store) clustered() string {
	if s.dialect == SQLite {
		return "WITHOUT ROWID"
	}
	return ""
}

func (s *Store) meta(ctx context.Context, tx *sql.Tx, name string) (value string, err error) {
	err = tx.QueryRowContext(ctx, s.sql(`SELECT value FROM dmarc_meta WHERE name = ?`), name).Scan(&value)
	return value, err
}
