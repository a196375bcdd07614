package main

import (
	"net/netip"
	"strings"
)

// A client is what a Received field says of the host that a message came from.
type client struct {
	ip   netip.Addr
	helo string // "" where it could not be read
}

// topmostClient returns the client of the topmost Received field that has one, and the
// number of the field, from 1. Hosts of the same site are passed over: with their addresses,
// which nobody else can have, SPF has nothing to say.
func topmostClient(fields []field) (c client, number int, found bool) {
	for _, f := range fields {
		if !f.is("Received") {
			continue
		}
		number++
		if c, found = parseReceived(f.body); found {
			return c, number, true
		}
	}
	return client{}, 0, false
}

// parseReceived finds the client in the body of a Received field. Mail systems write it
// differently; RFC 5321, section 4.4, puts the address into a comment after the name:
//
//	from helo.example (name.example [192.0.2.1]) by ...        Postfix, Sendmail, Gmail
//	from helo.example ([192.0.2.1]) by ...                     RFC 5321
//	from name.example ([192.0.2.1] helo=helo.example) by ...   Exim
//	from [192.0.2.1] (helo=helo.example) by ...                Exim, without a name
//	from helo.example (2001:db8::1) by ...                     Exchange
//	from unknown (HELO helo.example) (192.0.2.1) by ...        qmail
//
// What the client said of itself, the name after "from" and that after "helo", is never taken
// for its address where there is another.
func parseReceived(body string) (client, bool) {
	words := receivedWords(body)
	if len(words) < 2 || !strings.EqualFold(words[0].text, "from") {
		return client{}, false
	}
	var c client
	var outside, bare, bracketed netip.Addr
	c.helo = words[1].text
	for i := 1; i < len(words); i++ {
		w := words[i]
		if !w.comment && strings.EqualFold(w.text, "by") {
			break
		}
		if name, ok := cutFold(w.text, "helo="); ok && w.comment {
			c.helo = name
			continue
		}
		if w.comment && (strings.EqualFold(w.text, "helo") || strings.EqualFold(w.text, "ehlo")) && i+1 < len(words) && words[i+1].comment {
			i++
			c.helo = words[i].text
			continue
		}
		addr, brackets, ok := address(w.text)
		switch {
		case !ok:
		case !w.comment:
			outside = addr
		case brackets:
			bracketed = addr
		default:
			bare = addr
		}
	}
	for _, addr := range []netip.Addr{bracketed, bare, outside} {
		if addr.IsValid() {
			c.ip = addr
			return c, !addr.IsLoopback() && !addr.IsPrivate() && !addr.IsLinkLocalUnicast() && !addr.IsUnspecified()
		}
	}
	return client{}, false
}

// A word is a run of octets without white space and parentheses.
type word struct {
	text    string
	comment bool // it stands in parentheses
}

func receivedWords(body string) []word {
	var words []word
	depth, start := 0, -1
	end := func(i int) {
		if start >= 0 {
			words = append(words, word{body[start:i], depth > 0})
		}
		start = -1
	}
	for i := range len(body) {
		switch c := body[i]; c {
		case '(':
			end(i)
			depth++
		case ')':
			end(i)
			depth = max(0, depth-1)
		case ' ', '\t', '\r', '\n', ';', ',':
			end(i)
		default:
			if start < 0 {
				start = i
			}
		}
	}
	end(len(body))
	return words
}

// address reads an IP address or an address literal.
func address(s string) (addr netip.Addr, brackets, ok bool) {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s, brackets = s[1:len(s)-1], true
	}
	if rest, ok := cutFold(s, "ipv6:"); ok {
		s = rest
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false, false
	}
	return addr.Unmap(), brackets, true
}

// cutFold cuts a prefix, which is in lower case, without regard to case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
