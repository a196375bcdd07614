package tagvalue

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// EqualFold reports whether s is word, which is in lower case. Only A to Z are
// folded: to Unicode, KELVIN SIGN is a k.
func EqualFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// AppendBase64 appends what the base64 text s stands for to dst. White space in s does
// not count, and padding is optional: RFC 6376, section 2.10.
func AppendBase64[T string | []byte](dst []byte, s T) (_ []byte, ok bool) {
	var short [512]byte
	text := removeSpace(append(short[:0], s...))
	if len(text)%4 == 0 {
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("=")), []byte("="))
	}
	dst, err := base64.RawStdEncoding.AppendDecode(dst, text)
	return dst, err == nil
}

// RemoveSpace returns s without the white space in it.
func RemoveSpace(s string) string {
	if !strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	return string(removeSpace([]byte(s)))
}

// removeSpace removes the white space of text, in place. It goes line by line, since
// most lines have none but at their ends.
func removeSpace(text []byte) []byte {
	kept := text[:0]
	for more := true; more; {
		var line []byte
		line, text, more = bytes.Cut(text, []byte("\n"))
		for len(line) > 0 && IsSpace(line[0]) {
			line = line[1:]
		}
		for len(line) > 0 && IsSpace(line[len(line)-1]) {
			line = line[:len(line)-1]
		}
		if bytes.IndexByte(line, ' ') < 0 && bytes.IndexByte(line, '\t') < 0 && bytes.IndexByte(line, '\r') < 0 {
			kept = append(kept, line...)
			continue
		}
		for _, c := range line {
			if !IsSpace(c) {
				kept = append(kept, c)
			}
		}
	}
	return kept
}
