package mend

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// spfTerm mends one term, which may turn out to be several. The word is where it stands, and
// text what it says. Ok is false where it cannot be mended.
func (r *Record) spfTerm(src source, word span, text string) (terms []string, ok bool) {
	if soundTerm(text) {
		return []string{text}, true
	}
	if strings.ContainsAny(text, ",;") && !strings.Contains(text, "%{") {
		return r.listedTerms(src, word, text)
	}
	if before, all, found := gluedAll(text); found {
		first, ok := r.spfTerm(src, word, before)
		if ok {
			r.faultAt(src, word, KindSeparator, "A space is missing before "+strconv.Quote(all)+".")
			return append(first, all), true
		}
	}
	mended, why, kind := mendTerm(text)
	if mended == "" || !soundTerm(mended) {
		r.faultAt(src, word, KindValue, unreadable(text))
		return nil, false
	}
	r.faultAt(src, word, kind, why)
	return []string{mended}, true
}

// unreadable says what is wrong with a term of which nobody can tell what was meant.
func unreadable(text string) string {
	name, _, found := strings.Cut(domain.ToLower(strings.TrimLeft(text, "+-~?")), ":")
	switch {
	case found && (name == "ip4" || name == "ip6"):
		return "This is no address and no network."
	case found && known(name):
		return "What stands behind " + name + ": cannot be read."
	}
	return "This is not a term that SPF has."
}

// soundTerm reports whether a term is one that SPF has, and not just one that it ignores
// though it looks like one: "include=x".
func soundTerm(text string) bool {
	record, ok, err := spf.Parse("v=spf1 " + text)
	if !ok || err != nil || len(record.Terms) != 1 {
		return false
	}
	if t := &record.Terms[0]; t.Kind != spf.KindUnknown {
		return !strings.ContainsAny(t.Domain(), "@/:") || strings.Contains(t.Domain(), "%{")
	}
	name, value, _ := strings.Cut(domain.ToLower(text), "=")
	if _, isAddress := address(value); isAddress {
		return false
	}
	return mechanism(name, value) == ""
}

// listedTerms mends terms that a comma or a semicolon parts instead of a space. An address
// without a name belongs to the name before it.
func (r *Record) listedTerms(src source, word span, text string) (terms []string, ok bool) {
	why := "Terms are parted by spaces, not by commas or semicolons."
	at := strings.IndexAny(src.text[word.begin:word.end], ",;") + word.begin
	r.faultAt(src, span{at, at + 1}, KindSeparator, why)
	for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' }) {
		if name, isAddress := address(part); isAddress && len(terms) > 0 {
			terms = append(terms, name+":"+part)
			continue
		}
		mended, ok := r.spfTerm(src, word, part)
		if !ok {
			return nil, false
		}
		terms = append(terms, mended...)
	}
	return terms, true
}

// gluedAll parts "ip4:192.0.2.1~all".
func gluedAll(text string) (before, all string, found bool) {
	const length = len("~all")
	if len(text) <= length || domain.ToLower(text[len(text)-3:]) != "all" || strings.IndexByte("+-~?", text[len(text)-length]) < 0 {
		return "", "", false
	}
	return text[:len(text)-length], text[len(text)-length:], true
}

// mendTerm returns what a term was meant to be, and why it is not that; or "".
func mendTerm(text string) (mended, why string, kind Kind) {
	rest := strings.TrimLeft(text, "+-~?")
	qualifier := text[:len(text)-len(rest)]
	if len(qualifier) > 1 {
		if one := qualifier[len(qualifier)-1:] + rest; soundTerm(one) {
			return one, "One sign before the word is enough.", KindName
		}
		qualifier = qualifier[len(qualifier)-1:]
	}
	if name, ok := address(rest); ok {
		return qualifier + name + ":" + strings.Trim(rest, "[]"), "An address needs " + name + ": before it.", KindName
	}
	i := strings.IndexAny(rest, ":=")
	if i < 0 {
		word := strings.TrimRight(domain.ToLower(rest), ".")
		if name := nearest(word, []string{"all", "ptr"}); name != "" || word == "al" || word == "lal" {
			return qualifier + or(name, "all"), "The word is " + strconv.Quote(or(name, "all")) + ".", KindName
		}
		return "", "", ""
	}
	name, separator, value := domain.ToLower(strings.TrimSpace(rest[:i])), rest[i], rest[i+1:]
	plain := bareName(value)
	fixed := mechanism(name, plain)
	if fixed == "" {
		if !known(name) {
			return "", "", ""
		}
		fixed = name
	}
	want := byte(':')
	if fixed == "redirect" || fixed == "exp" {
		want, qualifier = '=', ""
	}
	mended = qualifier + fixed + string(want) + plain
	switch {
	case fixed != name:
		why, kind = fixed+string(want)+" has to stand here, not "+name+string(separator)+".", KindName
	case separator != want:
		why, kind = "After "+fixed+" stands "+string(want)+", not "+string(separator)+".", KindSeparator
	default:
		why, kind = "What follows "+fixed+string(want)+" is not written as SPF wants it.", KindValue
	}
	return mended, why, kind
}

// bareName returns a value without what is put around names elsewhere: "https://", slashes, a
// final dot or colon, brackets.
func bareName(value string) string {
	value = strings.Trim(value, "[]<> ")
	for _, scheme := range []string{"http://", "https://", "http:", "https:", "mailto:", "www.spf:", "//"} {
		if len(value) >= len(scheme) && domain.ToLower(value[:len(scheme)]) == scheme {
			value = strings.TrimRight(value[len(scheme):], "/")
		}
	}
	if _, isAddress := address(value); !isAddress {
		if at := strings.LastIndexByte(value, '@'); at >= 0 && !strings.Contains(value, "%{") {
			value = value[at+1:]
		}
	}
	return strings.TrimRight(value, ".:")
}

// mechanism returns the mechanism or modifier that a name stands for that is written wrongly,
// or with what belongs to another one; "" where it stands for none, or is right.
func mechanism(name, value string) string {
	family, isAddress := address(value)
	switch name {
	case "ip", "ipv4", "ipv6", "ip4", "ip6", "ip-4", "ip-6", "ipv-4", "ipv-6", "ip_4", "ip_6", "i4p", "i6p", "ip4s", "ip4v", "ip6v", "ipaddress", "address", "addr":
		switch {
		case isAddress:
			return family
		case strings.Trim(value, "0123456789./") != "" && spfDomain(value):
			return "a" // a host name where an address has to be
		}
		return ""
	case "a", "mx", "ptr":
		if isAddress {
			return family
		}
	case "host", "server":
		return "a"
	case "spf", "inc", "incl":
		return "include"
	}
	if known(name) {
		if name == "all" {
			return ""
		}
		return name
	}
	if strings.HasPrefix(name, "x-") {
		return "" // an experiment of its owner
	}
	return nearest(name, []string{"include", "exists", "redirect", "ptr"})
}

// spfDomain reports whether a value is a name that a term can have.
func spfDomain(value string) bool { return soundParse("a:" + value) }

func soundParse(term string) bool {
	_, ok, err := spf.Parse("v=spf1 " + term)
	return ok && err == nil
}

func or(text, none string) string {
	if text == "" {
		return none
	}
	return text
}
