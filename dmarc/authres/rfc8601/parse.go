package rfc8601

import (
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// MaxOctets is the longest field that is read, in octets.
const MaxOctets = 64 << 10

// Parse reads an Authentication-Results field, its name and its folds (CRLF) included,
// with or without its final CRLF. It follows the grammar of RFC 8601, section 2.2, to the
// letter, with UTF-8 where RFC 6532 puts it, and takes nothing from a field that does not:
// a ";" within a comment or quotes parts no results, and a field that only some programs
// can read is an error.
//
// The error wraps ErrName, ErrSyntax, ErrVersion or ErrLimit. Where the field has another
// version than 1, the Field beside ErrVersion has its ID and Version, and no results.
func Parse(field string) (*Field, error) {
	if len(field) > MaxOctets {
		return nil, &syntaxError{MaxOctets, "more than 64 KiB", ErrLimit}
	}
	name, _, ok := strings.Cut(field, ":")
	if !ok || domain.ToLower(name) != lowerName {
		return nil, ErrName
	}
	l := &lexer{text: strings.TrimSuffix(field, "\r\n"), pos: len(name) + 1}
	f := &Field{Version: 1, Results: []Result{}}
	l.cfws()
	f.ID = l.value()
	l.version(f)
	if l.err != nil {
		return nil, l.err
	}
	if f.Version != 1 {
		return f, ErrVersion
	}
	l.results(f)
	if l.err != nil {
		return nil, l.err
	}
	return f, nil
}

// version reads the version of the field, if there is one.
func (l *lexer) version(f *Field) {
	start := l.pos
	l.cfws()
	switch {
	case l.err != nil || l.peek() == ';':
	case l.pos == len(l.text):
		l.fail(ErrSyntax, "results are missing")
	case l.pos == start:
		l.fail(ErrSyntax, "the authserv-id has a character that needs quotes")
	default:
		f.Version = l.number()
	}
}

// results reads no-result or all resinfo.
func (l *lexer) results(f *Field) {
	l.mark(';')
	method := l.keyword("a method")
	l.cfws()
	if method == "none" && l.err == nil && l.pos == len(l.text) {
		return
	}
	for {
		r := Result{Method: method, MethodVersion: 1, Properties: []Property{}}
		l.result(&r)
		if l.err != nil {
			return
		}
		f.Results = append(f.Results, r)
		if l.pos == len(l.text) {
			return
		}
		l.mark(';')
		method = l.keyword("a method")
		l.cfws()
	}
}

// result reads what follows a method up to the ";" or the end.
func (l *lexer) result(r *Result) {
	if l.peek() == '/' {
		l.mark('/')
		if r.MethodVersion = l.number(); r.MethodVersion == 0 {
			l.fail(ErrVersion, "no method has a version 0")
		}
	}
	l.mark('=')
	r.Value = l.keyword("a result")
	l.spaced()
	for first := true; l.err == nil && l.pos < len(l.text) && l.peek() != ';'; first = false {
		name := l.keyword("a property")
		l.cfws()
		if first && name == "reason" && l.peek() == '=' {
			l.mark('=')
			r.Reason = l.value()
			l.cfws()
			continue
		}
		p := Property{Type: name}
		l.mark('.')
		p.Name = l.keyword("a property")
		l.mark('=')
		p.Value = l.pvalue()
		l.cfws()
		r.Properties = append(r.Properties, p)
	}
}

// spaced skips what parts a result from the properties, of which the grammar lets none
// stand right behind it.
func (l *lexer) spaced() {
	start := l.pos
	l.cfws()
	if l.err == nil && l.pos == start && l.pos < len(l.text) && l.peek() != ';' {
		l.fail(ErrSyntax, "white space is missing")
	}
}

// pvalue reads the value of a property:
//
//	pvalue = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) ) [CFWS]
//
// An address keeps the quotes of its local part; a quoted value loses them.
func (l *lexer) pvalue() string {
	start := l.pos
	var value string
	if l.peek() == '"' {
		value = l.quoted()
	} else {
		value = l.run(isAtom)
	}
	if l.peek() == '@' {
		return l.address(start)
	}
	if l.err != nil || l.text[start:l.pos] == "" {
		l.fail(ErrSyntax, "a value is missing")
		return ""
	}
	if l.text[start] != '"' {
		for i := range len(value) {
			if value[i] < 0x80 && !IsToken(value[i]) {
				l.pos = start + i
				l.fail(ErrSyntax, "a character that needs quotes")
				return ""
			}
		}
	}
	return value
}

// address reads the rest of an address whose local part, which may be empty, began at
// start.
func (l *lexer) address(start int) string {
	local := l.text[start:l.pos]
	if local != "" && local[0] != '"' && (local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..")) {
		l.fail(ErrSyntax, "a local part with an empty atom")
		return ""
	}
	l.pos++
	name := l.run(func(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-_.", c) >= 0 })
	if _, err := domain.Canonical(name); err != nil {
		l.fail(ErrSyntax, "a domain name is missing")
		return ""
	}
	return strings.ReplaceAll(l.text[start:l.pos], "\r\n", "")
}

// ReadID reads the authserv-id at the beginning of a field, as far as it can be read. It
// is clear if nothing but a version and the ";" follow.
func ReadID(text string, whole bool) (id string, clear bool) {
	l := &lexer{text: text}
	l.cfws()
	id = l.value()
	l.cfws()
	if c := l.peek(); '0' <= c && c <= '9' {
		l.number()
		l.cfws()
	}
	return id, l.err == nil && (l.peek() == ';' || whole && l.pos == len(text))
}
