package rfc8601

import (
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// ParseLenient reads an Authentication-Results field as Parse does, and what it can of one
// that breaks the grammar in the ways that are common:
//
//   - there is no authserv-id, and the field begins with a result (Microsoft): ID is empty
//   - a property has no type: action=none, x-bits=2048
//   - a value has characters that need quotes: an IPv6 address, base64, an address that is
//     not one
//   - a word has an underscore: dkim_pass
//   - reason= stands behind properties
//   - a part is empty, as behind a ";" at the end; or folds end in LF alone
//
// A part that cannot be read is left out and listed in Unread; the others stand. Field.Lenient
// says that the field was not read by the grammar. Its results are for showing to people.
//
// Where comments and quoted strings begin and end is never guessed: a field in which that is
// in doubt is an error, so no result is read out of a comment or a quoted string. The error
// wraps ErrName, ErrSyntax, ErrVersion or ErrLimit.
func ParseLenient(field string) (*Field, error) {
	field = crlfFolds(field)
	f, strict := Parse(field)
	if strict == nil {
		return f, nil
	}
	name, payload, ok := strings.Cut(field, ":")
	if !ok || domain.ToLower(name) != lowerName {
		return nil, ErrName
	}
	if len(field) > MaxOctets {
		return nil, strict
	}
	parts, err := divide(payload)
	if err != nil {
		return nil, err
	}
	f = &Field{Version: 1, Results: []Result{}, Lenient: true}
	if lenientResult(parts[0]) == nil {
		f.leave(f.takeID(parts[0]))
		if f.Version != 1 {
			return f, ErrVersion
		}
		parts = parts[1:]
	}
	for _, part := range parts {
		if r := lenientResult(part); r != nil {
			f.Results = append(f.Results, *r)
		} else {
			f.leave(part)
		}
	}
	return f, nil
}

// leave lists a part that cannot be read, unless nothing but white space and comments stands
// in it.
func (f *Field) leave(part string) {
	l := &lexer{text: part}
	if l.cfws(); l.pos < len(part) {
		f.Unread = append(f.Unread, strings.TrimSpace(strings.ReplaceAll(part, "\r\n", "")))
	}
}

// crlfFolds returns a field whose folds end in CRLF, whatever they ended in.
func crlfFolds(field string) string {
	field = strings.TrimSuffix(strings.TrimSuffix(field, "\n"), "\r")
	return strings.NewReplacer("\r\n", "\r\n", "\n ", "\r\n ", "\n\t", "\r\n\t").Replace(field)
}

// divide parts a field at each ";" that stands in no comment and no quoted string. It fails
// where it is in doubt which those are: a comment or quoted string has to be a whole one by
// RFC 5322, quotes have to begin behind "=" or at the beginning of a part, and neither ")"
// nor a backslash may stand alone.
func divide(text string) ([]string, error) {
	var parts []string
	l := &lexer{text: text}
	start, before := 0, byte(';') // the last character before l.pos that is no white space
	for l.err == nil && l.pos < len(text) {
		c := text[l.pos]
		switch c {
		case ' ', '\t', '\r', '\n':
			l.space()
			continue
		case '(':
			l.comment()
			continue
		case '"':
			if before != ';' && before != '=' {
				l.fail(ErrSyntax, "a quote within a word")
			}
			l.quoted()
		case ')', '\\':
			l.fail(ErrSyntax, "a character that stands in comments and quotes alone")
		case ';':
			parts = append(parts, text[start:l.pos])
			l.pos++
			start = l.pos
		default:
			l.visible()
		}
		before = c
	}
	return append(parts, text[start:]), l.err
}

// takeID takes the authserv-id and the version from the first part, and returns what else
// stands in it.
func (f *Field) takeID(part string) string {
	l := &lexer{text: part}
	l.cfws()
	id := l.value()
	if l.err != nil {
		return part
	}
	f.ID = id
	rest := l.pos
	l.cfws()
	if l.pos == rest && l.pos < len(part) {
		return part[rest:]
	}
	if c := l.peek(); '0' <= c && c <= '9' {
		version := l.number()
		if l.cfws(); l.pos == len(part) {
			f.Version = version
		}
	}
	if l.pos == len(part) {
		return ""
	}
	return part[rest:]
}

// lenientResult reads one part of a field, or returns nil.
func lenientResult(part string) *Result {
	l := &lexer{text: part}
	l.cfws()
	r := &Result{Method: l.loose(), MethodVersion: 1, Properties: []Property{}}
	l.cfws()
	if l.peek() == '/' {
		l.mark('/')
		r.MethodVersion = l.number()
	}
	l.mark('=')
	r.Value = l.loose()
	l.spaced()
	for l.err == nil && l.pos < len(part) {
		r.take(l)
	}
	if l.err != nil {
		return nil
	}
	return r
}

// take reads a property, with a type or without, or a reason.
func (r *Result) take(l *lexer) {
	p := Property{Name: l.loose()}
	l.cfws()
	if l.peek() == '.' {
		l.mark('.')
		p.Type, p.Name = p.Name, l.loose()
	}
	l.mark('=')
	value := l.looseValue()
	l.cfws()
	switch {
	case p.Type != "" || p.Name != "reason":
		p.Value = value
		r.Properties = append(r.Properties, p)
	case r.Reason == "":
		r.Reason = value
	default:
		l.fail(ErrSyntax, "a second reason")
	}
}

// loose reads letters, digits, hyphens and underscores. It is in lower case.
func (l *lexer) loose() string {
	start := l.pos
	for c := l.peek(); isAlphanumeric(c) || c == '-' || c == '_'; c = l.peek() {
		l.pos++
	}
	if l.pos == start {
		l.fail(ErrSyntax, "a word is missing")
	}
	return domain.ToLower(l.text[start:l.pos])
}

// looseValue reads a value as the grammar has it, or else what stands before the next white
// space or comment.
func (l *lexer) looseValue() string {
	strict := *l
	value := strict.pvalue()
	if c := strict.peek(); strict.err == nil && (strict.pos == len(l.text) || c == ' ' || c == '\t' || c == '\r' || c == '(') {
		*l = strict
		return value
	}
	if l.peek() == '"' {
		l.fail(ErrSyntax, "a character behind a quoted string")
		return ""
	}
	value = l.run(func(c byte) bool { return c > ' ' && c != '(' && c != '"' && c != 0x7f })
	if value == "" {
		l.fail(ErrSyntax, "a value is missing")
	}
	return value
}
