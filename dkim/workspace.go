package dkim

import (
	"crypto/sha256"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A workspace is the memory that verifying a message takes and no result refers to.
// A Verifier keeps some for the messages to come.
type workspace struct {
	header header.Header
	index  header.Index
	own    []signatureField
	quotes string // see quote
	text   []byte // the same
	ends   []int  // by field: where it ends in quotes

	checks  []*check
	lookups []lookup
	hashes  []*bodyHash
	hashing int     // how many of the hashes this message uses
	bodies  [2]body // by Canonicalization

	selector selector
}

// A signatureField is a DKIM-Signature field of the header.
type signatureField struct {
	field int    // which one
	value []byte // of b=, as it stands in the header block
}

// keptOctets bounds the buffers that are kept for the next message.
const keptOctets = 64 << 10

// reset forgets the message.
func (w *workspace) reset() {
	clear(w.header.Fields)
	clear(w.own)
	clear(w.checks)
	clear(w.lookups)
	w.own, w.checks, w.lookups, w.hashing = w.own[:0], w.checks[:0], w.lookups[:0], 0
	w.quotes, w.text, w.ends = "", w.text[:0], w.ends[:0]
	if cap(w.text) > keptOctets {
		w.text = nil
	}
	for i := range w.bodies {
		b := &w.bodies[i]
		*b = body{relaxed: Canonicalization(i) == Relaxed, hashes: b.hashes[:0], small: b.small[:0]}
	}
	if w.index.Octets() > keptOctets {
		w.index = header.Index{}
	}
	s := &w.selector
	if cap(s.text) > keptOctets {
		*s = selector{}
	}
}

// quote copies from the header what results refer to, in one piece, so that they
// keep nothing else of it: the bodies of DKIM-Signature fields, without the value of
// b=, and the names of others.
func (w *workspace) quote() {
	for i := range w.header.Fields {
		f := &w.header.Fields[i]
		if f.Is("dkim-signature") {
			body := f.Body()
			start, end, _ := tagvalue.Find(body, "b")
			w.own = append(w.own, signatureField{field: i, value: body[start:end]})
			w.text = append(append(w.text, body[:start]...), body[end:]...)
		} else {
			w.text = append(w.text, f.Name()...)
		}
		w.ends = append(w.ends, len(w.text))
	}
	if len(w.own) > 0 {
		w.quotes = string(w.text)
	}
}

// quoted returns what quote copied from field i.
func (w *workspace) quoted(i int) string {
	start, end := w.span(i)
	return w.quotes[start:end]
}

// span returns where it stands in quotes, and in text.
func (w *workspace) span(i int) (start, end int) {
	if i > 0 {
		start = w.ends[i-1]
	}
	return start, w.ends[i]
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
