package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// splitStore returns the driver, what it is to open, and the dialect of a store: "sqlite:FILE" or
// "postgres://HOST/DATABASE".
func splitStore(url string) (driver, source string, dialect sqlstore.Dialect, err error) {
	file, isFile := strings.CutPrefix(url, "sqlite:")
	switch {
	case isFile && file != "" && !strings.ContainsAny(file, "?#"):
		return "sqlite", "file:" + file + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)", sqlstore.SQLite, nil
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return "pgx", url, sqlstore.PostgreSQL, nil
	}
	return "", "", 0, fmt.Errorf("%q is neither sqlite:FILE nor postgres://HOST/DATABASE", url)
}

// openStore begins to count messages for aggregate reports, where the configuration names a store.
func (d *daemon) openStore(c *config) error {
	if c.Store == "" {
		return nil
	}
	driver, source, dialect, err := splitStore(c.Store)
	if err != nil {
		return err
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(context.Background(), db, dialect)
	if err != nil {
		_ = db.Close()
		return fmt.Errorf("store: %w", err)
	}
	d.reports = &aggregate.Accumulator{Store: store, Exclude: c.StoreExclude, Flushed: d.flushed}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.reports.Run(ctx) // its error was given to Flushed
		_ = db.Close()
	}()
	d.closeStore = func() {
		cancel()
		<-ended
	}
	return nil
}

// flushed notes what became of an attempt to store what was counted. After an error it is tried again.
func (d *daemon) flushed(b *aggregate.Batch, err error) {
	if err != nil {
		d.metrics.failures.WithLabelValues("store").Inc()
		d.log.Error("messages for reports not yet stored", slog.Int64("messages", b.Messages()), slog.String("failure", err.Error()))
	}
}

// count counts a message for the reports. Mail of this host and of its users is no mail from
// outside, and where nobody knows the client there is nothing to report.
func (d *daemon) count(msg *message, r *dmarc.Result, done dmarc.Verdict) {
	if d.reports == nil || msg.kind == clientLocal || msg.kind == clientAuthenticated || !r.Envelope.IP.IsValid() {
		return
	}
	delivery := aggregate.Delivery{Disposition: done.Disposition, Recipients: msg.rcpts}
	if o := done.Override; o != nil && o != r.DMARC.Override {
		delivery.Reasons = []aggregate.Reason{{Type: o.Type, Comment: o.Comment}}
	}
	d.reports.Add(r, delivery)
}
