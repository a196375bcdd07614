package main

import (
	"log/slog"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/examples/internal/counting"
)

// openStore begins to count messages for aggregate reports, where the configuration names a store.
func (d *daemon) openStore(c *config) (err error) {
	if c.Store != "" {
		d.counter, err = counting.Open(counting.Options{
			URL: c.Store, Exclude: c.StoreExclude, Interval: c.StoreInterval, Log: d.log,
			Failed: func() { d.metrics.failures.WithLabelValues("store").Inc() },
		})
	}
	return err
}

// count counts a message for the reports, where there is a store, and returns what the log says of it.
// Mail of this host and of its users is no mail from outside.
func (d *daemon) count(msg *message, r *dmarc.Result, done dmarc.Verdict) []any {
	if d.counter == nil {
		return nil
	}
	delivery := aggregate.Delivery{Disposition: done.Disposition, Recipients: msg.rcpts}
	if o := done.Override; o != nil && o != r.DMARC.Override {
		delivery.Reasons = []aggregate.Reason{{Type: o.Type, Comment: o.Comment}}
	}
	counted := msg.kind != clientLocal && msg.kind != clientAuthenticated && d.counter.Add(r, delivery)
	return []any{slog.Bool("counted", counted)}
}
