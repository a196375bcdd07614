// Package counting counts the messages that a program takes, in a database, for aggregate reports about
// them.
package counting

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// Options say where counts go.
type Options struct {
	URL      string        // of the store: sqlite:FILE or postgres://…
	Exclude  []string      // domains and recipients that are in no report
	Interval time.Duration // how often counts are stored; zero is a minute
	Log      *slog.Logger  // what is stored, and what is lost
	Failed   func()        // called, if it is set, each time that the store cannot be had
}

// A Counter counts until it is closed. It is safe for concurrent use. A nil Counter counts nothing.
type Counter struct {
	counts *aggregate.Accumulator
	cancel context.CancelFunc
	ended  chan struct{}
}

// Open begins to count. A store that cannot be reached keeps no mail back: it is opened later, and
// counts are held as long. The error is one of the URL.
func Open(o Options) (*Counter, error) {
	db, dialect, err := database.Open(o.URL)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &store{db: db, dialect: dialect, log: o.Log.With(slog.String("store", database.WithoutPassword(o.URL))), onFailure: o.Failed}
	if err := s.open(context.Background()); err != nil {
		s.failed("the store cannot be opened: counts are kept and it is tried again", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Counter{
		counts: &aggregate.Accumulator{Store: s, Exclude: o.Exclude, Interval: o.Interval},
		cancel: cancel,
		ended:  make(chan struct{}),
	}
	go func() {
		defer close(c.ended)
		if err := c.counts.Run(ctx); err != nil {
			s.failed("the program ends: counts that were not stored are lost", err)
		}
		_ = db.Close()
	}()
	return c, nil
}

// Add counts a message, and reports whether it did. Where nobody knows the client there is nothing to
// report.
func (c *Counter) Add(r *dmarc.Result, d aggregate.Delivery) bool {
	return c != nil && r.Envelope.IP.IsValid() && c.counts.Add(r, d)
}

// Close stores what was counted. Add must not be called any more.
func (c *Counter) Close() {
	if c != nil {
		c.cancel()
		<-c.ended
	}
}

// A store is the database, opened when it can be. It logs each batch before and after it is stored, so
// that after a kill -9 the log says what is in the database: all batches with a line "counts stored",
// and the one without if the database has its id. Messages after it that the log calls counted are lost.
type store struct {
	db        *sql.DB
	dialect   sqlstore.Dialect
	log       *slog.Logger
	onFailure func()
	sql       *sqlstore.Store // nil until it is open
}

func (s *store) open(ctx context.Context) (err error) {
	if s.sql == nil {
		s.sql, err = sqlstore.Open(ctx, s.db, s.dialect)
	}
	return err
}

func (s *store) failed(what string, err error) {
	if s.onFailure != nil {
		s.onFailure()
	}
	s.log.Error(what, slog.String("failure", err.Error()))
}

// Add implements aggregate.Store. The Accumulator calls it once at a time.
func (s *store) Add(ctx context.Context, b *aggregate.Batch) error {
	log := s.log.With(slog.String("batch", b.ID), slog.Int64("messages", b.Messages()))
	log.Info("storing counts")
	err := s.open(ctx)
	if err == nil {
		err = s.sql.Add(ctx, b)
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
