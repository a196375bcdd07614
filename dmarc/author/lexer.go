package author

import (
	"strings"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// Kinds of token in a From field, besides the specials . @ < > , ; : which stand for
// themselves.
const (
	end     = 0
	atom    = 'a' // a run of anything that is no special
	quoted  = 'q' // a quoted-string
	literal = 'l' // a domain-literal
)

type token struct {
	kind  byte
	text  string
	at    int  // where in the body it begins
	apart bool // white space or a comment stands before it
}

// lexer cuts the body of a From field into the tokens of RFC 5322, section 3.2.
// White space and comments are passed over. Octets above ASCII are part of atoms.
type lexer struct {
	body      string
	rest      string // of the body, not read yet
	last      byte   // kind of the token before
	commented bool   // a comment was passed over since the last delimiter
}

// next reads the next token into t, which is empty.
func (l *lexer) next(t *token) error {
	err := l.scan(t)
	l.last = t.kind
	return err
}

func (l *lexer) scan(t *token) (err error) {
	for len(l.rest) > 0 {
		t.at = len(l.body) - len(l.rest)
		switch c := l.rest[0]; {
		case tagvalue.IsSpace(c):
			l.rest, t.apart = l.rest[1:], true
		case c == '(':
			if err := l.comment(); err != nil {
				return err
			}
			l.commented, t.apart = true, true
		case c == '"':
			t.kind = quoted
			t.text, err = l.delimited('"', "a quoted string")
			return err
		case c == '[' && l.last == '@':
			t.kind = literal
			_, err = l.delimited(']', "an address literal")
			return err
		case isSpecial(c):
			t.kind, t.text = c, l.take(1)
			return nil
		case !atomText[c]:
			return badOctet(c)
		default:
			t.kind, t.text = atom, l.take(atomLength(l.rest))
			return nil
		}
	}
	t.kind = end
	return nil
}

func isSpecial(c byte) bool {
	switch c {
	case '.', '@', '<', '>', ',', ';', ':':
		return true
	}
	return false
}

// atomText has the octets that are atext or above ASCII. RFC 5322, section 3.2.3.
var atomText = func() (table [256]bool) {
	for c := range table {
		table[c] = c > ' ' && c != 0x7f && !isSpecial(byte(c)) && strings.IndexByte(`\"()[]`, byte(c)) < 0
	}
	return table
}()

func badOctet(c byte) error {
	switch c {
	case '\\', ')', '[', ']':
		return syntax(`"` + string(c) + `" outside of quotes and comments`)
	}
	return syntax("a control character")
}

// atomLength returns the length of the atom that text begins with.
func atomLength(text string) int {
	i := 0
	for i < len(text) && atomText[text[i]] {
		i++
	}
	return i
}

// take passes over n octets and returns them.
func (l *lexer) take(n int) string {
	text := l.rest[:n]
	l.rest = l.rest[n:]
	return text
}

// delimited passes over text that begins with the current octet and ends with close,
// in which a backslash quotes the next octet, and returns it.
func (l *lexer) delimited(close byte, what string) (string, error) {
	n := delimitedLength(l.rest, close)
	if n == 0 {
		return "", syntax(what + " without an end")
	}
	text := l.take(n)
	if hasControl(text) {
		return "", syntax("a control character in " + what)
	}
	return text, nil
}

// comment passes over a comment and those nested in it. One that holds an address is an
// error: some readers show it.
func (l *lexer) comment() error {
	n := commentLength(l.rest)
	if n == 0 {
		return syntax("a comment without an end, or nested more than 100 deep")
	}
	text := l.take(n)
	if hasControl(text) {
		return syntax("a control character in a comment")
	}
	if hasAt(text) {
		return syntax(`a comment with "@"`)
	}
	return nil
}

// commentLength returns the length of the comment that text begins with, or 0 where it has
// no end or nests too deep.
func commentLength(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '(':
			if depth++; depth > maxNesting {
				return 0
			}
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// quotedLength returns the length of the quoted-string that text begins with, or 0 where it
// has no end.
func quotedLength(text string) int { return delimitedLength(text, '"') }

// delimitedLength returns the length of text up to close, which stands not at its beginning
// and not behind a backslash, or 0.
func delimitedLength(text string, close byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case close:
			return i + 1
		}
	}
	return 0
}

// wideAts are the characters besides "@" that some readers take for it: FULLWIDTH and SMALL
// COMMERCIAL AT, which Unicode normalization turns into it.
var wideAts = [...]string{"\uFF20", "\uFE6B"}

// hasAt reports whether some reader sees an "@" in text.
func hasAt(text string) bool { return countAts(text) > 0 }

func countAts(text string) int {
	n := 0
	for i := range len(text) {
		if c := text[i]; (c == '@' || c >= utf8.RuneSelf) && atLength(text[i:]) > 0 {
			n++
		}
	}
	return n
}

func isControl(c byte) bool {
	return c < ' ' && !tagvalue.IsSpace(c) || c == 0x7f
}

func hasControl(text string) bool {
	for i := range len(text) {
		if isControl(text[i]) {
			return true
		}
	}
	return false
}
