package header

import (
	"bytes"
	"errors"
	"math"
	"strings"

	"github.com/mailverdict/mailverdict/internal/limit"
)

// Limits bound what a header may be. In each, zero is the default and a negative number
// is no limit.
type Limits struct {
	Block  int // octets of the header block, line ends included; default 256 KiB
	Field  int // octets of one field, line ends included; default 64 KiB
	Fields int // number of fields; default 1000
}

// The limits in use. Sums of two of them must not overflow.
func (l *Limits) block() int  { return min(limit.Of(l.Block, DefaultBlock), math.MaxInt/4) }
func (l *Limits) field() int  { return min(limit.Of(l.Field, DefaultField), math.MaxInt/4) }
func (l *Limits) fields() int { return limit.Of(l.Fields, DefaultFields) }

// The defaults of Limits. Mail systems accept headers of 64 to 100 kB; long ARC chains
// take up to 40 kB.
const (
	DefaultBlock  = 256 << 10
	DefaultField  = 64 << 10
	DefaultFields = 1000
)

// The limit that a message exceeds.
var (
	ErrBlockLimit  = errors.New("the header has more octets than the limit")
	ErrFieldLimit  = errors.New("a header field has more octets than the limit")
	ErrFieldsLimit = errors.New("the header has more fields than the limit")
)

// Exceeded reports whether err is that a header exceeds a limit.
func Exceeded(err error) bool {
	return errors.Is(err, ErrBlockLimit) || errors.Is(err, ErrFieldLimit) || errors.Is(err, ErrFieldsLimit)
}

// A Splitter splits a message, which comes in chunks of any size, into header block and
// body. The zero Splitter has the default limits.
//
// Line ends: if the first line ends in an LF without a CR, the message is a Unix
// file, and every LF reads as CRLF. Otherwise the octets are taken as they are, and
// only CRLF ends a line. Where the chunks are cut makes no difference.
type Splitter struct {
	Limits Limits

	buffer []byte // of an earlier header: see Reset
	block  []byte // the header, with line ends as they are read
	ends   []int  // where its lines end
	line   int    // where the current line begins in block
	field  int    // where the current field begins in block
	fields int    // fields that ended
	first  bool   // the first line was read, so that unix is known
	unix   bool   // the message is a Unix file
	done   bool   // the header has ended
	err    error
	body   []byte // converted octets of a Unix file, reused
}

// Reset makes s ready for another message. It uses the memory of the last header again,
// unless that was large.
func (s *Splitter) Reset(l Limits) {
	const kept = 64 << 10
	buffer := s.buffer
	if s.block != nil {
		buffer = s.block
	}
	if cap(buffer) > kept {
		buffer = nil
	}
	ends := s.ends[:0]
	if 8*cap(ends) > kept {
		ends = nil
	}
	*s = Splitter{Limits: l, buffer: buffer, ends: ends, body: s.body}
}

// Header returns the header block, each line with its CRLF, without the empty line that
// ends it, and where its lines end. If ok is false, the header has not ended.
func (s *Splitter) Header() (block []byte, ends []int, ok bool) { return s.block, s.ends, s.done }

// Next takes octets of the message, and returns octets of the body and the rest of p.
// Call it with the rest until there is none. It returns once when the header has ended,
// before any octet of the body. The octets of the body are valid until p changes or Next
// is called again. An error is one of the limits; every later call returns it.
func (s *Splitter) Next(p []byte) (body, rest []byte, err error) {
	if s.err != nil {
		return nil, nil, s.err
	}
	if s.done {
		if !s.unix {
			return p, nil, nil
		}
		return s.convert(p)
	}
	if s.block == nil {
		p = s.start(p)
	}
	for len(p) > 0 && !s.done && s.err == nil {
		p = s.gather(p)
	}
	return nil, p, s.err
}

// Field adds a field to the header, for a message that does not come as octets: name
// and value are what stands before and after the colon. In the value, every LF ends a
// line. The block is the text that a mail system would write of it, so that a value
// with a line that is no fold reads as two fields here, as it does there. It is called
// before Next, and End ends the header.
func (s *Splitter) Field(name, value string) error {
	if s.block == nil {
		s.block = s.room(512)
	}
	s.field = s.line
	s.addString(name)
	s.addString(":")
	for more := true; more; {
		var line string
		line, value, more = strings.Cut(value, "\n")
		if more {
			line = strings.TrimSuffix(line, "\r")
		}
		if len(s.block) == s.line && (line == "" || !isWSP(line[0])) {
			s.field = s.line
		}
		s.addString(line)
		s.add(crlf)
		if s.err == nil {
			s.takeLine()
		}
	}
	return s.err
}

// End ends the message, and so the header of a message without a body.
func (s *Splitter) End() error {
	if !s.done && s.err == nil {
		if len(s.block) > s.line {
			s.endLine()
		}
		if !s.done && s.err == nil {
			s.finish()
		}
	}
	return s.err
}

// finish ends a header that was gathered.
func (s *Splitter) finish() {
	s.done, s.ends = true, lineEnds(s.ends[:0], s.block)
}

// gather takes octets of the header up to the next LF, and returns the rest of p.
func (s *Splitter) gather(p []byte) []byte {
	n := bytes.IndexByte(p, '\n') + 1
	ended := n > 0
	if !ended {
		n = len(p)
	}
	if s.line == len(s.block) && !isWSP(p[0]) {
		s.field = s.line
	}
	if ended && !s.first {
		s.first = true
		s.unix = n == 1 && !bytes.HasSuffix(s.block, crlf[:1]) || n > 1 && p[n-2] != '\r'
	}
	if ended && s.unix {
		s.add(p[:n-1])
		s.add(crlf)
	} else {
		s.add(p[:n])
	}
	if ended && s.err == nil && bytes.HasSuffix(s.block[s.line:], crlf) {
		s.endLine()
	}
	return p[n:]
}

// start makes room for the header. If the whole header stands in the first chunk, and is
// too short to exceed a limit, start takes it at once. It returns the rest of the chunk.
func (s *Splitter) start(p []byte) []byte {
	const usual = 8 << 10
	head := p[:min(len(p), usual)]
	if s.readWhole(head) {
		end := s.ends[len(s.ends)-1]
		s.block, s.done = append(s.room(end), head[:end]...), true
		return p[end+len(crlf):]
	}
	s.block = s.room(max(len(head), 512))
	return p
}

// room returns memory for n octets of header.
func (s *Splitter) room(n int) []byte {
	if cap(s.buffer) >= n {
		return s.buffer[:0]
	}
	return make([]byte, 0, n)
}

// readWhole finds where the lines of the header end with which text begins, and reports whether
// its end is in text, and it is within the limits, whether it is one field or each line is one.
// It is false for an empty header and for that of a Unix file: gather reads these.
func (s *Splitter) readWhole(text []byte) bool {
	most, lines := min(s.Limits.block(), s.Limits.field()), s.Limits.fields()
	for end := 0; ; {
		n := bytes.IndexByte(text[end:], '\n')
		if n < 1 || end == 0 && (n == 1 || text[n-1] != '\r') {
			return false
		}
		end += n + 1
		if len(text) < end+len(crlf) {
			return false
		}
		if text[end-2] != '\r' {
			continue // a bare LF
		}
		s.ends = append(s.ends, end)
		if text[end] == '\r' && text[end+1] == '\n' {
			return end <= most && len(s.ends) <= lines
		}
	}
}

// add appends to the block within its limits.
func (s *Splitter) add(p []byte) {
	if s.fits(len(p)) {
		s.block = append(s.block, p...)
	}
}

// addString is add for a string.
func (s *Splitter) addString(p string) {
	if s.fits(len(p)) {
		s.block = append(s.block, p...)
	}
}

// fits reports whether n more octets of header are within the limits, and sets s.err if
// not. If they exceed two limits, the error is the one that octet by octet came first, so
// that it does not depend on the chunks.
func (s *Splitter) fits(n int) bool {
	if s.err != nil {
		return false
	}
	// The CRLF of the empty line is in the block for a moment, and does not count.
	block := s.Limits.block() + len(crlf)
	field := s.field + s.Limits.field()
	switch size := len(s.block) + n; {
	case size > field && field <= block:
		s.err = ErrFieldLimit
	case size > block:
		s.err = ErrBlockLimit
	}
	return s.err == nil
}

// endLine counts a line that is complete, or ends the header with it.
func (s *Splitter) endLine() {
	if string(s.block[s.line:]) == "\r\n" {
		s.block = s.block[:s.line]
		s.finish()
		return
	}
	s.takeLine()
}

// takeLine counts a line that is complete, and is not the empty line after the header.
func (s *Splitter) takeLine() {
	if s.field == s.line {
		s.fields++
	}
	s.line = len(s.block)
	switch {
	case s.fields > s.Limits.fields():
		s.err = ErrFieldsLimit
	case s.line > s.Limits.block():
		s.err = ErrBlockLimit
	}
}

// convert converts LF to CRLF, a bounded number of octets at a time.
func (s *Splitter) convert(p []byte) (body, rest []byte, err error) {
	const size = 32 << 10
	if s.body == nil {
		s.body = make([]byte, 0, size)
	}
	b := s.body[:0]
	for len(p) > 0 && len(b) <= size-len(crlf) {
		// The search is bounded too: otherwise each piece of a line of many
		// megabytes would search the rest of it for its LF.
		room := size - len(crlf) - len(b)
		n := bytes.IndexByte(p[:min(len(p), room+1)], '\n')
		if n >= 0 {
			b = append(append(b, p[:n]...), crlf...)
			p = p[n+1:]
			continue
		}
		n = min(len(p), room)
		b = append(b, p[:n]...)
		p = p[n:]
		if n == room {
			break
		}
	}
	return b, p, nil
}
