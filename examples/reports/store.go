package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// defaultStore is where reports are kept if nothing else is said.
const defaultStore = "sqlite:reports.db"

func storeFlag(set *flag.FlagSet, byDefault string) *string {
	return set.String("store", byDefault, "`URL` of the store: sqlite:FILE or postgres://…")
}

// openDatabase opens the database that a URL names.
func openDatabase(store string) (*sql.DB, sqlstore.Dialect, error) {
	switch scheme, rest, _ := strings.Cut(store, ":"); {
	case scheme == "sqlite" && rest != "":
		// _txlock: a transaction that writes waits for others at its beginning, and never fails.
		source := "file:" + (&url.URL{Path: rest}).EscapedPath() +
			"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)&_txlock=immediate"
		db, err := sql.Open("sqlite", source)
		return db, sqlstore.SQLite, err
	case scheme == "postgres" || scheme == "postgresql":
		db, err := sql.Open("pgx", store)
		return db, sqlstore.PostgreSQL, err
	}
	return nil, 0, fmt.Errorf("-store %s: neither sqlite:FILE nor postgres://…", withoutPassword(store))
}

// openInbox opens the store of incoming reports.
func openInbox(ctx context.Context, store string) (inbox *sqlstore.Inbox, done func() error, err error) {
	db, dialect, err := openDatabase(store)
	if err != nil {
		return nil, nil, err
	}
	inbox, err = sqlstore.OpenInbox(ctx, db, dialect)
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("-store %s: %w", withoutPassword(store), err)
	}
	return inbox, db.Close, nil
}

// withoutPassword returns a URL as it may be printed.
func withoutPassword(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		scheme, _, _ := strings.Cut(store, ":")
		return scheme + ":…"
	}
	return u.Redacted()
}
