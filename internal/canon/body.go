package canon

// A Body canonicalizes one body, which comes in chunks of any size, and makes hashes
// over the canonical form. The zero Body is ready for a body in the simple form.
//
// Both forms leave most octets alone: what they drop or change are line ends at the
// end of the body and, in relaxed, white space. Octets whose fate depends on what
// follows are held back as counts. Spans that stay as they are go to the hashes in
// one piece, where they stand in the caller's chunk.
type Body struct {
	relaxed bool
	hashes  []*Hash

	// What was read but may yet be dropped, in this order: line ends, then white
	// space of a line that nothing else stands in so far, or that may be the
	// end of its line, then a CR that may begin a line end.
	lines int64
	space bool
	cr    bool

	octets int64  // of the canonical body so far
	small  []byte // spans too short to be hashed one by one
}

const (
	smallSize = 4 << 10 // octets gathered before they are hashed
	largeSpan = 1 << 10 // octets that are hashed where they stand
)

// Reset makes b ready for another body. Hashes that it returned before are not valid
// any more: their memory is used again.
func (b *Body) Reset(form Form) {
	*b = Body{relaxed: form == Relaxed, hashes: b.hashes[:0], small: b.small[:0]}
}

// Find returns the hash over the first length octets of the canonical body that Add
// returned, or nil.
func (b *Body) Find(length int64) *Hash {
	for _, h := range b.hashes {
		if h.length == length {
			return h
		}
	}
	return nil
}

// Add adds a hash over the first length octets of the canonical body, or over Whole,
// before the first Write.
func (b *Body) Add(length int64) *Hash {
	n := len(b.hashes)
	if n < cap(b.hashes) {
		b.hashes = b.hashes[:n+1]
	} else {
		b.hashes = append(b.hashes, nil)
	}
	if b.hashes[n] == nil {
		b.hashes[n] = new(Hash)
	}
	b.hashes[n].begin(length)
	return b.hashes[n]
}

// Write takes the next octets of the body.
func (b *Body) Write(p []byte) {
	if len(b.hashes) == 0 {
		return
	}
	p = p[b.settle(p):]
	if len(p) == 0 {
		return
	}
	// Here nothing is held back, and p begins with an octet that stays. The end
	// of p that may be dropped is looked at one by one; between the two every
	// octet has a successor that decides its fate.
	end := len(p)
	for b.loose(p[end-1]) {
		end--
	}
	if b.relaxed {
		b.relax(p[:end])
	} else {
		b.put(p[:end])
	}
	b.settle(p[end:])
}

// End ends the body, and with it the hashes. The last line is completed if it has no
// CRLF; an empty body is CRLF in simple and nothing in relaxed. RFC 6376, sections
// 3.4.3 and 3.4.4, with errata 1377 and 1384.
func (b *Body) End() {
	if b.cr {
		b.putBareCR()
	}
	var appended int64
	if b.octets > 0 || !b.relaxed {
		if b.lines == 0 {
			appended = int64(len(crlf))
		}
		b.putShort(lineEnds[:len(crlf)])
	}
	b.flush()
	for _, h := range b.hashes {
		h.end(b.octets, appended)
	}
}

// loose reports whether an octet may be dropped, or be part of what is.
func (b *Body) loose(c byte) bool {
	return c == '\n' || c == '\r' || b.relaxed && (c == ' ' || c == '\t')
}

// settle reads octets one by one while their fate is open. It returns at the first
// octet that certainly stays, with nothing held back, or at the end of p.
func (b *Body) settle(p []byte) int {
	for i, c := range p {
		switch {
		case c == '\n' && b.cr:
			// Relaxed ignores white space at the end of a line.
			b.cr, b.space = false, false
			b.lines++
		case c == '\r':
			if b.cr {
				b.putBareCR()
			}
			b.cr = true
		case c == '\n':
			b.release()
			b.putShort("\n")
		case b.loose(c):
			if b.cr {
				b.putBareCR()
			}
			b.space = true
		default:
			if b.cr {
				b.putBareCR()
			}
			b.release()
			return i
		}
	}
	return len(p)
}

// putBareCR writes a CR that turned out not to begin a line end: it is an octet of
// the line like any other.
func (b *Body) putBareCR() {
	b.release()
	b.putShort("\r")
	b.cr = false
}

// release writes the line ends and the white space that were held back.
func (b *Body) release() {
	for b.lines > 0 {
		n := min(b.lines, int64(len(lineEnds)/2))
		b.putShort(lineEnds[:2*n])
		b.lines -= n
	}
	if b.space {
		b.putShort(" ")
		b.space = false
	}
}

const lineEnds = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"

// put adds a span to the canonical body.
func (b *Body) put(p []byte) {
	if len(p) >= largeSpan {
		b.flush()
		b.octets += int64(len(p))
		b.hash(p)
		return
	}
	b.room(len(p))
	b.small = append(b.small, p...)
}

// putShort adds a few octets to the canonical body.
func (b *Body) putShort(s string) {
	b.room(len(s))
	b.small = append(b.small, s...)
}

// room makes room for n octets, which are then added to b.small.
func (b *Body) room(n int) {
	if len(b.small)+n > smallSize {
		b.flush()
	}
	b.octets += int64(n)
}

func (b *Body) flush() {
	b.hash(b.small)
	b.small = b.small[:0]
}

func (b *Body) hash(p []byte) {
	for _, h := range b.hashes {
		h.write(p)
	}
}
