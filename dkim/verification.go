package dkim

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Session is a message on its way through a Verifier, or one message after the
// other: see Reset. It is an io.Writer, for one goroutine.
type Session struct {
	verifier *Verifier
	ctx      context.Context
	resolver resolver.Resolver
	err      error // why nothing more is taken: a limit, a reader, Finish
	ended    bool

	splitter   header.Splitter
	*workspace           // from the end of the header until Finish
	now        time.Time // when the header ended
	left       int       // fields that have no result of their own: Limits.Results

	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// Reset makes v ready for another message, as BeginWith does a new Verification, and uses
// its memory for it. What Header returned is valid no longer; results stay as they are. A
// message under way is given up, for which Reset waits as Finish does. r answers the
// questions of the new message, and is not nil.
func (v *Session) Reset(ctx context.Context, r resolver.Resolver) {
	v.release()
	splitter := v.splitter
	splitter.Reset(v.verifier.Limits.header())
	*v = Session{verifier: v.verifier, ctx: ctx, resolver: r, splitter: splitter}
}

// Write takes the next octets of the message. It fails only where the message
// exceeds a limit, its context has ended, or Finish was called.
func (v *Session) Write(p []byte) (int, error) {
	if v.err == nil && !v.ended {
		v.err = v.ctx.Err()
	}
	if v.err != nil {
		return 0, v.err
	}
	if v.ended {
		return 0, errAfterFinish
	}
	for rest := p; len(rest) > 0; {
		var octets []byte
		octets, rest, v.err = v.splitter.Next(rest)
		if v.err != nil {
			v.err = cause.Wrap(ErrLimit, "", v.err)
			return 0, v.err
		}
		if len(octets) > 0 {
			v.hash(octets)
		} else {
			v.begin()
		}
	}
	return len(p), nil
}

// Header returns the header block as it was taken (line ends as the package comment
// says), the empty line after it not included, once all of it has been written or
// Finish was called; before, and where it exceeds a limit, ok is false.
func (v *Session) Header() (raw []byte, ok bool) {
	return v.splitter.Header()
}

// Finish ends the message and returns a result for every DKIM-Signature field,
// topmost first. The error is that of a context that ended or a message that
// exceeds a limit; results that could be had are returned beside it.
func (v *Session) Finish() ([]*Result, error) {
	if v.ended {
		return nil, errAfterFinish
	}
	defer v.end()
	if v.err == nil {
		if err := v.splitter.End(); err != nil {
			v.err = cause.Wrap(ErrLimit, "", err)
		}
	}
	if v.err != nil {
		v.release()
		return nil, v.err
	}
	v.begin()
	v.bodies[Simple].end()
	v.bodies[Relaxed].end()
	v.wait.Wait()
	results := make([]*Result, 0, len(v.checks)+min(v.left, 1))
	for _, c := range v.checks {
		v.verifier.conclude(c, v.now)
		c.bodyHash, c.lookup = nil, nil // which the result would keep, and all beside them
		results = append(results, &c.result)
	}
	if v.left > 0 {
		results = append(results, notVerified(v.left))
	}
	v.release()
	return results, v.ctx.Err()
}

// end says that Finish was called. What a Verification keeps for the next message is not
// the caller's.
func (v *Session) end() {
	v.ended, v.ctx, v.resolver = true, nil, nil
}

// abort gives up the message: Finish returns err.
func (v *Session) abort(err error) {
	if v.err == nil {
		v.err = err
	}
}

// release ends what still runs, waits for it, and gives the memory back.
func (v *Session) release() {
	if v.cancel != nil {
		v.cancel()
		v.cancel = nil // which holds the context
	}
	v.wait.Wait()
	if v.workspace != nil {
		v.verifier.putWorkspace(v.workspace)
		v.workspace = nil
	}
}

// begin reads the header, once it is complete: it parses the signatures, asks for
// the keys, and sets up the hashes.
func (v *Session) begin() {
	block, ok := v.splitter.Header()
	if !ok || v.workspace != nil {
		return
	}
	v.now = v.verifier.now()
	v.workspace = v.verifier.getWorkspace()
	v.header.Parse(block)
	limits := &v.verifier.Limits
	v.left = v.readSignatures(limits)
	// The questions are referred to, so that their slice must not move.
	v.lookups = slices.Grow(v.lookups, len(v.checks))
	v.assignHashes(limits.bodyHashes())
	for _, c := range v.checks {
		if c.result.Err == nil {
			c.lookup = v.lookup(c.key.Name)
		}
	}
	v.askAll()
}

// assignHashes finds or adds the body hash that each signature is over, at most most of them.
// Those over the whole body come first, since there are only two kinds; of the others
// those that could align do: junk on top of a message must not push out the good one.
func (v *Session) assignHashes(most int) {
	var authors []string
	if slices.ContainsFunc(v.checks, func(c *check) bool { return c.signature.BodyLength != nil }) {
		authors = authorDomains(v.header.Fields)
	}
	for turn := range 3 {
		for _, c := range v.checks {
			if c.result.Err != nil || c.hashTurn(authors) != turn {
				continue
			}
			limit := int64(wholeBody)
			if l := c.signature.BodyLength; l != nil {
				limit = *l
			}
			c.bodyHash = v.bodyHash(c.signature.BodyCanonicalization, limit, most)
			if c.bodyHash == nil {
				c.refuse(StatusPolicy, cause.Wrap(ErrLimit, "hashes over the body", nil))
			}
		}
	}
}

// hashTurn is when a signature gets its body hash.
func (c *check) hashTurn(authors []string) int {
	switch {
	case c.signature.BodyLength == nil:
		return 0
	case couldAlign(c.signature.Domain, authors):
		return 1
	}
	return 2
}

// askAll asks all questions at once.
func (v *Session) askAll() {
	var ctx context.Context
	for i := range v.lookups {
		l := &v.lookups[i]
		if l.recall(v.ctx, v.resolver) {
			continue
		}
		if ctx == nil {
			ctx, v.cancel = context.WithCancel(v.ctx)
		}
		v.wait.Add(1)
		go l.ask(ctx, v.resolver, &v.wait)
	}
}

// hash feeds the hashes with octets of the body.
func (v *Session) hash(octets []byte) {
	for i := range v.bodies {
		if b := &v.bodies[i]; len(b.hashes) > 0 {
			b.Write(octets)
		}
	}
}
