package sqlstore_test

import (
	"context"
	"database/sql"
	"log"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// A server counts the messages that it takes. The program links the driver of its database:
//
//	import _ "modernc.org/sqlite"
func ExampleStore() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "reports.db")
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	counts := aggregate.Accumulator{Store: store, Exclude: []string{"dmarc@receiver.example"}}
	go func() {
		if err := counts.Run(ctx); err != nil {
			log.Print(err)
		}
	}()
	// For each message: counts.Add(result, delivery)
}
