package dkim

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Verification is a message on its way through a Verifier. It is an io.Writer, for
// one goroutine.
type Verification struct {
	verifier *Verifier
	ctx      context.Context
	resolver resolver.Resolver
	err      error // why nothing more is taken: a limit, a reader, Finish
	ended    bool

	splitter header.Splitter
	now      time.Time // when the header ended
	checks   []*check  // one for each DKIM-Signature field, topmost first
	left     int       // fields that have no check: Limits.Results
	simple   body
	relaxed  body

	cancel  context.CancelFunc
	lookups []*lookup
	wait    sync.WaitGroup
}

// Write takes the next octets of the message. It fails only where the message
// exceeds a limit or Finish was called.
func (v *Verification) Write(p []byte) (int, error) {
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
func (v *Verification) Header() (raw []byte, ok bool) {
	return v.splitter.Header()
}

// Finish ends the message and returns a result for every DKIM-Signature field,
// topmost first. The error is that of a context that ended or a message that
// exceeds a limit; results that could be had are returned beside it.
func (v *Verification) Finish() ([]*Result, error) {
	if v.ended {
		return nil, errAfterFinish
	}
	defer func() { v.ended = true }()
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
	v.simple.end()
	v.relaxed.end()
	v.wait.Wait()
	v.release()
	results := make([]*Result, 0, len(v.checks)+1)
	for _, c := range v.checks {
		v.verifier.conclude(c, v.now)
		results = append(results, &c.result)
	}
	if v.left > 0 {
		results = append(results, notVerified(v.left))
	}
	return results, v.ctx.Err()
}

// abort gives up the message: Finish returns err.
func (v *Verification) abort(err error) {
	if v.err == nil {
		v.err = err
	}
}

// release ends what still runs, and waits for it.
func (v *Verification) release() {
	if v.cancel != nil {
		v.cancel()
	}
	v.wait.Wait()
}

// begin reads the header, once it is complete: it parses the signatures, asks for
// the keys, and sets up the hashes.
func (v *Verification) begin() {
	block, ok := v.splitter.Header()
	if !ok || !v.now.IsZero() {
		return
	}
	v.now = v.verifier.now()
	v.relaxed.relaxed = true
	v.checks, v.left = readSignatures(header.Parse(block), &v.verifier.Limits)
	for _, c := range v.checks {
		if c.result.Err == nil {
			v.addHash(c)
		}
		if c.result.Err == nil {
			v.addLookup(c)
		}
	}
	if len(v.lookups) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(v.ctx)
	v.cancel = cancel
	v.wait.Add(len(v.lookups))
	for _, l := range v.lookups {
		go l.ask(ctx, v.resolver, &v.wait)
	}
}

// addHash finds or adds the body hash that a signature is over.
func (v *Verification) addHash(c *check) {
	limit := int64(wholeBody)
	if l := c.signature.BodyLength; l != nil {
		limit = *l
	}
	b := v.body(c.signature.BodyCanonicalization)
	for _, h := range b.hashes {
		if h.limit == limit {
			c.bodyHash = h
			return
		}
	}
	if len(v.simple.hashes)+len(v.relaxed.hashes) >= v.verifier.Limits.bodyHashes() {
		c.refuse(StatusPolicy, cause.Wrap(ErrLimit, "hashes over the body", nil))
		return
	}
	c.bodyHash = &bodyHash{limit: limit, left: limit, hash: sha256.New()}
	b.hashes = append(b.hashes, c.bodyHash)
}

func (v *Verification) body(c Canonicalization) *body {
	if c == Relaxed {
		return &v.relaxed
	}
	return &v.simple
}

// addLookup finds or adds the question for the keys of a signature.
func (v *Verification) addLookup(c *check) {
	i := slices.IndexFunc(v.lookups, func(l *lookup) bool { return l.name == c.key.Name })
	if i < 0 {
		i = len(v.lookups)
		v.lookups = append(v.lookups, &lookup{name: c.key.Name})
	}
	c.lookup = v.lookups[i]
}

// hash feeds the hashes with octets of the body.
func (v *Verification) hash(octets []byte) {
	for _, b := range []*body{&v.simple, &v.relaxed} {
		if len(b.hashes) > 0 {
			b.Write(octets)
		}
	}
}
