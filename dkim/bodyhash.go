package dkim

import (
	"crypto/sha256"
	"hash"
	"math"
)

// A bodyHash is a hash over the canonical body, or over the first limit octets of
// it. RFC 6376, sections 3.5 (l=) and 3.7.
type bodyHash struct {
	limit int64 // math.MaxInt64 without l=

	hash hash.Hash
	left int64

	// When the body has ended: its hash, and the octets of the whole of it.
	sum    [sha256.Size]byte
	octets int64
}

const wholeBody = math.MaxInt64

func (h *bodyHash) begin(limit int64) {
	h.limit, h.left = limit, limit
	h.hash.Reset()
}

func (h *bodyHash) write(p []byte) {
	if h.left < int64(len(p)) {
		p = p[:h.left]
	}
	h.left -= int64(len(p))
	h.hash.Write(p)
}

func (h *bodyHash) end(octets int64) {
	h.hash.Sum(h.sum[:0])
	h.octets = octets
}
