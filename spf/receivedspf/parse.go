package receivedspf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// ErrMalformed means that a text is not a Received-SPF field.
var ErrMalformed = errors.New("not a Received-SPF field")

// Parse reads a Received-SPF header field, with its name, folded or not:
//
//	"Received-SPF:" [CFWS] result FWS [comment FWS] [ key-value-list ]
//
// It is lenient where writers are: comments may stand between any two parts, and a
// value need not be quoted as long as it has no space, ";" or "(" in it. A field of
// more than 64 KiB, or one that has a key twice, is an error that wraps
// ErrMalformed.
//
// Anybody can write such a field. It says something only if the reader knows that
// its own border has added it: RFC 7208, section 9.1.
func Parse(field string) (*Field, error) {
	const most, name = 64 << 10, "received-spf:"
	if len(field) > most {
		return nil, fmt.Errorf("%w: %d octets", ErrMalformed, len(field))
	}
	if len(field) < len(name) || domain.ToLower(field[:len(name)]) != name {
		return nil, fmt.Errorf("%w: no such name", ErrMalformed)
	}
	text, err := unfold(field[len(name):])
	if err != nil {
		return nil, err
	}
	p := fieldReader{rest: text, keys: make(map[string]bool)}
	f := new(Field)
	if err := p.read(f); err != nil {
		return nil, fmt.Errorf("%w: at octet %d: %w", ErrMalformed, len(text)-len(p.rest), err)
	}
	return f, nil
}

// unfold takes the line ends out of a field: RFC 5322, section 2.2.3. One that no
// white space follows would be the end of the field, except at the very end.
func unfold(s string) (string, error) {
	s = strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
	if strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, '\n') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\r' && s[i] != '\n' {
			b.WriteByte(s[i])
			continue
		}
		if s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n' {
			i++
		}
		if s[i] != '\n' || i+1 == len(s) || s[i+1] != ' ' && s[i+1] != '\t' {
			return "", fmt.Errorf("%w: a line end within it", ErrMalformed)
		}
	}
	return b.String(), nil
}

// A fieldReader takes an unfolded field apart from the left.
type fieldReader struct {
	rest string
	keys map[string]bool // that were read, in lower case
}

func (p *fieldReader) read(f *Field) error {
	if _, err := p.skip(); err != nil {
		return err
	}
	result := p.run(isAlpha)
	if err := f.Status.UnmarshalText([]byte(result)); err != nil {
		return err
	}
	comment, err := p.skip()
	if err != nil {
		return err
	}
	f.Comment = comment
	for p.rest != "" {
		if err := p.readPair(f); err != nil {
			return err
		}
	}
	return nil
}

func (p *fieldReader) readPair(f *Field) error {
	key := p.rest[:keyLength(p.rest)]
	if key == "" {
		return errors.New("want a key")
	}
	p.rest = p.rest[len(key):]
	if _, err := p.skip(); err != nil {
		return err
	}
	if !p.take('=') {
		return errors.New(`want "="`)
	}
	if _, err := p.skip(); err != nil {
		return err
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	// Of two, two readers could take different ones.
	lower := domain.ToLower(key)
	if p.keys[lower] {
		return errors.New("a key stands twice")
	}
	p.keys[lower] = true
	if err := f.set(key, value); err != nil {
		return err
	}
	if _, err := p.skip(); err != nil {
		return err
	}
	if p.rest != "" && !p.take(';') {
		return errors.New(`want ";"`)
	}
	_, err = p.skip()
	return err
}

// set stores a pair.
func (f *Field) set(key, value string) error {
	switch domain.ToLower(key) {
	case "client-ip":
		ip, err := netip.ParseAddr(value)
		if err != nil {
			return errors.New("want an address as client-ip")
		}
		f.ClientIP = ip
	case "receiver":
		f.Receiver = value
	case "identity":
		f.Identity = value
	case "envelope-from":
		f.EnvelopeFrom = value
	case "helo":
		f.HELO = value
	case "mechanism":
		f.Mechanism = value
	case "problem":
		f.Problem = value
	default:
		f.Other = append(f.Other, Pair{key, value})
	}
	return nil
}

// skip takes white space and comments, and returns the text of the first comment.
func (p *fieldReader) skip() (comment string, err error) {
	for first := true; ; first = false {
		p.run(func(c byte) bool { return c == ' ' || c == '\t' })
		if p.rest == "" || p.rest[0] != '(' {
			return comment, nil
		}
		text, err := p.comment()
		if err != nil {
			return "", err
		}
		if first {
			comment = text
		}
	}
}

// comment takes a comment, which may hold others, and returns its text.
func (p *fieldReader) comment() (string, error) {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '\\' && i+1 < len(p.rest):
			i++
			c = p.rest[i]
		case c == '(':
			if depth++; depth == 1 {
				continue
			}
		case c == ')':
			if depth--; depth == 0 {
				p.rest = p.rest[i+1:]
				return strings.TrimSpace(b.String()), nil
			}
		}
		b.WriteByte(c)
	}
	return "", errors.New("a comment is not closed")
}

// value takes a quoted string, or what stands up to a space, ";" or "(".
func (p *fieldReader) value() (string, error) {
	if !p.take('"') {
		return p.run(func(c byte) bool { return strings.IndexByte(" \t;(", c) < 0 }), nil
	}
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			i++
			c = p.rest[i]
		}
		b.WriteByte(c)
	}
	return "", errors.New("a quoted string is not closed")
}

func (p *fieldReader) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// run takes the octets for which ok holds.
func (p *fieldReader) run(ok func(byte) bool) string {
	i := 0
	for i < len(p.rest) && ok(p.rest[i]) {
		i++
	}
	taken := p.rest[:i]
	p.rest = p.rest[i:]
	return taken
}
