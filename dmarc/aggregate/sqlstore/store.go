package sqlstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/limit"
)

// Dialect is the database that a Store speaks to.
type Dialect uint8

const (
	SQLite     Dialect = iota
	PostgreSQL         // 9.5 or later
)

// A Store keeps what was counted, and the reports that are to be sent, in a database. It is safe
// for concurrent use, and many programs may have one on the same database.
type Store struct {
	// MaxRows is how many rows one report may have. Messages that would need another one are
	// counted in Report.Omitted. Zero means DefaultMaxRows, a negative number no limit. It is
	// set before the first use.
	MaxRows int

	db      *sql.DB
	dialect Dialect
	id      string // of the database, so that two of them have no report ID in common
}

// DefaultMaxRows is the default of Store.MaxRows.
const DefaultMaxRows = 200_000

// Open returns a Store on a database, and makes its tables or brings them up to date. The tables
// have names that begin with "dmarc_". The caller closes db.
func Open(ctx context.Context, db *sql.DB, d Dialect) (*Store, error) {
	s := &Store{db: db, dialect: d}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// sql returns a statement with the placeholders of the dialect in place of each "?".
func (s *Store) sql(statement string) string {
	if s.dialect == SQLite {
		return statement
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// transaction runs f in a transaction, which is rolled back where f fails.
func (s *Store) transaction(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// Add adds a batch: all of it in one transaction, which also notes the ID of the batch, so that a
// batch is added once however often it is given. It implements [aggregate.Store].
func (s *Store) Add(ctx context.Context, b *aggregate.Batch) error {
	reports, err := s.prepare(b)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return s.transaction(ctx, func(tx *sql.Tx) error {
		// This comes first: it makes SQLite take its lock, and others with the same batch
		// wait for what becomes of this one.
		result, err := tx.ExecContext(ctx, s.sql(`INSERT INTO dmarc_flush (id, added_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`), b.ID, time.Now().Unix())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		u := upsert{ctx: ctx, tx: tx, store: s}
		defer u.close()
		for i := range reports {
			if err := u.report(&reports[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// A report is a Report of a batch as it is stored.
type report struct {
	*aggregate.Report
	policy, destinations, errors string // JSON
	rows                         []row
}

type row struct {
	id, body string
	n        int64
}

// prepare turns a batch into what is stored. Reports and rows are in an order that is the same for
// all, so that two programs that add to the same ones wait for each other, and never both do.
func (s *Store) prepare(b *aggregate.Batch) ([]report, error) {
	reports := make([]report, 0, len(b.Reports))
	for _, r := range b.Reports {
		p := report{Report: r, rows: make([]row, 0, len(r.Rows))}
		for _, field := range []struct {
			to   *string
			from any
		}{{&p.policy, r.Policy}, {&p.destinations, r.Destinations}, {&p.errors, r.Errors}} {
			text, err := json.Marshal(field.from)
			if err != nil {
				return nil, err
			}
			*field.to = string(text)
		}
		for _, counted := range r.Rows {
			n := counted.Count
			counted.Count = 0
			body, err := json.Marshal(counted)
			if err != nil {
				return nil, err
			}
			p.rows = append(p.rows, row{hash(string(body)), string(body), n})
		}
		p.rows = merge(p.rows)
		reports = append(reports, p)
	}
	slices.SortFunc(reports, func(a, b report) int {
		return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.policy, b.policy))
	})
	return reports, nil
}

// merge sorts rows and adds up those that are the same.
func merge(rows []row) []row {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	merged := rows[:0]
	for _, r := range rows {
		if last := len(merged) - 1; last >= 0 && merged[last].id == r.id {
			merged[last].n += r.n
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// hash returns 26 letters and digits that stand for texts: 128 bits of their SHA-256.
func hash(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write([]byte(strconv.Itoa(len(text)) + " " + text))
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:16]))
}

func (s *Store) maxRows() int64 { return int64(limit.Of(s.MaxRows, DefaultMaxRows)) }
