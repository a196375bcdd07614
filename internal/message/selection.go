package message

import (
	"crypto/sha256"

	"github.com/mailverdict/mailverdict/internal/canon"
)

// A Selection is what the names in h= of a signature stand for. It is valid until the
// next call of Select.
type Selection struct {
	// Fields has, for each name, the number of the field that it stands for, or
	// Absent or OverSigned.
	Fields []int

	// Signed says of each field of the message whether a name stands for it.
	Signed []bool

	next []int32 // by slot of the index: see pick
	text []byte  // canonical header
}

// What a name in h= stands for if it stands for no field.
const (
	Absent     = -1 // the message has no field of that name
	OverSigned = -2 // earlier names stand for all fields of that name
)

// Select finds the fields that the names in h= of a signature stand for: of several
// fields of one name, the bottom-most first. own is the number of the signature's own
// field, which no name stands for: it did not exist when the header was signed. RFC
// 6376, sections 3.5 (h=) and 5.4.2.
func (m *Message) Select(names []string, own int) *Selection {
	if !m.indexed {
		m.index.Build(m.header.Fields)
		m.indexed = true
	}
	s := &m.selection
	s.next = zeroed(s.next, m.index.Slots())
	s.Signed = zeroed(s.Signed, len(m.header.Fields))
	s.Fields = s.Fields[:0]
	for _, name := range names {
		field := m.pick(name, own)
		s.Fields = append(s.Fields, field)
		if field >= 0 {
			s.Signed[field] = true
		}
	}
	return s
}

// pick returns the lowest field of that name that was not picked before.
func (m *Message) pick(name string, own int) int {
	slot, field := m.index.Slot(name)
	if field < 0 {
		return Absent
	}
	// 0 is a name not picked before, n+2 is one whose next field is n.
	next := &m.selection.next[slot]
	first := *next == 0
	if !first {
		field = int(*next) - 2
	}
	if field == own {
		field = m.index.Above(field)
	}
	if field < 0 {
		if first {
			return Absent
		}
		return OverSigned
	}
	*next = int32(m.index.Above(field)) + 2
	return field
}

// Above returns the number of the next field above field i that has the same name, or -1.
// Select has been called.
func (m *Message) Above(i int) int { return m.index.Above(i) }

// HeaderHash returns the hash that a signature is over: the fields of s in the order of
// h=, and last the signature's own field, of which value is what stands after the colon
// without the value of b=. RFC 6376, section 3.7.
func (m *Message) HeaderHash(form canon.Form, s *Selection, own int, value []byte) [sha256.Size]byte {
	s.text = s.text[:0]
	for _, i := range s.Fields {
		if i >= 0 {
			s.text = m.AppendField(s.text, form, i, m.header.Fields[i].Body())
			s.text = append(s.text, "\r\n"...)
		}
	}
	s.text = m.AppendField(s.text, form, own, value)
	return sha256.Sum256(s.text)
}

// Without returns the body of field i without the octets from start to end of it. It is valid
// until the next call.
func (m *Message) Without(i, start, end int) []byte {
	body := m.header.Fields[i].Body()
	m.without = append(append(m.without[:0], body[:start]...), body[end:]...)
	return m.without
}

// AppendField appends the canonical form of field i, without the final CRLF. value is its body, or
// its body without the value of b=: it has more lines than one only if the field has.
func (m *Message) AppendField(text []byte, form canon.Form, i int, value []byte) []byte {
	f := &m.header.Fields[i]
	if form == canon.Simple {
		return canon.AppendField(text, form, f.BeforeColon(), value)
	}
	text = append(append(text, f.LowerName()...), ':')
	if f.Lines() == 1 {
		return canon.AppendRelaxedLine(text, value)
	}
	return canon.AppendRelaxedValue(text, value)
}

// zeroed returns a slice of n zero values, in the memory of p if it is long enough.
func zeroed[T any](p []T, n int) []T {
	if cap(p) < n {
		return make([]T, n)
	}
	p = p[:n]
	clear(p)
	return p
}
