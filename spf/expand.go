package spf

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// maxExpansion bounds the work that one expansion can be. A name of 253 octets, or
// an explanation, is far below it: what is longer is not a name at all.
const maxExpansion = 16 << 10

// expand replaces the macros of a macro-string that was checked before: RFC 7208,
// section 7.3. Current is <domain>, validated the value of %{p}. Fit is false where
// the text grew beyond maxExpansion, which ends the expansion.
func (a *arguments) expand(text, current, validated string) (expanded string, fit bool) {
	if strings.IndexByte(text, '%') < 0 {
		return text, len(text) <= maxExpansion
	}
	b := make([]byte, 0, domain.MaxLength)
	var p piece
	for rest := text; rest != ""; {
		var want string
		if rest, _, want = p.cutFrom(rest); want != "" {
			return "", false
		}
		if p.letter == 0 {
			b = append(b, p.text...)
		} else {
			b = p.appendValue(b, a.value(p.letter, current, validated))
		}
		if len(b) > maxExpansion {
			return string(b[:maxExpansion]), false
		}
	}
	return string(b), true
}

// value returns what a macro letter stands for.
func (a *arguments) value(letter byte, current, validated string) string {
	switch letter {
	case 's':
		return a.sender
	case 'l':
		return a.local
	case 'o':
		return a.domain
	case 'd':
		return current
	case 'i':
		return dotted(a.ip)
	case 'p':
		return validated
	case 'v':
		if a.is4 {
			return "in-addr"
		}
		return "ip6"
	case 'h':
		return a.helo
	case 'c':
		return a.ip.String()
	case 'r':
		if a.receiver == "" {
			return "unknown"
		}
		return a.receiver
	case 't':
		return strconv.FormatInt(time.Now().Unix(), 10)
	}
	return ""
}

// dotted returns an address as %{i} has it: the four octets of IPv4, or the 32
// nibbles of IPv6, with dots between them.
func dotted(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	const hex = "0123456789ABCDEF"
	octets := ip.As16()
	b := make([]byte, 0, 63)
	for i, o := range octets {
		if i > 0 {
			b = append(b, '.')
		}
		b = append(b, hex[o>>4], '.', hex[o&15])
	}
	return string(b)
}

// appendValue transforms the value of a macro and appends it to b: it is split at
// the delimiters, reversed if asked, cut to its right-hand parts, and joined with
// dots. No part is special, empty ones are kept: RFC 7208, section 7.3.
func (p *piece) appendValue(b []byte, value string) []byte {
	if len(value) > maxExpansion {
		value = value[:maxExpansion+1] // enough to be refused by expand
	}
	if p.parts == 0 && !p.reverse && p.delimiters == dot {
		return p.appendPart(b, value)
	}
	skip := 0 // parts before those that are kept
	if p.parts > 0 {
		skip = p.count(value) - p.parts
	}
	for more := true; more; skip-- {
		var part string
		if part, value, more = p.cut(value); skip > 0 {
			continue
		}
		if b = p.appendPart(b, part); more {
			b = append(b, '.')
		}
	}
	return b
}

// count returns how many parts a value has.
func (p *piece) count(value string) int {
	n := 1
	for i := range len(value) {
		if p.delimiters.has(value[i]) {
			n++
		}
	}
	return n
}

// cut cuts the next part off a value: the first, or the last if they are reversed.
func (p *piece) cut(value string) (part, rest string, more bool) {
	if p.reverse {
		for i := len(value) - 1; i >= 0; i-- {
			if p.delimiters.has(value[i]) {
				return value[i+1:], value[:i], true
			}
		}
		return value, "", false
	}
	for i := range len(value) {
		if p.delimiters.has(value[i]) {
			return value[:i], value[i+1:], true
		}
	}
	return value, "", false
}

// appendPart appends s, URL-escaped for a macro letter in upper case: all but the
// unreserved characters of RFC 3986, section 2.3.
func (p *piece) appendPart(b []byte, s string) []byte {
	if !p.escape {
		return append(b, s...)
	}
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if isAlpha(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// name returns the name that the domain-spec of a term stands for, or current if the
// term has none. Fit is false if there is no such name: then the term does not match.
// RFC 7208, section 4.8, leaves that case open; taking it as no match is what section
// 4.3 does and what the test suite prefers.
func (a *arguments) name(t *Term, current, validated string) (name string, fit bool) {
	switch {
	case t.spec == "":
		return current, true
	case t.letters == 0:
		return t.name, t.name != ""
	}
	name, fit = a.expand(t.spec, current, validated)
	if !fit {
		return "", false
	}
	return dnsName(name)
}
