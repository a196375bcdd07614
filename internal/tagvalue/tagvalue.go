// Package tagvalue reads the lists "name=value; name=value" of which DKIM
// signatures, DKIM keys and DMARC records are made. RFC 6376, section 3.2:
//
//	tag-list  = tag-spec *( ";" tag-spec ) [ ";" ]
//	tag-spec  = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
//	tag-name  = ALPHA *ALNUMPUNC
//	tag-value = [ tval *( 1*(WSP / FWS) tval ) ]
//
// where RFC 8616, section 4, adds UTF-8 to tval.
//
// It reads; what a broken or repeated tag means is for the caller to say, since
// DKIM refuses the whole list where DMARC ignores the one tag.
package tagvalue

import (
	"errors"
	"iter"
	"strings"
)

// What can be wrong with one tag-spec.
var (
	ErrNoEquals = errors.New(`tag has no "="`)
	ErrName     = errors.New("tag name is not a letter followed by letters, digits and underscores")
	ErrValue    = errors.New("tag value has a control character")
	ErrEmpty    = errors.New("empty tag")
)

// A Tag is one tag-spec. Offsets count octets in the text that was read.
type Tag struct {
	Name  string // as written; names are case-sensitive in DKIM, not in DMARC
	Value string // without the white space around it, with any inside it

	Start int // where the value, white space before it included, begins: after "="
	End   int // where the tag-spec ends: at the ";" or the end of the text
}

// All yields the tag-specs of s in order, each with what is wrong with it or nil.
// The empty rest after a final ";" is not a tag-spec. It allocates nothing and is
// linear in s.
func All(s string) iter.Seq2[Tag, error] {
	return func(yield func(Tag, error) bool) {
		for pos := 0; pos < len(s); {
			var tag Tag
			err := tag.read(s, pos)
			if err == ErrEmpty && tag.End == len(s) {
				return
			}
			if !yield(tag, err) {
				return
			}
			pos = tag.End + 1
		}
	}
}

// read reads the tag-spec that begins at s[pos].
func (t *Tag) read(s string, pos int) error {
	end := len(s)
	if n := strings.IndexByte(s[pos:], ';'); n >= 0 {
		end = pos + n
	}
	t.Start, t.End = end, end
	equals := pos
	for equals < end && s[equals] != '=' {
		equals++
	}
	t.Name = Trim(s[pos:equals])
	switch {
	case equals < end:
	case t.Name == "":
		return ErrEmpty
	default:
		return ErrNoEquals
	}
	t.Start = equals + 1
	t.Value = Trim(s[t.Start:end])
	if !isName(t.Name) {
		return ErrName
	}
	if hasControl(t.Value) {
		return ErrValue
	}
	return nil
}

// hasControl reports whether s has a control character that is not white space. Most of
// a list is base64, which one look at eight octets clears.
func hasControl(s string) bool {
	for len(s) > 0 {
		n := min(8, len(s))
		if n < 8 || suspicious(s) {
			for i := range n {
				if c := s[i]; (c < ' ' || c == 0x7f) && !IsSpace(c) {
					return true
				}
			}
		}
		s = s[n:]
	}
	return false
}

// suspicious reports whether one of the first eight octets of s may be a control
// character: under 0x20 or over 0x7e. A borrow or a carry comes only from an octet that is.
func suspicious(s string) bool {
	const ones = 0x0101010101010101
	_ = s[7]
	octets := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (octets|(octets-ones*' ')|(octets+ones))&(ones*0x80) != 0
}

func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '_'):
		default:
			return false
		}
	}
	return s != ""
}

// IsSpace reports whether c can be part of FWS: space, tab, CR or LF.
func IsSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

// Trim returns s without the white space around it.
func Trim(s string) string {
	for len(s) > 0 && IsSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && IsSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// Items yields the parts of a list such as h= or rua=, which sep separates, each
// without the white space around it.
func Items(s string, sep byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for more := true; more; {
			item, n := s, strings.IndexByte(s, sep)
			if more = n >= 0; more {
				item, s = s[:n], s[n+1:]
			}
			if !yield(Trim(item)) {
				return
			}
		}
	}
}
