package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/examples/internal/verdictjson"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
	"github.com/mailverdict/mailverdict/spf"
)

// A checker verifies messages as the flags say.
type checker struct {
	options *options
	shared  *dmarc.Verifier
}

func newChecker(o *options) (*checker, error) {
	answers, err := o.dns.Resolver()
	if err != nil {
		return nil, err
	}
	c := &checker{options: o}
	c.shared = c.newVerifier(answers, o.now)
	return c, nil
}

func (c *checker) newVerifier(r resolver.Resolver, now time.Time) *dmarc.Verifier {
	v := &dmarc.Verifier{Resolver: r}
	v.SPF.Receiver = c.options.authservID
	v.SPF.Trace = true // the explanation goes through the record term by term
	if c.options.psl {
		v.Discovery.Mode = discovery.PublicSuffix
	}
	if !now.IsZero() {
		v.Now = func() time.Time { return now }
	}
	return v
}

// verifier returns the Verifier for a message with that sidecar.
func (c *checker) verifier(s *sidecar.Sidecar) *dmarc.Verifier {
	if s == nil {
		return c.shared
	}
	now := c.options.now
	if now.IsZero() {
		now = s.Now
	}
	if len(c.options.dns.Zones) == 0 && s.Zone != nil {
		return c.newVerifier(s.Zone, now)
	}
	return c.newVerifier(c.shared.Resolver, now)
}

// An outcome is what came of one message.
type outcome struct {
	file   string
	result *dmarc.Result
	from   envelope.Origins
	dns    []trace.Event // with -v and -record
	notes  []string      // what was taken away from around the message
	late   *lateness     // -timeout ended the check; else nil
	err    error         // it could not be read; then there is no result

	unrecorded error // why -record failed, or nil
}

// object returns what -json writes.
func (o outcome) object(opts *options) verdictjson.Checked {
	return verdictjson.Checked{
		File: o.file, Result: o.result, From: o.from, Notes: o.notes,
		AuthservID: opts.authservID, Verbose: opts.verbose, DNS: o.dns,
	}
}

// verify checks one message.
func (c *checker) verify(ctx context.Context, l letter) outcome {
	o := outcome{file: l.name}
	limited, cancel := context.WithTimeout(ctx, c.options.timeout)
	defer cancel()
	body := &untilDone{ctx: limited, r: l.body}
	if l.live {
		body.r = &interruptible{ctx: limited, r: l.body}
	}
	fields, message, err := saved.ReadHeader(body)
	if err != nil && !timeUp(limited) {
		o.err = cause(err)
		return o
	}
	var session dmarc.Envelope
	session, o.from = c.options.session(l.sidecar, fields)

	var recorded *recording
	if dir := c.options.record; dir != "" {
		if recorded, o.unrecorded = record(dir, l.name); recorded != nil {
			message = io.TeeReader(message, recorded)
		}
	}
	traced, questions := c.trace(limited)
	o.result, err = c.verifier(l.sidecar).Verify(traced, session, message)
	o.dns = questions()
	switch {
	case o.result != nil && timeUp(limited) && (err != nil || isOpen(o.result)):
		// Out of time is a result: what was not read or answered is temperror in it.
		o.late = &lateness{limit: c.options.timeout, unread: !body.ended}
	case err == nil:
	default:
		o.result, o.err = nil, cause(err)
	}
	if o.notes = l.notes; l.late != nil {
		o.notes = append(o.notes, l.late()...)
	}
	if o.result != nil && c.options.now.IsZero() && (l.sidecar == nil || l.sidecar.Now.IsZero()) {
		if hint := expiredSince(o.result, fields); hint != "" {
			o.notes = append(o.notes, hint)
		}
	}
	if recorded != nil {
		o.keep(recorded)
	}
	return o
}

// isOpen reports whether a part of the result is temperror.
func isOpen(r *dmarc.Result) bool {
	return r.DMARC.Status == dmarc.StatusTempError || r.SPF.Status == spf.StatusTempError || r.HELO.Status == spf.StatusTempError ||
		slices.ContainsFunc(r.DKIM, func(d *dkim.Result) bool { return d.Status == dkim.StatusTempError })
}

// keep ends a recording.
func (o *outcome) keep(r *recording) {
	if o.result == nil {
		r.abandon()
		return
	}
	if o.unrecorded = r.finish(o.result, o.dns); o.unrecorded == nil {
		o.notes = append(o.notes, "recorded as "+r.base+".eml, with .zone and .json beside it")
	}
}

// A lateness says that -timeout ended a check.
type lateness struct {
	limit  time.Duration
	unread bool // before the message had been read to its end, and not before DNS had answered
}

func (l *lateness) String() string {
	if l.unread {
		return fmt.Sprintf("The time limit (-timeout %v) ended before the message did.", l.limit)
	}
	return fmt.Sprintf("The time limit (-timeout %v) ended before DNS had answered.", l.limit)
}

// timeUp reports whether a context ended by -timeout, and not by a signal.
func timeUp(limited context.Context) bool {
	return errors.Is(limited.Err(), context.DeadlineExceeded)
}

// trace collects the DNS questions of a context, with -v and -record.
func (c *checker) trace(ctx context.Context) (context.Context, func() []trace.Event) {
	if !c.options.verbose && c.options.record == "" {
		return ctx, func() []trace.Event { return nil }
	}
	var mu sync.Mutex
	var events []trace.Event
	ctx = trace.With(ctx, func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	})
	return ctx, func() []trace.Event {
		mu.Lock()
		defer mu.Unlock()
		slices.SortStableFunc(events, func(a, b trace.Event) int { return a.Start.Compare(b.Start) })
		return events
	}
}

// untilDone reads until the context ends.
type untilDone struct {
	ctx   context.Context
	r     io.Reader
	ended bool // all has been read
}

func (u *untilDone) Read(p []byte) (int, error) {
	if u.ended {
		return 0, io.EOF
	}
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := u.r.Read(p)
	u.ended = err == io.EOF
	return n, err
}
