package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// openStore begins to count messages for aggregate reports, where the configuration names a store. A
// store that cannot be reached keeps no mail back: it is opened later, and counts are held as long.
func (d *daemon) openStore(c *config) error {
	if c.Store == "" {
		return nil
	}
	db, dialect, err := database.Open(c.Store)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	store := &countStore{db: db, dialect: dialect, log: d.log.With(slog.String("store", database.WithoutPassword(c.Store))), metrics: d.metrics}
	if err := store.open(context.Background()); err != nil {
		store.failed("the store cannot be opened: counts are kept and it is tried again", err)
	}
	d.reports = &aggregate.Accumulator{Store: store, Exclude: c.StoreExclude, Interval: c.StoreInterval}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.reports.Run(ctx); err != nil {
			store.failed("the program ends: counts that were not stored are lost", err)
		}
		_ = db.Close()
	}()
	d.closeStore = func() {
		cancel()
		<-ended
	}
	return nil
}

// A countStore is the store of a configuration, opened when it can be. It logs each batch before and
// after it is stored, so that after a kill -9 the log says what is in the store: all batches with a line
// "counts stored", and the one without if the store has its id. Messages after it that the log calls
// counted are lost.
type countStore struct {
	db      *sql.DB
	dialect sqlstore.Dialect
	log     *slog.Logger
	metrics *metrics
	store   *sqlstore.Store // nil until it is open
}

func (s *countStore) open(ctx context.Context) (err error) {
	if s.store == nil {
		s.store, err = sqlstore.Open(ctx, s.db, s.dialect)
	}
	return err
}

func (s *countStore) failed(what string, err error) {
	s.metrics.failures.WithLabelValues("store").Inc()
	s.log.Error(what, slog.String("failure", err.Error()))
}

// Add implements aggregate.Store. The Accumulator calls it once at a time.
func (s *countStore) Add(ctx context.Context, b *aggregate.Batch) error {
	log := s.log.With(slog.String("batch", b.ID), slog.Int64("messages", b.Messages()))
	log.Info("storing counts")
	err := s.open(ctx)
	if err == nil {
		err = s.store.Add(ctx, b)
	}
	switch {
	case err != nil:
		s.failed("counts not stored: they are kept and it is tried again", err)
	case b.Lost > 0:
		log.Warn("counts stored, but for messages under too many different policies", slog.Int64("lost", b.Lost))
	default:
		log.Info("counts stored")
	}
	return err
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
