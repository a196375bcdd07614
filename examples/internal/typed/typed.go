// Package typed reads the domain in what people type or paste where a domain is asked for: an address,
// the address of a page, or the name of a record.
package typed

import (
	"strings"
	"unicode"
)

// A Domain is a domain that somebody typed.
type Domain struct {
	Name     string // what is taken for the domain; it may be no domain name. "": there is none
	Selector string // of a DKIM record whose name was typed, or ""
	Changed  bool   // Name is not what was typed; a dot at its end or a space around it is no change
}

// records are the names below a domain at which records on mail stand.
var records = []string{"_dmarc.", "_mta-sts.", "_smtp._tls.", "default._bimi.", "*."}

// Read finds the domain in a text.
func Read(text string) Domain {
	text = strings.TrimSpace(text)
	name := strings.TrimSuffix(host(text), ".")
	d := Domain{Name: name}
	if label, rest, found := cutFold(name, "._domainkey."); found && label != "" && rest != "" {
		d.Name, d.Selector = rest, label
	}
	for _, prefix := range records {
		if rest, found := cutPrefixFold(d.Name, prefix); found && rest != "" {
			d.Name = rest
		}
	}
	if !strings.ContainsFunc(d.Name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r) }) {
		return Domain{}
	}
	d.Changed = d.Name != strings.TrimSuffix(text, ".")
	return d
}

// host returns what is left of a URL or an address without all that is not its domain.
func host(text string) string {
	rest, isURL := text, false
	if _, after, found := strings.Cut(text, "://"); found {
		rest, isURL = after, true
	} else if after, found := cutPrefixFold(text, "mailto:"); found {
		rest = after
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	rest = strings.Trim(rest[strings.LastIndexByte(rest, '@')+1:], "<> ")
	if name, port, found := strings.Cut(rest, ":"); found && strings.Trim(port, "0123456789") == "" {
		rest = name
	}
	// The page is at www, the mail is at the name without it.
	if after, found := cutPrefixFold(rest, "www."); found && isURL && strings.Contains(after, ".") {
		rest = after
	}
	return rest
}

func cutPrefixFold(text, prefix string) (rest string, found bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

func cutFold(text, sep string) (before, after string, found bool) {
	for i := 0; i+len(sep) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(sep)], sep) {
			return text[:i], text[i+len(sep):], true
		}
	}
	return text, "", false
}
