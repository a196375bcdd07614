package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// defaultStore is where reports are kept if nothing else is said.
const defaultStore = "sqlite:reports.db"

func storeFlag(set *flag.FlagSet, byDefault string) *string {
	return set.String("store", byDefault, "`URL` of the store: sqlite:FILE or postgres://…")
}

// openInbox opens the store of incoming reports.
func openInbox(ctx context.Context, store string) (inbox *sqlstore.Inbox, done func() error, err error) {
	db, dialect, err := database.Open(store)
	if err != nil {
		return nil, nil, err
	}
	inbox, err = sqlstore.OpenInbox(ctx, db, dialect)
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("-store %s: %w", database.WithoutPassword(store), err)
	}
	return inbox, db.Close, nil
}
