package spf

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// facts are what macros stand for. They do not change during a check, so that
// questions can be put together ahead of the reading. RFC 7208, section 7.2.
type facts struct {
	ip       netip.Addr // IPv4 or IPv6, never IPv4-mapped; the zero Addr where it is not known
	octets   [16]byte   // of ip; the first four for IPv4
	is4      bool
	helo     string // as the client gave it
	sender   string // <sender> of RFC 7208, section 4.1: local, "@" and domain
	local    string // its local-part, as it was given
	domain   string // its domain, in A-labels
	receiver string
}

// setIP fills f with the address of the client. An IPv4-mapped address is the IPv4
// address: RFC 7208, section 5.
func (f *facts) setIP(ip netip.Addr) {
	f.ip = ip.Unmap().WithZone("")
	if f.is4 = f.ip.Is4(); f.is4 {
		octets := f.ip.As4()
		copy(f.octets[:], octets[:])
	} else if f.ip.IsValid() {
		f.octets = f.ip.As16()
	}
}

// maxExpansion bounds the work that one expansion can be. A name of 253 octets, or
// an explanation, is far below it: what is longer is not a name at all.
const maxExpansion = 16 << 10

// expand replaces the macros of a macro-string that was checked before: RFC 7208,
// section 7.3. Current is <domain>, validated the value of %{p}. Fit is false where
// the text grew beyond maxExpansion, which ends the expansion.
func (f *facts) expand(text, current, validated string) (expanded string, fit bool) {
	if strings.IndexByte(text, '%') < 0 {
		return text, len(text) <= maxExpansion
	}
	var b []byte
	for rest := text; rest != ""; {
		p, next, _, want := cutPiece(rest)
		if want != "" {
			return "", false
		}
		rest = next
		if p.letter == 0 {
			b = append(b, p.text...)
		} else {
			b = p.appendValue(b, f.value(p.letter, current, validated))
		}
		if len(b) > maxExpansion {
			return string(b[:maxExpansion]), false
		}
	}
	return string(b), true
}

// value returns what a macro letter stands for.
func (f *facts) value(letter byte, current, validated string) string {
	switch letter {
	case 's':
		return f.sender
	case 'l':
		return f.local
	case 'o':
		return f.domain
	case 'd':
		return current
	case 'i':
		return dotted(f.ip)
	case 'p':
		return validated
	case 'v':
		if f.is4 {
			return "in-addr"
		}
		return "ip6"
	case 'h':
		return f.helo
	case 'c':
		return f.ip.String()
	case 'r':
		if f.receiver == "" {
			return "unknown"
		}
		return f.receiver
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
	if p.parts == 0 && !p.reverse && p.delimiters == "" {
		return p.appendPart(b, value)
	}
	delimiters := p.delimiters
	if delimiters == "" {
		delimiters = "."
	}
	var parts []string
	for start, i := 0, 0; i <= len(value); i++ {
		if i == len(value) || strings.IndexByte(delimiters, value[i]) >= 0 {
			parts = append(parts, value[start:i])
			start = i + 1
		}
	}
	if p.reverse {
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	if p.parts > 0 && p.parts < len(parts) {
		parts = parts[len(parts)-p.parts:]
	}
	for i, part := range parts {
		if i > 0 {
			b = append(b, '.')
		}
		b = p.appendPart(b, part)
	}
	return b
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

// name returns the name that a domain-spec stands for, in the form that DNS is
// asked for, or false where there is no such name: then the term does not match.
// RFC 7208, section 4.8, leaves that case open; taking it as no match is what 4.3
// does and what the test suite prefers.
//
// A name that was put together from what the client said is held to letters,
// digits, hyphens and underscores, since other octets mean different things to
// different programs. The text of the record itself, which its syntax allows all
// visible characters, is left for the resolver to refuse.
func (f *facts) name(t *Term, current, validated string) (name string, fit bool) {
	spec := t.Domain()
	if spec == "" {
		return current, true
	}
	name, fit = f.expand(spec, current, validated)
	if !fit {
		return "", false
	}
	name = domain.ToLower(strings.TrimSuffix(name, "."))
	for len(name) > domain.MaxLength {
		// RFC 7208, section 7.3: the left side is cut, by whole labels.
		dot := strings.IndexByte(name, '.')
		if dot < 0 {
			return "", false
		}
		name = name[dot+1:]
	}
	err := domain.Check(name)
	return name, err == nil || err == domain.ErrOctet && t.letters == 0
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// reverseName is where the PTR records of an address are: RFC 7208, section 5.5.
func reverseName(ip netip.Addr) string {
	p := piece{letter: 'i', reverse: true}
	b := p.appendValue(make([]byte, 0, 72), dotted(ip))
	if ip.Is4() {
		b = append(b, ".in-addr.arpa"...)
	} else {
		b = append(b, ".ip6.arpa"...)
	}
	return domain.ToLower(string(b))
}
