package dkim

import (
	"bytes"
	"crypto/sha256"

	"github.com/mailverdict/mailverdict/internal/header"
)

// A selector selects the header fields that signatures are over, and hashes them.
type selector struct {
	fields []header.Field
	index  *header.Index
	next   []int32 // by slot of the index, see pick
	signed []bool  // by field
	text   []byte  // canonical header, reused
	own    []byte  // the signature's field without its value, reused
}

// selectFields selects the fields that h= names, puts down what is covered and what
// is not, and hashes the header. RFC 6376, sections 3.7 and 5.4.2.
func (s *selector) selectFields(c *check, own int) {
	s.next = zeroed(s.next, s.index.Slots())
	s.signed = zeroed(s.signed, len(s.fields))
	s.text = s.text[:0]
	r := &c.result
	names := make([]string, 0, len(c.signature.Header))
	for _, name := range c.signature.Header {
		if i := s.pick(name, own); i >= 0 {
			s.signed[i] = true
			s.text = appendField(s.text, c.signature.HeaderCanonicalization, s.fields[i].Raw())
			s.text = append(s.text, "\r\n"...)
			names = append(names, name)
		}
	}
	r.Signed = names
	s.putDownRest(c, own)
	// The signature's own field comes last, its value removed, without CRLF.
	f := s.fields[own]
	value := len(f.Raw()) - len(f.Body())
	s.own = append(s.own[:0], f.Raw()[:value+c.value[0]]...)
	s.own = append(s.own, f.Raw()[value+c.value[1]:]...)
	s.text = appendField(s.text, c.signature.HeaderCanonicalization, s.own)
	c.header = sha256.Sum256(s.text)
}

// pick returns the lowest field of that name that was not picked yet, or -1. The
// field of the signature itself is no choice: it did not exist when the header was
// signed, and h= cannot name it (RFC 6376, section 3.5).
func (s *selector) pick(name string, own int) int {
	slot, i := s.index.Slot(name)
	if i < 0 {
		return -1
	}
	// 0 is a name not picked before, n+2 is one whose next field is n.
	if s.next[slot] != 0 {
		i = int(s.next[slot]) - 2
	}
	if i == own {
		i = s.index.Above(i)
	}
	if i < 0 {
		s.next[slot] = 1
		return -1
	}
	s.next[slot] = int32(s.index.Above(i)) + 2
	return i
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

// appendField appends the canonical form of a field, without its last CRLF. RFC
// 6376, sections 3.4.1 and 3.4.2.
func appendField(text []byte, c Canonicalization, raw []byte) []byte {
	if c == Simple {
		return append(text, raw...)
	}
	name, value, _ := bytes.Cut(raw, []byte(":"))
	for _, octet := range bytes.TrimRight(name, " \t\r\n") {
		if 'A' <= octet && octet <= 'Z' {
			octet += 'a' - 'A'
		}
		text = append(text, octet)
	}
	text = append(text, ':')
	start := len(text)
	for more := true; more; {
		var line []byte
		line, value, more = bytes.Cut(value, []byte("\r\n"))
		line = bytes.Trim(line, " \t")
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

// appendRelaxed appends a line, which neither begins nor ends with white space, with
// each white space within as one space.
func appendRelaxed(text, line []byte) []byte {
	for i := 0; ; {
		n := nextChange(line, i, len(line))
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
