package dkim

import (
	"crypto/sha256"
	"strings"

	"github.com/mailverdict/mailverdict/internal/header"
)

// A workspace is the memory that verifying a message takes and no result refers to.
// A Verifier keeps some for the messages to come.
type workspace struct {
	header header.Header
	index  header.Index
	own    []int    // the DKIM-Signature fields
	quotes []string // by field: its name, or the body of a DKIM-Signature field

	checks  []*check
	lookups []lookup
	hashes  []*bodyHash
	hashing int     // how many of the hashes this message uses
	bodies  [2]body // by Canonicalization

	selector selector
}

// keptOctets bounds the buffers that are kept for the next message.
const keptOctets = 64 << 10

// reset forgets the message.
func (w *workspace) reset() {
	clear(w.header.Fields)
	clear(w.quotes)
	clear(w.checks)
	clear(w.lookups)
	w.own, w.checks, w.lookups, w.hashing = w.own[:0], w.checks[:0], w.lookups[:0], 0
	for i := range w.bodies {
		b := &w.bodies[i]
		*b = body{relaxed: Canonicalization(i) == Relaxed, hashes: b.hashes[:0], small: b.small[:0]}
	}
	if w.index.Octets() > keptOctets {
		w.index = header.Index{}
	}
	s := &w.selector
	if cap(s.text) > keptOctets || cap(s.field) > keptOctets {
		*s = selector{}
	}
}

// quote copies from the header what results refer to, in one piece, so that they
// keep nothing else of it.
func (w *workspace) quote() {
	size := 0
	for i, f := range w.header.Fields {
		if f.Is("dkim-signature") {
			w.own = append(w.own, i)
			size += len(f.Body())
		} else {
			size += len(f.Name())
		}
	}
	if len(w.own) == 0 {
		return
	}
	var b strings.Builder
	b.Grow(size)
	for n, i := 0, 0; i < len(w.header.Fields); i++ {
		if n < len(w.own) && w.own[n] == i {
			b.Write(w.header.Fields[i].Body())
			n++
		} else {
			b.Write(w.header.Fields[i].Name())
		}
	}
	rest := b.String()
	w.quotes = w.quotes[:0]
	for n, i := 0, 0; i < len(w.header.Fields); i++ {
		size := len(w.header.Fields[i].Name())
		if n < len(w.own) && w.own[n] == i {
			size = len(w.header.Fields[i].Body())
			n++
		}
		w.quotes = append(w.quotes, rest[:size])
		rest = rest[size:]
	}
}

// bodyHash returns the hash over the first limit octets of the body in that form,
// or nil where most are in use already.
func (w *workspace) bodyHash(c Canonicalization, limit int64, most int) *bodyHash {
	b := &w.bodies[c]
	for _, h := range b.hashes {
		if h.limit == limit {
			return h
		}
	}
	if w.hashing >= most {
		return nil
	}
	if w.hashing == len(w.hashes) {
		w.hashes = append(w.hashes, &bodyHash{hash: sha256.New()})
	}
	h := w.hashes[w.hashing]
	w.hashing++
	h.begin(limit)
	b.hashes = append(b.hashes, h)
	return h
}
