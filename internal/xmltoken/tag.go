package xmltoken

import (
	"bytes"
	"strings"
)

// markupKind is what a "<" begins.
type markupKind uint8

const (
	markupText        markupKind = iota // nothing: it is text
	markupMore                          // cannot be said yet
	markupTag                           // <name …>, <name …/> or </name>
	markupComment                       // <!--
	markupProlog                        // <?xml
	markupInstruction                   // any other <?
	markupCDATA                         // <![CDATA[
	markupDeclaration                   // <!DOCTYPE and its like
)

// closing returns what ends a markup that is no tag. A prolog that is not closed ends where its
// tag would, so that it does not take the document with it.
func (k markupKind) closing() string {
	switch k {
	case markupComment:
		return "-->"
	case markupProlog:
		return ">"
	case markupCDATA:
		return "]]>"
	}
	return "?>"
}

// markup says what begins at pos, where a "<" stands: how many octets of it there are, which
// is all of a tag and the opening of anything else.
func (r *Reader) markup() (n int, kind markupKind) {
	for {
		b := r.buf[r.pos:min(r.end, r.pos+maxTag)] // the same however much was read
		n, kind = scan(b)
		if kind != markupMore {
			return n, kind
		}
		if len(b) >= maxTag || !r.fill() {
			return 1, markupText
		}
	}
}

// scan is markup for the octets b.
func scan(b []byte) (n int, kind markupKind) {
	if len(b) > 1 && b[1] != '!' && b[1] != '?' {
		return scanTag(b)
	}
	for _, opening := range []struct {
		text string
		kind markupKind
	}{{"<!--", markupComment}, {"<![CDATA[", markupCDATA}, {"<?xml", markupProlog}} {
		if bytes.HasPrefix(b, []byte(opening.text)) {
			return len(opening.text), opening.kind
		}
		if len(b) < len(opening.text) && strings.HasPrefix(opening.text, string(b)) {
			return 0, markupMore
		}
	}
	switch { // b has three octets, or it had been the beginning of an opening
	case b[1] == '?':
		return 2, markupInstruction
	case isLetter(b[2]):
		return 0, markupDeclaration
	}
	return 0, markupText
}

// scanTag is scan for a tag:
//
//	"<" name *( S attribute ) [ S ] [ "/" ] ">"
//	"</" name [ S ] ">"
func scanTag(b []byte) (n int, kind markupKind) {
	i := 1
	closing := b[i] == '/'
	if closing {
		i++
	}
	start := i
	for i < len(b) && isName(b[i], i > start) {
		i++
	}
	if i == start && i < len(b) {
		return 0, markupText
	}
	for {
		space := skipSpace(b[i:])
		i += space
		switch {
		case i == len(b):
			return 0, markupMore
		case b[i] == '>':
			return i + 1, markupTag
		case closing:
			return 0, markupText
		case b[i] == '/':
			if i+1 == len(b) {
				return 0, markupMore
			}
			if b[i+1] != '>' {
				return 0, markupText
			}
			return i + 2, markupTag
		case space == 0:
			return 0, markupText
		}
		a := scanAttribute(b[i:])
		if a.kind != markupTag {
			return 0, a.kind
		}
		i += a.length
	}
}

// An attribute is name="value", where the quotes may be missing.
type attribute struct {
	name, value []byte
	length      int        // of all of it
	kind        markupKind // markupTag for one that is whole
}

func scanAttribute(b []byte) attribute {
	i := 0
	for i < len(b) && isName(b[i], i > 0) {
		i++
	}
	a := attribute{name: b[:i]}
	if i == 0 {
		return a
	}
	i += skipSpace(b[i:])
	if i < len(b) && b[i] != '=' {
		return a
	}
	if i < len(b) {
		i++
		i += skipSpace(b[i:])
	}
	a.kind = markupMore
	if i == len(b) {
		return a
	}
	start := i
	if quote := b[i]; quote == '"' || quote == '\'' {
		end := bytes.IndexByte(b[i+1:], quote)
		if end >= 0 {
			a.value, a.length, a.kind = b[i+1:i+1+end], i+end+2, markupTag
		}
		return a
	}
	for i < len(b) && bytes.IndexByte([]byte(" \t\r\n<>/\"'"), b[i]) < 0 {
		i++
	}
	switch {
	case i == len(b):
	case i == start:
		a.kind = markupText
	default:
		a.value, a.length, a.kind = b[start:i], i, markupTag
	}
	return a
}

// tag takes the tag of n octets at pos.
func (r *Reader) tag(n int) Token {
	raw := r.buf[r.pos : r.pos+n]
	t := Token{Kind: Start, Text: r.text, Raw: raw}
	i := 1
	if raw[1] == '/' {
		t.Kind = End
		i++
	}
	start := i
	for isName(raw[i], i > start) {
		i++
	}
	t.Name = r.name(raw[start:i])
	if t.Kind == Start {
		t.Namespaces = namespaces(raw[i:])
		if raw[n-2] == '/' {
			r.closing = t.Name
		}
	}
	r.advance(n)
	return t
}

// maxNames is how many names are kept, so that they need not be allocated for each tag. DMARC
// reports have about forty.
const maxNames = 64

func (r *Reader) name(b []byte) string {
	name, ok := r.names[string(b)]
	if !ok {
		name = valid(b)
		if len(r.names) < maxNames && len(b) < maxNames {
			r.names[name] = name
		}
	}
	return name
}

// namespaces returns what the attributes of a tag bind.
func namespaces(b []byte) (list []Namespace) {
	if !bytes.Contains(b, []byte("xmlns")) {
		return nil
	}
	for {
		b = b[skipSpace(b):]
		a := scanAttribute(b)
		if a.kind != markupTag {
			return list
		}
		prefix, ok := bytes.CutPrefix(a.name, []byte("xmlns"))
		if ok && (len(prefix) == 0 || prefix[0] == ':') {
			prefix = bytes.TrimPrefix(prefix, []byte(":"))
			list = append(list, Namespace{valid(prefix), valid(a.value)})
		}
		b = b[a.length:]
	}
}

// valid returns a string in UTF-8.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

func skipSpace(b []byte) int {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isName reports whether a name may have the octet c, at its beginning or later. Octets
// outside of ASCII are taken for letters.
func isName(c byte, later bool) bool {
	return isLetter(c) || c == '_' || c == ':' || c >= 0x80 || later && ('0' <= c && c <= '9' || c == '-' || c == '.')
}
