package canon

import (
	"crypto/sha256"
	"hash"
	"math"
)

// Whole is the length of a Hash over the whole body.
const Whole = math.MaxInt64

// A Hash is the SHA-256 hash over a canonical body, or over the first octets of it.
// RFC 6376, sections 3.5 (l=) and 3.7.
type Hash struct {
	length int64 // how many octets are hashed, at most
	left   int64 // how many of them are still to come
	hash   hash.Hash

	sum      [sha256.Size]byte
	signed   int64
	unsigned int64
}

// Length returns the length that the hash was made for, or Whole.
func (h *Hash) Length() int64 { return h.length }

// Sum returns the hash, once the body has ended.
func (h *Hash) Sum() [sha256.Size]byte { return h.sum }

// Signed returns how many octets of the canonical body the hash is over, once the
// body has ended.
func (h *Hash) Signed() int64 { return h.signed }

// Unsigned returns how many octets of the canonical body came after those, once the
// body has ended. A CRLF that the message does not have, and that canonicalization
// appends to the last line, is not counted: a signer who counts the octets that it
// sends leaves nothing out.
func (h *Hash) Unsigned() int64 { return h.unsigned }

func (h *Hash) begin(length int64) {
	h.length, h.left = length, length
	h.signed, h.unsigned = 0, 0
	if h.hash == nil {
		h.hash = sha256.New()
	}
	h.hash.Reset()
}

func (h *Hash) write(p []byte) {
	if h.left < int64(len(p)) {
		p = p[:h.left]
	}
	h.left -= int64(len(p))
	h.hash.Write(p)
}

// end ends the hash. The canonical body has that many octets, the last of which,
// appended, were not in the message.
func (h *Hash) end(octets, appended int64) {
	h.hash.Sum(h.sum[:0])
	h.signed = min(h.length, octets)
	h.unsigned = max(0, octets-appended-h.signed)
}
