// Package database opens the databases that the programs keep reports in.
package database

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// Open opens the database that a URL names: "sqlite:FILE" or "postgres://HOST/DATABASE". It does not
// connect; an error means that the URL is neither.
func Open(store string) (*sql.DB, sqlstore.Dialect, error) {
	switch scheme, rest, _ := strings.Cut(store, ":"); {
	case scheme == "sqlite" && rest != "":
		// _txlock: a transaction that writes waits for others at its beginning, and never fails.
		source := "file:" + (&url.URL{Path: rest}).EscapedPath() +
			"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)&_txlock=immediate"
		db, err := sql.Open("sqlite", source)
		if err == nil {
			db.SetMaxIdleConns(4) // each keeps its cache; a new one begins without
		}
		return db, sqlstore.SQLite, err
	case scheme == "postgres" || scheme == "postgresql":
		db, err := sql.Open("pgx", store)
		return db, sqlstore.PostgreSQL, err
	}
	return nil, 0, fmt.Errorf("%s: neither sqlite:FILE nor postgres://…", WithoutPassword(store))
}

// WithoutPassword returns a URL as it may be printed.
func WithoutPassword(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		scheme, _, _ := strings.Cut(store, ":")
		return scheme + ":…"
	}
	return u.Redacted()
}
