package dmarc

import "github.com/mailverdict/mailverdict/internal/tagvalue"

// Kinds of token in a From field, besides the specials . @ < > , ; : which stand for
// themselves.
const (
	end     = 0
	atom    = 'a' // a run of anything that is no special
	quoted  = 'q' // a quoted-string
	literal = 'l' // a domain-literal
)

type fromToken struct {
	kind byte
	text string // of an atom
}

// fromLexer cuts the body of a From field into the tokens of RFC 5322, section 3.2.
// White space and comments are passed over. Octets above ASCII are part of atoms.
type fromLexer struct {
	rest string
	last byte // kind of the token before
}

func (l *fromLexer) next() (fromToken, error) {
	token, err := l.scan()
	l.last = token.kind
	return token, err
}

func (l *fromLexer) scan() (fromToken, error) {
	for len(l.rest) > 0 {
		switch c := l.rest[0]; {
		case tagvalue.IsSpace(c):
			l.rest = l.rest[1:]
		case c == '(':
			if err := l.comment(); err != nil {
				return fromToken{}, err
			}
		case c == '"':
			return fromToken{kind: quoted}, l.delimited('"', "a quoted string")
		case c == '[' && l.last == '@':
			return fromToken{kind: literal}, l.delimited(']', "an address literal")
		case isSpecial(c):
			l.rest = l.rest[1:]
			return fromToken{kind: c}, nil
		case !isAtomText(c):
			return fromToken{}, badOctet(c)
		default:
			return fromToken{kind: atom, text: l.atom()}, nil
		}
	}
	return fromToken{kind: end}, nil
}

func isSpecial(c byte) bool {
	switch c {
	case '.', '@', '<', '>', ',', ';', ':':
		return true
	}
	return false
}

// isAtomText is wider than atext: brackets stand unquoted in many display names. A
// backslash quotes nothing outside of quotes and comments, and is refused.
func isAtomText(c byte) bool {
	return c > ' ' && c != 0x7f && c != '\\' && c != '"' && c != '(' && c != ')' && !isSpecial(c)
}

func badOctet(c byte) error {
	switch c {
	case '\\', ')':
		return fromSyntax(`"` + string(c) + `" outside of quotes and comments`)
	}
	return fromSyntax("a control character")
}

func (l *fromLexer) atom() string {
	i := 1
	for i < len(l.rest) && isAtomText(l.rest[i]) {
		i++
	}
	text := l.rest[:i]
	l.rest = l.rest[i:]
	return text
}

// delimited passes over text that begins with the current octet and ends with close,
// in which a backslash quotes the next octet.
func (l *fromLexer) delimited(close byte, what string) error {
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '\\':
			i++
		case c == close:
			l.rest = l.rest[i+1:]
			return nil
		case isControl(c):
			return fromSyntax("a control character in " + what)
		}
	}
	return fromSyntax(what + " without an end")
}

// comment passes over a comment and those nested in it.
func (l *fromLexer) comment() error {
	depth := 0
	for i := 0; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '\\':
			i++
		case c == '(':
			if depth++; depth > maxNesting {
				return fromSyntax("comments nested more than 100 deep")
			}
		case c == ')':
			if depth--; depth == 0 {
				l.rest = l.rest[i+1:]
				return nil
			}
		case isControl(c):
			return fromSyntax("a control character in a comment")
		}
	}
	return fromSyntax("a comment without an end")
}

func isControl(c byte) bool {
	return c < ' ' && !tagvalue.IsSpace(c) || c == 0x7f
}
