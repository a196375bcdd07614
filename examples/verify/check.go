package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// A checker verifies messages as the flags say.
type checker struct {
	options *options
	zone    resolver.Zone // of -zone: all of DNS for every message, or nil
	shared  *dmarc.Verifier
}

func newChecker(o *options) (*checker, error) {
	if len(o.messages) == 0 && (o.ip.IsValid() || o.from != nil || o.helo != nil) &&
		(!o.ip.IsValid() || o.from == nil && o.helo == nil) {
		return nil, errors.New("without a message, SPF needs -ip and one of -from and -helo")
	}
	c := &checker{options: o}
	for _, path := range o.zones {
		zone, err := readZone(path)
		if err != nil {
			return nil, err
		}
		if c.zone == nil {
			c.zone = resolver.Zone{}
		}
		c.zone.Add(zone)
	}
	c.shared = c.newVerifier(c.resolver(), o.now)
	return c, nil
}

func readZone(path string) (resolver.Zone, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	defer f.Close()
	return resolver.ParseZone(f, filepath.Clean(path))
}

// resolver returns what answers the questions of messages that have no zone of their own.
func (c *checker) resolver() resolver.Resolver {
	if c.zone != nil {
		return c.zone
	}
	client := &resolver.Client{}
	if c.options.dns != "" {
		client.Servers = []string{c.options.dns}
	}
	return &resolver.Cache{Resolver: client}
}

func (c *checker) newVerifier(r resolver.Resolver, now time.Time) *dmarc.Verifier {
	v := &dmarc.Verifier{Resolver: r}
	v.SPF.Receiver = c.options.authservID
	// The explanation goes through the record term by term.
	v.SPF.Trace = !c.options.json || c.options.verbose
	if c.options.psl {
		v.Discovery = dmarc.PublicSuffix{}
	}
	if !now.IsZero() {
		v.Now = func() time.Time { return now }
	}
	return v
}

// verifier returns the Verifier for a message with that sidecar.
func (c *checker) verifier(s *sidecar) *dmarc.Verifier {
	if s == nil {
		return c.shared
	}
	now := c.options.now
	if now.IsZero() {
		now = s.now
	}
	if c.zone == nil && s.zone != nil {
		return c.newVerifier(s.zone, now)
	}
	return c.newVerifier(c.shared.Resolver, now)
}

// An outcome is what came of one message.
type outcome struct {
	file   string
	result *dmarc.Result
	from   origins
	dns    []resolver.Event // with -v
	err    error            // it could not be read; then there is no result
}

// verify checks one message.
func (c *checker) verify(ctx context.Context, l letter) outcome {
	o := outcome{file: l.name}
	fields, message, err := readHeader(untilDone{ctx, l.body})
	if err != nil {
		o.err = err
		return o
	}
	var envelope dmarc.Envelope
	envelope, o.from = c.options.envelope(l.sidecar, fields)

	limited, cancel := context.WithTimeout(ctx, c.options.timeout)
	defer cancel()
	limited, questions := c.trace(limited)
	o.result, err = c.verifier(l.sidecar).Verify(limited, envelope, message)
	o.dns = questions()
	// Out of time is a result: what DNS did not answer by then is temperror in it.
	if err != nil && !(errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && o.result != nil) {
		o.result, o.err = nil, cause(err)
	}
	return o
}

// trace collects the DNS questions of a context, with -v.
func (c *checker) trace(ctx context.Context) (context.Context, func() []resolver.Event) {
	if !c.options.verbose {
		return ctx, func() []resolver.Event { return nil }
	}
	var mu sync.Mutex
	var events []resolver.Event
	ctx = resolver.WithTrace(ctx, &resolver.Trace{Done: func(e resolver.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	}})
	return ctx, func() []resolver.Event {
		mu.Lock()
		defer mu.Unlock()
		slices.SortStableFunc(events, func(a, b resolver.Event) int { return a.Start.Compare(b.Start) })
		return events
	}
}

// untilDone reads until the context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
