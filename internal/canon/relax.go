package canon

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// relax canonicalizes a span that begins and ends with an octet other than white
// space, CR and LF, so that every octet before the last has a successor in it.
//
// White space stays as it is where it is one space with more of the line after it,
// as it mostly is in text; everything between two places that change goes on as
// one span. Where such places stand close together, spans cost more than they
// save, and octets are gone through one by one.
func (b *Body) relax(p []byte) {
	const (
		block = 4 << 10 // octets looked at before they are hashed: they stay in the cache
		near  = 16      // two places less than this apart are close
	)
	for i := 0; i < len(p); {
		end := min(i+block, len(p))
		n := nextChange(p, i, end)
		if n == end {
			b.put(p[i:end])
			i = end
			continue
		}
		if n-i < near {
			if done := b.squeeze(p[i:]); done > 0 {
				i += done
				continue
			}
		}
		b.put(p[i:n])
		i = b.space1(p, n)
	}
}

// space1 writes the white space that begins at p[i] as relaxed has it, nothing at
// the end of a line and one space elsewhere, and returns where it ends.
func (b *Body) space1(p []byte, i int) int {
	for isSpace(p[i]) {
		i++
	}
	if !isLineEnd(p, i) {
		b.putShort(" ")
	}
	return i
}

// window is how many octets squeeze takes at once: a power of two.
const window = 256

// squeeze canonicalizes octet by octet as much at the beginning of p as white space
// stands close together in, and returns how much that was. It does nothing where p
// is short or has a bare CR, which takes a look further ahead.
func (b *Body) squeeze(p []byte) int {
	i := 0
	for i+window+2 <= len(p) && !hasBareCR(p[i:i+window+2]) {
		gone := b.squeezeWindow((*[window + 2]byte)(p[i:]))
		i += window
		if gone < window/32 {
			break
		}
	}
	return i
}

// squeezeWindow canonicalizes a window and returns how many octets went. White
// space goes where more of it or a line end follows. The loop has no branches:
// where white space is everywhere, no processor guesses them well.
func (b *Body) squeezeWindow(p *[window + 2]byte) int {
	b.room(window)
	b.small = slices.Grow(b.small, window)
	out := (*[window]byte)(b.small[len(b.small) : len(b.small)+window])
	n := 0
	c := p[0]
	this := octets[c]
	for _, nextC := range p[1 : window+1] {
		next := octets[nextC]
		out[n%window] = c + byte(this)
		n += 1 - int(this>>8&(next>>9)&1)
		c, this = nextC, next
	}
	b.octets -= int64(window - n)
	b.small = b.small[:len(b.small)+n]
	return window - n
}

// octets says of white space and CR what relaxed does: add the low eight bits to the
// octet; bit 8 is set where it goes if bit 9 is set for the octet after it.
var octets = [256]uint32{
	' ':  1<<8 | 1<<9,
	'\t': 1<<8 | 1<<9 | (' ' - '\t'),
	'\r': 1 << 9,
}

// hasBareCR reports whether a CR without an LF after it is in p, its last octet left
// out.
func hasBareCR(p []byte) bool {
	for {
		i := bytes.IndexByte(p, '\r')
		if i < 0 || i+1 == len(p) {
			return false
		}
		if p[i+1] != '\n' {
			return true
		}
		p = p[i+2:]
	}
}

// isLineEnd reports whether a CRLF begins at p[i].
func isLineEnd(p []byte, i int) bool {
	return p[i] == '\r' && i+1 < len(p) && p[i+1] == '\n'
}

// nextChange returns the first white space in p[i:end] that relaxed changes: a
// tab, more than one octet, or the end of a line; end if there is none.
func nextChange(p []byte, i, end int) int {
	// Base64 has no white space at all, and this is the fastest way to know.
	if bytes.IndexByte(p[i:end], ' ') < 0 && bytes.IndexByte(p[i:end], '\t') < 0 {
		return end
	}
	return nextChangeAmongWords(p, i, end)
}

// nextChangeAmongWords is nextChange where white space is likely.
func nextChangeAmongWords(p []byte, i, end int) int {
	for i = nextSuspect(p, i, end); i < end && !changes(p, i); {
		i = nextSuspect(p, i+1, end)
	}
	return i
}

// changes reports whether relaxed changes the octet p[i], given that it leaves the
// one before it alone.
func changes(p []byte, i int) bool {
	switch p[i] {
	case '\t':
		return true
	case ' ':
		return isSpace(p[i+1]) || isLineEnd(p, i+1)
	}
	return false
}

// nextSuspect returns an index in p[i:end], none after the first octet that changes,
// or end.
func nextSuspect(p []byte, i, end int) int {
	for ; i+64 <= end && i+65 <= len(p); i += 64 {
		w := (*[65]byte)(p[i:])
		if suspects(w[0:9])|suspects(w[8:17])|suspects(w[16:25])|suspects(w[24:33])|
			suspects(w[32:41])|suspects(w[40:49])|suspects(w[48:57])|suspects(w[56:65]) != 0 {
			break
		}
	}
	for ; i+8 <= end && i+9 <= len(p); i += 8 {
		w := (*[9]byte)(p[i:])
		if at := suspects(w[:]); at != 0 {
			return i + bits.TrailingZeros64(at)/8
		}
	}
	for ; i < end && !(p[i] == '\t' || p[i] == ' ' && p[i+1] <= ' '); i++ {
	}
	return i
}

// suspects returns a number with a bit set in the place of each of the first eight
// octets of p that is a tab, or a space with an octet after it that may be space,
// tab or CR. Other octets may be marked too, but rarely in text.
func suspects(p []byte) uint64 {
	const ones = 0x0101010101010101
	octets := binary.LittleEndian.Uint64(p)
	after := binary.LittleEndian.Uint64(p[1:])
	// Zero in the octets that are spaces with one of 0x01 to 0x20 after them ...
	pair := (octets ^ ones*' ') | (after-ones)&(ones*0x60)
	// ... and in those that are tabs.
	tab := octets ^ ones*'\t'
	// Taking one from zero sets the high bit, which ASCII does not have; borrows
	// can mark the octet after a marked one.
	return ((pair - ones) | (tab - ones)) &^ octets & (ones * 0x80)
}
