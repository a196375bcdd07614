package rfc8601

import (
	"strings"
	"unicode/utf8"
)

// A lexer reads the parts of a field from left to right. After its first error it stands
// still and reads nothing: the error stays.
type lexer struct {
	text string
	pos  int
	err  error
}

// maxNesting is how deep comments may stand in each other.
const maxNesting = 100

func (l *lexer) fail(err error, want string) {
	if l.err == nil {
		l.err = &syntaxError{l.pos, want, err}
	}
}

func (l *lexer) peek() byte {
	if l.err == nil && l.pos < len(l.text) {
		return l.text[l.pos]
	}
	return 0
}

// cfws skips comments and folding white space: RFC 5322, section 3.2.2.
func (l *lexer) cfws() {
	for l.err == nil && l.pos < len(l.text) {
		switch l.text[l.pos] {
		case ' ', '\t', '\r', '\n':
			l.space()
		case '(':
			l.comment()
		default:
			return
		}
	}
}

// space skips one space, tab, or fold.
func (l *lexer) space() {
	switch c := l.text[l.pos]; {
	case c == ' ' || c == '\t':
		l.pos++
	case strings.HasPrefix(l.text[l.pos:], "\r\n ") || strings.HasPrefix(l.text[l.pos:], "\r\n\t"):
		l.pos += 3
	default:
		l.fail(ErrSyntax, "a line end that is no fold")
	}
}

// comment skips a comment and those within it.
func (l *lexer) comment() {
	for depth := 0; ; {
		if l.pos >= len(l.text) {
			l.fail(ErrSyntax, "a comment without its end")
			return
		}
		switch c := l.text[l.pos]; c {
		case '(':
			if depth++; depth > maxNesting {
				l.fail(ErrLimit, "comments more than 100 deep")
				return
			}
			l.pos++
		case ')':
			l.pos++
			if depth--; depth == 0 {
				return
			}
		case '\\':
			l.pair()
		case ' ', '\t', '\r', '\n':
			l.space()
		default:
			l.visible()
		}
		if l.err != nil {
			return
		}
	}
}

// pair reads a backslash and the character that it quotes, and returns that.
func (l *lexer) pair() string {
	l.pos++
	switch l.peek() {
	case ' ':
		l.pos++
		return " "
	case '\t':
		l.pos++
		return "\t"
	}
	return l.visible()
}

// visible reads one printable character, UTF-8 included (RFC 6532, section 3.2).
func (l *lexer) visible() string {
	if l.err != nil || l.pos >= len(l.text) {
		l.fail(ErrSyntax, "a character is missing")
		return ""
	}
	r, n := utf8.DecodeRuneInString(l.text[l.pos:])
	if r <= ' ' || 0x7f <= r && r < 0xa0 || r == utf8.RuneError && n == 1 {
		l.fail(ErrSyntax, "a control character or broken UTF-8")
		return ""
	}
	l.pos += n
	return l.text[l.pos-n : l.pos]
}

// quoted reads a quoted string and returns what it stands for.
func (l *lexer) quoted() string {
	var b strings.Builder
	l.pos++
	for l.err == nil {
		if l.pos >= len(l.text) {
			l.fail(ErrSyntax, "a quoted string without its end")
			break
		}
		switch c := l.text[l.pos]; c {
		case '"':
			l.pos++
			return b.String()
		case '\\':
			b.WriteString(l.pair())
		case '\r', '\n':
			l.space()
			b.WriteByte(l.text[l.pos-1])
		case ' ', '\t':
			l.pos++
			b.WriteByte(c)
		default:
			b.WriteString(l.visible())
		}
	}
	return ""
}

// run reads characters as long as they satisfy want, UTF-8 counting as letters.
func (l *lexer) run(want func(c byte) bool) string {
	start := l.pos
	for l.err == nil && l.pos < len(l.text) {
		if c := l.text[l.pos]; c >= utf8.RuneSelf {
			l.visible()
		} else if want(c) {
			l.pos++
		} else {
			break
		}
	}
	return l.text[start:l.pos]
}

// value reads a token or a quoted string: RFC 2045, section 5.1.
func (l *lexer) value() string {
	if l.peek() == '"' {
		return l.quoted()
	}
	v := l.run(IsToken)
	if v == "" {
		l.fail(ErrSyntax, "a value is missing")
	}
	return v
}

// keyword reads letters, digits and hyphens that do not end in a hyphen: RFC 5321, section
// 4.1.2 (Ldh-str). It is in lower case.
func (l *lexer) keyword(what string) string {
	start := l.pos
	for isAlphanumeric(l.peek()) || l.peek() == '-' {
		l.pos++
	}
	k := l.text[start:l.pos]
	if k == "" || k[len(k)-1] == '-' {
		l.fail(ErrSyntax, what+" is missing")
	}
	return strings.ToLower(k)
}

// number reads digits. A number that no version will ever have is 1000.
func (l *lexer) number() int {
	start, n := l.pos, 0
	for '0' <= l.peek() && l.peek() <= '9' {
		n = min(n*10+int(l.text[l.pos]-'0'), 1000)
		l.pos++
	}
	if l.pos == start {
		l.fail(ErrSyntax, "a version number is missing")
	}
	return n
}

// mark reads one character that has to stand here, and the white space and comments
// around it.
func (l *lexer) mark(c byte) {
	l.cfws()
	if l.peek() != c {
		l.fail(ErrSyntax, `"`+string(c)+`" is missing`)
		return
	}
	l.pos++
	l.cfws()
}

// IsToken reports whether c can be part of a token: RFC 2045, section 5.1.
func IsToken(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?=`, c) < 0
}

// isAtom reports whether c can be part of a local part without quotes: RFC 5322, section
// 3.2.3, and the dots between the atoms.
func isAtom(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"[]`, c) < 0
}
