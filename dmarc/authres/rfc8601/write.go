package rfc8601

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"
)

// Format returns the field, its name included, folded at 78 columns with CRLF, and without a
// final CRLF. A field that Parse read becomes one that Parse reads as the same; comments are
// gone. What the grammar cannot hold, as ParseLenient may have met it, is changed: other
// characters in a method, a result or the name of a property become hyphens, control
// characters in a text become question marks, and properties without a type are left out.
//
// UTF-8 stays UTF-8, as RFC 6532 allows. Formatter writes US-ASCII.
func (f *Field) Format() string {
	return fold(fieldName+": "+f.begin()+";", f.words())
}

// String returns the field's body on one line, without its name.
func (f *Field) String() string {
	text := f.begin()
	for _, words := range f.words() {
		text += "; " + strings.Join(words, " ")
	}
	return text
}

// begin returns the authserv-id and the version, which is left out where it is 1 or 0.
func (f *Field) begin() string {
	text := value(f.ID)
	if f.Version > 1 {
		text += " " + strconv.Itoa(f.Version)
	}
	return text
}

// words returns the results as words between which the field may be folded.
func (f *Field) words() [][]string {
	if len(f.Results) == 0 {
		return [][]string{{"none"}}
	}
	list := make([][]string, len(f.Results))
	for i := range f.Results {
		list[i] = f.Results[i].words()
	}
	return list
}

// String returns the result as it stands in a field: "dkim=pass header.d=example.com".
func (r Result) String() string { return strings.Join(r.words(), " ") }

// words returns the result in words between which a field may be folded: RFC 8601, section
// 2.2 (resinfo).
func (r *Result) words() []string {
	method := Keyword(r.Method)
	if r.MethodVersion > 1 {
		method += "/" + strconv.Itoa(r.MethodVersion)
	}
	list := []string{method + "=" + Keyword(r.Value)}
	for _, text := range r.Comments {
		list = append(list, "("+SafeText(text)+")")
	}
	if r.Reason != "" {
		list = append(list, "reason="+value(r.Reason))
	}
	for _, p := range r.Properties {
		if p.Type != "" && p.Name != "" {
			list = append(list, Keyword(p.Type)+"."+Keyword(p.Name)+"="+pvalue(p.Value))
		}
	}
	return list
}

// Octets returns how many octets a result takes in a field at most, folds included.
func (r *Result) Octets() int {
	n := 0
	for _, word := range r.words() {
		n += len(word) + len(foldMark)
	}
	return n
}

// Keyword returns a word of letters, digits, and hyphens that does not end in a hyphen.
// Other characters become hyphens.
func Keyword(word string) string {
	b := []byte(word)
	for i, c := range b {
		if !isAlphanumeric(c) {
			b[i] = '-'
		}
	}
	return cmp.Or(strings.TrimRight(string(b), "-"), "unknown")
}

// value returns text as a token, or else as a quoted string.
func value(text string) string { return unlessQuoted(text, (*lexer).value) }

// pvalue returns the value of a property: a token, an address, or else a quoted string.
func pvalue(text string) string { return unlessQuoted(text, (*lexer).pvalue) }

// unlessQuoted returns text itself if a reader would take it for the same text, and else a
// quoted string.
func unlessQuoted(text string, read func(*lexer) string) string {
	l := &lexer{text: text}
	if got := read(l); l.err == nil && l.pos == len(text) && got == text {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		case r < ' ' && r != '\t' || 0x7f <= r && r < 0xa0:
			r = '?'
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

// SafeText returns text on one line that ends no comment, no quotes and no result: to a
// reader that knows nothing of quotes either. Other characters become question marks.
func SafeText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)):
			return r
		case r < ' ' || r > '~' || strings.ContainsRune(`()\;"`, r):
			return '?'
		}
		return r
	}, text)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
