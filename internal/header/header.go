// Package header splits a message into header and body, and the header into fields. It
// decodes nothing: fields are octets.
//
// A [Splitter] takes a message in chunks of any size and finds the end of the header.
// [Parse] splits the header block that it gathered into fields. The Splitter reads line
// ends by one rule, which is documented there; in the block, lines end in CRLF.
//
// Parse never fails: every octet of the block belongs to a field. [Header.Err] says what
// is wrong with the block. A caller who needs a header that all programs read alike
// refuses a message with an Err; a caller who verifies a signature ignores it.
package header

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// Why two programs may read a header block differently. Header.Err wraps one of them.
var (
	ErrNoColon          = errors.New("a line is neither a field nor the continuation of one: it has no colon")
	ErrSpaceBeforeColon = errors.New("white space stands between a field's name and its colon")
	ErrLeadingSpace     = errors.New("the first line begins with white space")
	ErrBlankLine        = errors.New("a line holds nothing but white space")
	ErrName             = errors.New("a field's name is empty or has an octet that names cannot have")
	ErrNUL              = errors.New("a NUL octet")
	ErrBareCR           = errors.New("a CR that no LF follows")
	ErrBareLF           = errors.New("an LF without a CR before it")
)

// A Header is a header block and its fields. It refers to the octets that it was
// parsed from.
type Header struct {
	Fields []Field // topmost first

	// Err is the first structural problem of the block, with the number of its
	// line, or nil. It wraps one of the package's errors. RFC 5322, section 2.2.
	Err error

	names []byte // memory of Field.name
}

// A Field is one header field, its continuation lines included.
type Field struct {
	raw   []byte
	name  []byte // in lower case; empty if there is no valid name
	value int    // offset of what follows the colon; len(raw) if there is no colon
	lines int    // how many it takes
}

// Raw returns the field as in the message, without its final CRLF.
func (f Field) Raw() []byte { return f.raw }

// Name returns the field's name as written, without the white space that obsolete
// syntax allows before the colon. It is empty if the field has no valid name.
func (f Field) Name() []byte { return f.raw[:len(f.name)] }

// LowerName returns Name in lower case. Only the letters A to Z have one.
func (f Field) LowerName() []byte { return f.name }

// BeforeColon returns what stands before the colon: the name and the white space after
// it. If there is no colon, it is the whole field.
func (f Field) BeforeColon() []byte {
	if n := f.value - 1; n >= 0 && f.raw[n] == ':' {
		return f.raw[:n]
	}
	return f.raw
}

// Body returns what follows the colon, as in the message: folded, and without the final
// CRLF.
func (f Field) Body() []byte { return f.raw[f.value:] }

// Lines returns how many lines the field takes.
func (f Field) Lines() int { return f.lines }

// Is reports whether name, in lower case, is the field's name. Only the letters A
// to Z are folded.
func (f Field) Is(name string) bool { return len(f.name) > 0 && string(f.name) == name }

// Parse reads a header block, each line with its CRLF and without the empty line
// that ends the block. The last CRLF may be missing. Parse is linear in raw.
func Parse(raw []byte) Header {
	var h Header
	h.Parse(raw, lineEnds(nil, raw))
	return h
}

// Parse reads a header block into h. Its lines end at the offsets that lineEnds returns, and
// Splitter.Header. It uses the memory of an earlier header again.
func (h *Header) Parse(raw []byte, ends []int) {
	h.Fields, h.Err, h.names = h.Fields[:0], nil, h.names[:0]
	if h.Fields == nil {
		h.Fields = make([]Field, 0, min(64, len(ends)))
	}
	start, line := 0, 0
	for line < len(ends) {
		first, end := line+1, start
		for line < len(ends) && (end == start || isWSP(raw[end])) {
			next := ends[line]
			line++
			if isBlank(raw[end:next]) {
				h.fault(line, ErrBlankLine)
			}
			end = next
		}
		h.Fields = append(h.Fields, Field{})
		f := &h.Fields[len(h.Fields)-1]
		err := h.parseField(f, trimLineEnd(raw[start:end]))
		if start == 0 && isWSP(raw[0]) {
			err = ErrLeadingSpace
		}
		h.fault(first, err)
		f.lines = line + 1 - first
		start = end
	}
	h.fault(badOctet(raw, len(ends)))
}

var crlf = []byte("\r\n")

// fault keeps a problem if it is the topmost so far.
func (h *Header) fault(line int, err error) {
	if err == nil {
		return
	}
	if h.Err == nil || line < h.Err.(*lineError).line {
		h.Err = &lineError{line, err}
	}
}

// parseField finds the name and the value in one field. The colon may stand on a later line:
// relaxed canonicalization unfolds a field before it looks for the colon (RFC 6376,
// section 3.4.2).
func (h *Header) parseField(f *Field, raw []byte) error {
	f.raw, f.value = raw, len(raw)
	colon := bytes.IndexByte(raw, ':')
	if colon < 0 {
		return ErrNoColon
	}
	f.value = colon + 1
	end := colon
	for end > 0 && (isWSP(raw[end-1]) || raw[end-1] == '\n' || raw[end-1] == '\r') {
		end--
	}
	start := len(h.names)
	var ok bool
	if h.names, ok = appendLower(h.names, raw[:end]); !ok {
		h.names = h.names[:start]
		return ErrName
	}
	f.name = h.names[start:]
	if end != colon {
		return ErrSpaceBeforeColon
	}
	return nil
}

// Forget lets go of what was parsed, and of memory for the next header if that is more than so
// many octets.
func (h *Header) Forget(most int) {
	clear(h.Fields)
	if h.Fields, h.Err = h.Fields[:0], nil; h.Octets() > most {
		*h = Header{}
	}
}

// Octets returns how much memory h has for the next header.
func (h *Header) Octets() int { return cap(h.Fields)*int(unsafe.Sizeof(Field{})) + cap(h.names) }

// IsName reports whether name can name a field: printable US-ASCII other than the
// colon. RFC 5322, section 2.2.
func IsName[T string | []byte](name T) bool {
	for i := range len(name) {
		if lowerCase[name[i]] == 0 {
			return false
		}
	}
	return len(name) > 0
}

// lowerCase has each octet that a name may have, in lower case, and 0 for the others. Names
// are read so often that looking an octet up pays.
var lowerCase = func() (table [256]byte) {
	for c := byte('!'); c <= '~'; c++ {
		table[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		table[c] = c + 'a' - 'A'
	}
	table[':'] = 0
	return table
}()

// appendLower appends a name in lower case to text. If ok is false, it is no name.
func appendLower[T string | []byte](text []byte, name T) (_ []byte, ok bool) {
	start := len(text)
	text = append(text, name...)
	lower := text[start:]
	for i, c := range lower {
		if lower[i] = lowerCase[c]; lower[i] == 0 {
			return text, false
		}
	}
	return text, len(lower) > 0
}

// badOctet returns the first octet that must not stand in a header block, which has that
// many lines, and the line it is on.
func badOctet(raw []byte, lines int) (line int, err error) {
	// Every line but an unfinished last one ends in CRLF. If there are as many CR and
	// LF as such lines, there is no other CR or LF.
	crs, lfs := bytes.Count(raw, crlf[:1]), bytes.Count(raw, crlf[1:])
	ended := lines
	if !bytes.HasSuffix(raw, crlf) {
		ended--
	}
	if crs == max(0, ended) && lfs == crs && bytes.IndexByte(raw, 0) < 0 {
		return 0, nil
	}
	line = 1
	for i, c := range raw {
		switch c {
		case 0:
			return line, ErrNUL
		case '\r':
			if i+1 == len(raw) || raw[i+1] != '\n' {
				return line, ErrBareCR
			}
		case '\n':
			if i == 0 || raw[i-1] != '\r' {
				return line, ErrBareLF
			}
			line++
		}
	}
	return 0, nil
}

// lineEnds appends the offset after the CRLF of each line, and that after a last one without.
func lineEnds(ends []int, raw []byte) []int {
	last := 0
	for i := 0; ; {
		n := bytes.IndexByte(raw[i:], '\n')
		if n < 0 {
			break
		}
		if i += n + 1; i > 1 && raw[i-2] == '\r' {
			last = i
			ends = append(ends, last)
		}
	}
	if last < len(raw) {
		ends = append(ends, len(raw))
	}
	return ends
}

// trimLineEnd returns text without the CRLF at its end.
func trimLineEnd(text []byte) []byte {
	if n := len(text) - 2; n >= 0 && text[n] == '\r' && text[n+1] == '\n' {
		return text[:n]
	}
	return text
}

// isBlank reports whether a line, its CRLF included, holds only white space.
func isBlank(line []byte) bool {
	for i, c := range line {
		if !isWSP(c) {
			return string(line[i:]) == "\r\n"
		}
	}
	return true
}

// Unfold returns a field's body with the CRLF of each fold removed, white space
// kept. RFC 5322, section 2.2.3.
func Unfold(body []byte) string {
	var b strings.Builder
	for {
		i := bytes.Index(body, crlf)
		if i < 0 {
			break
		}
		if b.Cap() == 0 {
			b.Grow(len(body))
		}
		b.Write(body[:i])
		body = body[i+2:]
	}
	if b.Len() == 0 {
		return string(body)
	}
	b.Write(body)
	return b.String()
}

// A lineError is a structural problem and its place.
type lineError struct {
	line int // from 1
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("header line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

func isWSP(c byte) bool { return c == ' ' || c == '\t' }
