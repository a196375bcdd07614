package mend

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// An item is one tag of a record, with its name in lower case.
type item struct {
	name  string
	value string
	whole span
}

// tags parts a record into tags at its semicolons, and where one is missing before a tag whose
// name is known. Items that are no tags have no name.
func (r *Record) tags(src source, known []string) []item {
	var items []item
	for _, part := range split(src, span{0, len(src.text)}, ';') {
		for _, s := range r.runOn(src, part, known) {
			if s = s.trim(src); s.begin < s.end {
				items = append(items, r.tag(src, s, known))
			}
		}
	}
	return items
}

// runOn parts a span before each tag that follows another without a semicolon:
// "v=DMARC1 p=none".
func (r *Record) runOn(src source, s span, known []string) []span {
	var parts []span
	begin := s.begin
	for i := s.begin + 1; i < s.end; i++ {
		if c := src.text[i-1]; c != ' ' && c != ',' || !isTag(src.text[i:s.end], known) || blankOnly(src.text[begin:i]) {
			continue
		}
		end := i
		for end > begin && (src.text[end-1] == ' ' || src.text[end-1] == ',') {
			end--
		}
		r.faultAt(src, span{end, i}, KindSeparator, "A semicolon (;) has to part the tags here.")
		parts = append(parts, span{begin, end})
		begin = i
	}
	return append(parts, span{begin, s.end})
}

func blankOnly(text string) bool { return strings.Trim(text, " ,") == "" }

// isTag reports whether text begins with a known tag and "=".
func isTag(text string, known []string) bool {
	n := 0
	for n < len(text) && letter(text[n]) {
		n++
	}
	return slices.Contains(known, domain.ToLower(text[:n])) && strings.HasPrefix(strings.TrimLeft(text[n:], " "), "=")
}

// tag reads one tag, and mends its "=" and its name.
func (r *Record) tag(src source, s span, known []string) item {
	text := s.in(src)
	n := 0
	for n < len(text) && letter(text[n]) {
		n++
	}
	name := domain.ToLower(text[:n])
	rest := strings.TrimLeft(text[n:], " ")
	it := item{name: name, whole: s}
	switch {
	case n > 0 && strings.HasPrefix(rest, "="):
		it.value = strings.TrimSpace(rest[1:])
	case slices.Contains(known, name) && strings.HasPrefix(rest, ":"):
		it.value = strings.TrimSpace(rest[1:])
		r.faultAt(src, s, KindSeparator, "After "+name+" stands =, not a colon.")
	case slices.Contains(known, name) && rest != "" && len(rest) < len(text)-n:
		it.value = rest
		r.faultAt(src, s, KindSeparator, "A = is missing after "+name+".")
	default:
		it.name, it.value = "", text
		return it
	}
	if !slices.Contains(known, name) {
		if better := nearest(name, known); better != "" {
			it.name = better
			r.faultAt(src, s, KindName, "The tag is "+better+", not "+strconv.Quote(name)+".")
		}
	}
	return it
}

// once drops tags that stand there twice with the same value. It returns false where their
// values differ.
func (r *Record) once(src source, items []item) (list []item, ok bool) {
	ok = true
	for _, it := range items {
		i := slices.IndexFunc(list, func(other item) bool { return it.name != "" && other.name == it.name })
		switch {
		case i < 0:
			list = append(list, it)
		case domain.ToLower(list[i].value) == domain.ToLower(it.value):
			r.faultAt(src, it.whole, KindRepeated, it.name+"= stands there twice.")
		default:
			r.faultAt(src, it.whole, KindRepeated, it.name+"= stands there twice, with two values.")
			ok = false
		}
	}
	return list, ok
}

// value returns the value of a tag, and whether it is there.
func value(items []item, name string) (string, bool) {
	for _, it := range items {
		if it.name == name {
			return it.value, true
		}
	}
	return "", false
}

// written returns the tags as a record has them.
func written(items []item) string {
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = it.name + "=" + it.value
	}
	return strings.Join(list, "; ")
}
