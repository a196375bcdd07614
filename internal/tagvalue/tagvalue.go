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
			tag, err := next(s, pos)
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

// next reads the tag-spec that begins at s[pos].
func next(s string, pos int) (Tag, error) {
	end := len(s)
	if i := strings.IndexByte(s[pos:], ';'); i >= 0 {
		end = pos + i
	}
	tag := Tag{Start: end, End: end}
	equals := pos + strings.IndexByte(s[pos:end], '=')
	if equals < pos {
		tag.Name = Trim(s[pos:end])
		if tag.Name == "" {
			return tag, ErrEmpty
		}
		return tag, ErrNoEquals
	}
	tag.Name = Trim(s[pos:equals])
	tag.Start = equals + 1
	tag.Value = Trim(s[tag.Start:end])
	if !isName(tag.Name) {
		return tag, ErrName
	}
	for i := range len(tag.Value) {
		if c := tag.Value[i]; (c < ' ' || c == 0x7f) && !IsSpace(c) {
			return tag, ErrValue
		}
	}
	return tag, nil
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
		for item, rest, more := "", s, true; more; {
			item, rest, more = strings.Cut(rest, string(sep))
			if !yield(Trim(item)) {
				return
			}
		}
	}
}
