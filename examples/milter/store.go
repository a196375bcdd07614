package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// openStore begins to count messages for aggregate reports, where the configuration names a store.
func (d *daemon) openStore(c *config) error {
	if c.Store == "" {
		return nil
	}
	db, dialect, err := database.Open(c.Store)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	store, err := sqlstore.Open(context.Background(), db, dialect)
	if err != nil {
		_ = db.Close()
		return fmt.Errorf("store %s: %w", database.WithoutPassword(c.Store), err)
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

// count counts a message for the reports, and reports whether it did. Mail of this host and of its users
// is no mail from outside, and where nobody knows the client there is nothing to report.
func (d *daemon) count(msg *message, r *dmarc.Result, done dmarc.Verdict) bool {
	if msg.kind == clientLocal || msg.kind == clientAuthenticated || !r.Envelope.IP.IsValid() {
		return false
	}
	delivery := aggregate.Delivery{Disposition: done.Disposition, Recipients: msg.rcpts}
	if o := done.Override; o != nil && o != r.DMARC.Override {
		delivery.Reasons = []aggregate.Reason{{Type: o.Type, Comment: o.Comment}}
	}
	return d.reports.Add(r, delivery)
}
