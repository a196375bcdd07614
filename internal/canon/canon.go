// Package canon brings header fields and bodies into the canonical forms of RFC
// 6376, section 3.4, and hashes bodies. DKIM and ARC (RFC 8617, section 4.1.2)
// verify and sign over these forms.
//
// [PlainBody] says in a few lines what the canonical form of a body is. [Body] does the
// same to a body that comes in chunks of any size, without holding it, at nearly the
// speed of the hash itself: what is fast and hard to read is in it alone, and the tests
// compare the two.
package canon

import "bytes"

// A Form is a canonical form.
type Form uint8

const (
	Simple  Form = iota // RFC 6376, sections 3.4.1 and 3.4.3
	Relaxed             // RFC 6376, sections 3.4.2 and 3.4.4
)

const crlf = "\r\n"

// AppendField appends the canonical form of a header field to dst, without the
// final CRLF. name is what stands before the colon, and value what stands after
// it, both as in the message.
func AppendField(dst []byte, form Form, name, value []byte) []byte {
	if form == Simple {
		dst = append(dst, name...)
		dst = append(dst, ':')
		return append(dst, value...)
	}
	return AppendRelaxedValue(append(appendName(dst, name), ':'), value)
}

// AppendRelaxedValue appends what follows the colon in the relaxed form of a field. value is
// what stands there in the message.
func AppendRelaxedValue(dst, value []byte) []byte {
	start := len(dst)
	for more := true; more; {
		var line []byte
		line, value, more = cutLine(value)
		line = trimSpace(line)
		if len(line) == 0 {
			continue
		}
		// The white space of a fold is one space, but none at either end.
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = appendLine(dst, line)
	}
	return dst
}

// AppendRelaxedLine is AppendRelaxedValue for a value of one line.
func AppendRelaxedLine(dst, line []byte) []byte { return appendLine(dst, trimSpace(line)) }

// cutLine cuts text at its first CRLF; more says that there is one.
func cutLine(text []byte) (line, rest []byte, more bool) {
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '\n')
		if n < 0 {
			return text, nil, false
		}
		if i += n; i > 0 && text[i-1] == '\r' {
			return text[:i-1], text[i+1:], true
		}
		i++
	}
}

// appendName appends a name in lower case, without the white space after it, which
// may be folded. Only A to Z have a lower case.
func appendName(dst, name []byte) []byte {
	for len(name) > 0 && (isSpace(name[len(name)-1]) || name[len(name)-1] == '\r' || name[len(name)-1] == '\n') {
		name = name[:len(name)-1]
	}
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendLine appends a line, which neither begins nor ends with white space, with
// one space in place of each run of white space in it.
func appendLine(dst, line []byte) []byte {
	if isClean(line) { // as most are
		return append(dst, line...)
	}
	return appendSqueezed(dst, line, len(line), true)
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

func isSpace(c byte) bool { return c == ' ' || c == '\t' }
