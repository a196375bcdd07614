package canon

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// block is how many octets relax takes at a time: they stay in the fastest cache until
// they are hashed.
const block = smallSize

// relax canonicalizes a span that begins and ends with an octet other than white
// space, CR and LF. So every octet before the last has a successor in the span, and
// what becomes of white space depends on the span alone: it is removed if more of it
// or CRLF follows, and otherwise becomes a space.
func (b *Body) relax(p []byte) {
	for len(p) > 0 {
		n := min(block, len(p))
		tabs := bytes.IndexByte(p[:n], '\t') >= 0
		clean := 0
		switch {
		case tabs:
		case bytes.IndexByte(p[:n], ' ') < 0: // as in base64: this is the fastest way to know
			clean = n
		default:
			clean = cleanPrefix(p, n)
		}
		b.put(p[:clean])
		if rest := n - clean; rest > 0 {
			if len(b.small)+rest > smallSize {
				b.flush()
			}
			before := len(b.small)
			b.small = appendSqueezed(b.small, p[clean:], rest, tabs)
			b.octets += int64(len(b.small) - before)
		}
		p = p[n:]
	}
}

// cleanPrefix returns how many of the first n octets of p, which is as relax says, certainly
// stay as they are. There is no tab among them.
func cleanPrefix(p []byte, n int) int {
	n = min(n, len(p)-1) &^ 63
	for i := 0; i < n; i += 64 {
		w := (*[65]byte)(p[i : i+65])
		if isMarked(spaces(word(w[0:8]), word(w[1:9])) | spaces(word(w[8:16]), word(w[9:17])) |
			spaces(word(w[16:24]), word(w[17:25])) | spaces(word(w[24:32]), word(w[25:33])) |
			spaces(word(w[32:40]), word(w[33:41])) | spaces(word(w[40:48]), word(w[41:49])) |
			spaces(word(w[48:56]), word(w[49:57])) | spaces(word(w[56:64]), word(w[57:65]))) {
			return i
		}
	}
	return n
}

// isClean reports whether a line, which neither begins nor ends with white space, certainly
// stays as it is. Of a line of less than 9 octets it is never certain.
func isClean(line []byte) bool {
	last := len(line) - 9 // 8 octets, and the one that follows, which is no white space
	if last < 0 {
		return false
	}
	octets := word(line[last:])
	marks := spaces(octets, word(line[last+1:])) | tabsIn(octets)
	for i := 0; i < last; i += 8 {
		octets := word(line[i:])
		marks |= spaces(octets, word(line[i+1:])) | tabsIn(octets)
	}
	return !isMarked(marks)
}

// appendSqueezed appends the canonical form of the first n octets of p, which is as relax
// says, to dst; tabs says whether there is a tab among them. It takes 8 octets as one
// number, and 4 numbers at a time: in most text no white space changes among them, and
// they are copied.
func appendSqueezed(dst, p []byte, n int, tabs bool) []byte {
	const ahead = 2 // octets behind those that are squeezed, which decide what becomes of them
	i, o := 0, len(dst)
	dst = slices.Grow(dst, n+8)[:o+n+8] // 8 octets more, since words are written whole
	for last := min(n-32, len(p)-32-ahead); i <= last; i += 32 {
		from, to := (*[32 + ahead]byte)(p[i:i+32+ahead]), (*[32]byte)(dst[o:o+32])
		a, b, c, d := word(from[0:8]), word(from[8:16]), word(from[16:24]), word(from[24:32])
		marksA, marksB := spaces(a, word(from[1:9])), spaces(b, word(from[9:17]))
		marksC, marksD := spaces(c, word(from[17:25])), spaces(d, word(from[25:33]))
		if tabs {
			marksA, marksB = marksA|tabsIn(a), marksB|tabsIn(b)
			marksC, marksD = marksC|tabsIn(c), marksD|tabsIn(d)
		}
		if !isMarked(marksA | marksB | marksC | marksD) {
			binary.LittleEndian.PutUint64(to[0:8], a)
			binary.LittleEndian.PutUint64(to[8:16], b)
			binary.LittleEndian.PutUint64(to[16:24], c)
			binary.LittleEndian.PutUint64(to[24:32], d)
			o += 32
			continue
		}
		o += squeeze(dst[o:], a, marksA, from[1:10])
		o += squeeze(dst[o:], b, marksB, from[9:18])
		o += squeeze(dst[o:], c, marksC, from[17:26])
		o += squeeze(dst[o:], d, marksD, from[25:34])
	}
	for ; i < n; i++ {
		c := p[i]
		if isSpace(c) {
			if isSpace(p[i+1]) || isLineEnd(p, i+1) {
				continue
			}
			c = ' '
		}
		dst[o] = c
		o++
	}
	return dst[:o]
}

// squeeze writes the canonical form of 8 octets to dst, which has room for 8, and returns
// how many octets it has. Without marks it is the octets themselves. next are the octets
// that follow the first one.
func squeeze(dst []byte, octets, marks uint64, next []byte) int {
	n := 8
	if isMarked(marks) {
		octets, n = squeezed(octets, word(next), word(next[1:]))
	}
	binary.LittleEndian.PutUint64(dst, octets)
	return n
}

// ones is a number that has 1 in the place of each of 8 octets.
const ones = 0x0101010101010101

// word returns 8 octets as a number.
func word(p []byte) uint64 { return binary.LittleEndian.Uint64(p) }

// spaces returns a number for isMarked, given 8 octets and the 8 that begin one later. It
// marks spaces with one of 0x01 to 0x20 after them, and other octets, but rarely in text.
func spaces(octets, after uint64) uint64 {
	// Zero in the place of each such space.
	pairs := (octets ^ ones*' ') | (after-ones)&(ones*0x60)
	return zeroMarks(pairs)
}

// tabsIn returns a number for isMarked that marks tabs, and other octets, but rarely in
// text.
func tabsIn(octets uint64) uint64 { return zeroMarks(octets ^ ones*'\t') }

// zeroMarks returns a number for isMarked that marks zeros, the octets 0x80, and some after a
// zero: taking one from these changes the high bit.
func zeroMarks(octets uint64) uint64 { return (octets - ones) ^ octets }

// isMarked reports whether an octet is marked, by the high bit in its place.
func isMarked(marks uint64) bool { return marks&(ones*0x80) != 0 }

// squeezed canonicalizes 8 octets, given the 8 octets that begin one and two octets
// later. It returns what is left of them, and how many octets that is.
func squeezed(octets, after, afterNext uint64) (kept uint64, n int) {
	tabs := zeros(octets ^ ones*'\t')
	space := tabs | zeros(octets^ones*' ')
	lineEnd := zeros((after ^ ones*'\r') | (afterNext ^ ones*'\n'))
	last := after >> 56
	var lastSpace uint64
	if last == ' ' || last == '\t' {
		lastSpace = 0x80 << 56
	}
	remove := space & (space>>8 | lastSpace | lineEnd)
	octets ^= tabs >> 7 * ('\t' ^ ' ')
	n = 8 - bits.OnesCount64(remove)
	octets, remove = removeLast(octets, remove)
	octets, remove = removeLast(octets, remove)
	for remove != 0 {
		octets, remove = removeLast(octets, remove)
	}
	return octets, n
}

// removeLast removes the last of the octets that are marked, if there is one, and its
// mark. The octets and marks before it stay where they are.
func removeLast(octets, marks uint64) (_, _ uint64) {
	below := uint64(1)<<(uint(bits.Len64(marks))-8) - 1 // all ones without a mark
	return octets&below | octets>>8&^below, marks & below
}

// zeros returns a number that has 0x80 in the place of every octet of x that is zero, and
// 0 elsewhere.
func zeros(x uint64) uint64 {
	const low = ones * 0x7f
	return ^((x&low + low) | x | low)
}

// isLineEnd reports whether a CRLF begins at p[i].
func isLineEnd(p []byte, i int) bool {
	return p[i] == '\r' && i+1 < len(p) && p[i+1] == '\n'
}
