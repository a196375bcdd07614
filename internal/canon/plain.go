package canon

import "strings"

// PlainBody returns the canonical form of a body, by the words of RFC 6376, sections
// 3.4.3 and 3.4.4, and without any care for speed. It is what [Body] has to do, and
// serves tests: those of Body compare the two, and the signer of tests signs with it.
func PlainBody(form Form, body string) string {
	lines := strings.Split(body, "\r\n")
	if form == Relaxed {
		for i := range lines {
			lines[i] = plainLine(lines[i])
		}
	}
	// Empty lines at the end of the body do not count, and the last line that does is
	// completed if it has no CRLF.
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 && form == Relaxed {
		return ""
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// plainLine returns a line with each run of white space as one space, and none at the end.
func plainLine(line string) string {
	var plain []byte
	for _, c := range []byte(line) {
		if c == '\t' {
			c = ' '
		}
		if n := len(plain); c == ' ' && n > 0 && plain[n-1] == ' ' {
			continue
		}
		plain = append(plain, c)
	}
	return strings.TrimSuffix(string(plain), " ")
}
