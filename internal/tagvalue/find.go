package tagvalue

import "bytes"

// Find returns where the value of the first tag of that name stands in a list, as Start
// and End of its Tag say. It looks at nothing else of the list, and allocates nothing.
func Find(list []byte, name string) (start, end int, ok bool) {
	for pos := 0; pos < len(list); pos = end + 1 {
		end = len(list)
		if n := bytes.IndexByte(list[pos:], ';'); n >= 0 {
			end = pos + n
		}
		at := skipSpace(list[:end], pos)
		if !startsWith(list[at:end], name) {
			continue
		}
		at = skipSpace(list[:end], at+len(name))
		if at < end && list[at] == '=' {
			return at + 1, end, true
		}
	}
	return 0, 0, false
}

// skipSpace returns the offset of the first octet from pos on that is not white space.
func skipSpace(list []byte, pos int) int {
	for pos < len(list) && IsSpace(list[pos]) {
		pos++
	}
	return pos
}

func startsWith(text []byte, name string) bool {
	return len(text) >= len(name) && string(text[:len(name)]) == name
}
