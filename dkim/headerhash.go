package dkim

import (
	"bytes"
	"crypto/sha256"

	"github.com/mailverdict/mailverdict/internal/header"
)

// A selector is the memory that selecting header fields takes.
type selector struct {
	next   []int32 // by slot of the index, see pick
	fates  []fate  // by name in h=
	picked []int   // fields, as h= names them
	signed []bool  // by field
	text   []byte  // canonical header
}

// selectFields selects the fields that h= names, puts down what is covered and what
// is not, and hashes the header. own is the signature's own field. RFC 6376,
// sections 3.7 and 5.4.2.
func (w *workspace) selectFields(c *check, own int) {
	s := &w.selector
	s.next = zeroed(s.next, w.index.Slots())
	s.signed = zeroed(s.signed, len(w.header.Fields))
	s.text = s.text[:0]
	form := c.signature.HeaderCanonicalization
	s.fates, s.picked = s.fates[:0], s.picked[:0]
	for _, name := range c.signature.Header {
		i, fate := w.pick(name, own)
		s.fates = append(s.fates, fate)
		if fate == nameSigned {
			s.picked = append(s.picked, i)
			s.signed[i] = true
			f := &w.header.Fields[i]
			s.text = appendField(s.text, form, f, w.index.Name(i), f.Body())
			s.text = append(s.text, "\r\n"...)
		}
	}
	// The signature's own field comes last, the value of b= removed, without CRLF.
	start, end := w.span(own)
	s.text = appendField(s.text, form, &w.header.Fields[own], w.index.Name(own), w.text[start:end])
	c.header = sha256.Sum256(s.text)
	w.cover(c, own)
}

// A fate is what a name in h= stands for.
type fate uint8

const (
	nameSigned     fate = iota // a field
	nameAbsent                 // nothing, and the message has no such field
	nameOverSigned             // nothing, since other entries have all such fields
)

// pick returns the lowest field of that name that was not picked yet. The field of
// the signature itself is no choice: it did not exist when the header was signed,
// and h= cannot name it (RFC 6376, section 3.5).
func (w *workspace) pick(name string, own int) (field int, _ fate) {
	slot, i := w.index.Slot(name)
	if i < 0 {
		return -1, nameAbsent
	}
	// 0 is a name not picked before, n+2 is one whose next field is n.
	next := &w.selector.next[slot]
	first := *next == 0
	if !first {
		i = int(*next) - 2
	}
	if i == own {
		i = w.index.Above(i)
	}
	if i < 0 {
		if first {
			return -1, nameAbsent
		}
		return -1, nameOverSigned
	}
	*next = int32(w.index.Above(i)) + 2
	return i, nameSigned
}

// zeroed returns a slice of n zero values, p where it is long enough.
func zeroed[T any](p []T, n int) []T {
	if cap(p) < n {
		return make([]T, n)
	}
	p = p[:n]
	clear(p)
	return p
}

// appendField appends the canonical form of a field, without its last CRLF, given its name
// in lower case, and its body. RFC 6376, sections 3.4.1 and 3.4.2.
func appendField(text []byte, c Canonicalization, f *header.Field, name, value []byte) []byte {
	if c == Simple {
		raw := f.Raw()
		text = append(text, raw[:len(raw)-len(f.Body())]...)
		return append(text, value...)
	}
	text = append(text, name...)
	text = append(text, ':')
	start := len(text)
	for more := true; more; {
		var line []byte
		line, value, more = bytes.Cut(value, []byte("\r\n"))
		line = trimSpace(line)
		if len(line) == 0 {
			continue
		}
		// The white space of a fold is one space, but none at either end.
		if len(text) > start {
			text = append(text, ' ')
		}
		text = appendRelaxed(text, line)
	}
	return text
}

// trimSpace returns a line without the white space around it.
func trimSpace(line []byte) []byte {
	for len(line) > 0 && isSpace(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

// appendRelaxed appends a line, which neither begins nor ends with white space, with
// each white space within as one space.
func appendRelaxed(text, line []byte) []byte {
	for i := 0; ; {
		n := nextChangeAmongWords(line, i, len(line))
		text = append(text, line[i:n]...)
		if n == len(line) {
			return text
		}
		text = append(text, ' ')
		for i = n; isSpace(line[i]); {
			i++
		}
	}
}
