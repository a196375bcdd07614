package received

import (
	"fmt"
	"net/netip"
	"strings"
)

// Parse reads the body of a Received field. Servers write the client differently:
//
//	from HELO (NAME [192.0.2.1]) by ...               Postfix, Sendmail, Gmail, SES
//	from HELO ([192.0.2.1]) by ...                    RFC 5321, section 4.4
//	from NAME ([192.0.2.1]:4567 helo=HELO) by ...     Exim
//	from [192.0.2.1]:4567 (helo=HELO) by ...          Exim, without a name
//	from HELO (2001:db8::1) by ...                    Exchange, Outlook
//	from NAME (HELO HELO) (ident@192.0.2.1) by ...    qmail
//	from [192.0.2.1] ([192.0.2.1:4567] helo=HELO) by  Momentum
//	from 192.0.2.1 (EHLO HELO) by ...                 Yahoo
//	from [192.0.2.1] (account x HELO HELO) by ...     CommuniGate Pro
//
// The first word is opaque, whatever stands in it: in most of them it is the HELO name. So is
// what follows "helo=" or "HELO" in a comment. Where addresses are left that differ, the field
// was made to be misread, and Doubt says so.
func Parse(body string) Hop {
	var h Hop
	first, rest, from := clause(body)
	items, tail, clear := split(rest)
	h.from = from
	h.By, h.With = server(tail)
	if !from {
		return h
	}
	found := scan(items)
	h.HELO, h.Name = first, found.name
	exim := strings.Contains(tail, "(Exim")
	switch {
	case len(found.clients) > 0:
		// A HELO name with spaces can add comments of its own: Exim writes the name behind
		// the address, others before it.
		h.IP = found.clients[len(found.clients)-1]
		if exim {
			h.IP = found.clients[0]
		}
	case found.marked || exim && strings.HasPrefix(first, "["):
		h.IP, _ = address(first)
	}
	if found.marked {
		h.HELO = found.helo
		if h.Name == "" && !strings.HasPrefix(first, "[") {
			h.Name = first
		}
	} else if exim && h.Name == "" && first != "" && first[0] != '[' {
		h.Name = first // Exim leaves helo= out where both are the same
	}
	if strings.EqualFold(h.HELO, "unknown") { // by qmail, where there was no HELO
		h.HELO = ""
	}
	h.Doubt = found.doubt(h.IP, clear)
	return h
}

// clause returns the first word of the from clause and what stands after it.
func clause(body string) (first, rest string, from bool) {
	body = strings.TrimLeft(body, space)
	word, rest := cutWord(body)
	if !strings.EqualFold(word, "from") {
		return "", body, false
	}
	if strings.HasPrefix(rest, "(") {
		return "", rest, true
	}
	first, rest = cutWord(rest)
	return first, rest, true
}

const space = " \t\r\n"

func isSpace(c byte) bool { return strings.IndexByte(space, c) >= 0 }

// cutWord returns the first word of s, and what stands after it and its white space.
func cutWord(s string) (word, rest string) {
	end := strings.IndexAny(s, space)
	if end < 0 {
		return s, ""
	}
	return s[:end], strings.TrimLeft(s[end:], space)
}

// An item is a word of a Received field, or a comment without its outer parentheses.
type item struct {
	text    string
	comment bool
	end     int // where it ends in the field
}

// split parts what follows the first word of a field at its by clause. A HELO name can hold
// "by" as well: the last one outside of comments and angle brackets is the server's. clear is
// false where there was more than one, or none.
func split(s string) (before []item, tail string, clear bool) {
	items := itemsOf(s, true)
	by, n := -1, 0
	for i, it := range items {
		if !it.comment && strings.EqualFold(it.text, "by") {
			by = i
			n++
		}
	}
	if by >= 0 {
		return items[:by], s[items[by].end:], n == 1
	}
	// The parentheses or the brackets do not match.
	for i := len(s) - len(" by "); i >= 0; i-- {
		if isSpace(s[i]) && strings.EqualFold(s[i+1:i+3], "by") && isSpace(s[i+3]) {
			return itemsOf(s[:i], false), s[i+len(" by "):], false
		}
	}
	return items, "", false
}

// itemsOf parts s into its words, its outermost comments, and semicolons. With angles, text in
// angle brackets is one word: addresses may hold anything.
func itemsOf(s string, angles bool) []item {
	var list []item
	depth, start, angle := 0, -1, false
	add := func(end int, comment bool) {
		if start >= 0 && start < end {
			list = append(list, item{s[start:end], comment, end})
		}
		start = -1
	}
	for i := range len(s) {
		switch c := s[i]; {
		case depth == 0 && angle:
			angle = c != '>'
		case c == '(':
			if depth == 0 {
				add(i, false)
				start = i + 1
			}
			depth++
		case c == ')' && depth > 0:
			if depth--; depth == 0 {
				add(i, true)
			}
		case depth > 0:
		case c == ';':
			add(i, false)
			list = append(list, item{";", false, i + 1})
		case isSpace(c):
			add(i, false)
		default:
			if start < 0 {
				start = i
			}
			angle = angles && c == '<'
		}
	}
	add(len(s), depth > 0)
	return list
}

// server reads what follows "by": the name of the server, and the protocol.
func server(tail string) (by, with string) {
	var via string
	clause := "by"
	words := map[string]*string{"by": &by, "with": &with, "via": &via}
	for _, it := range itemsOf(tail, true) {
		switch word := strings.ToLower(it.text); {
		case it.comment:
		case word == "with" || word == "via":
			clause = word
		case word == "id" || word == "for" || word == ";":
			clause = ""
		case words[clause] != nil:
			value := words[clause]
			*value = strings.TrimSpace(*value + " " + it.text)
			if clause == "by" {
				clause = ""
			}
		}
	}
	if with == "" {
		with = via
	}
	return by, with
}

// What a from clause has after its first word.
type findings struct {
	clients []netip.Addr // one for each comment that has one
	name    string       // of the client, as looked up
	marked  bool         // a HELO name was marked as such, so that the first word is none
	helo    string
}

// scan looks for the client between the first word and the by clause.
func scan(items []item) findings {
	var f findings
	for i := 0; i < len(items); i++ {
		it := items[i]
		switch {
		case it.comment && aboutSession(it.text):
		case it.comment:
			f.comment(it.text)
		case isHELO(it.text) && i+1 < len(items) && !items[i+1].comment:
			i++
			f.mark(items[i].text)
		default:
			if ip, ok := address(it.text); ok && strings.HasPrefix(it.text, "[") {
				f.clients = append(f.clients, ip)
			}
		}
	}
	return f
}

// aboutSession reports whether a comment is about the session, and may hold what a client
// said: its certificate, or the name that it logged in with.
func aboutSession(comment string) bool {
	comment = strings.ToLower(comment)
	for _, beginning := range []string{
		"using ", "client cn", "client did", "no client", "authenticated", "auth:", "tls:", "version=", "envelope-from", "amavisd-new",
	} {
		if strings.HasPrefix(comment, beginning) {
			return true
		}
	}
	return false
}

// comment reads a comment: the name and address that the server found out, the HELO name, or
// both. An address in brackets counts before one without.
func (f *findings) comment(text string) {
	var bare, bracketed netip.Addr
	words := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(space+"(),", c) })
	for i, word := range words {
		if value, ok := heloValue(word); ok {
			f.mark(value)
			break
		}
		if isHELO(word) {
			if i+1 < len(words) {
				f.mark(words[i+1])
			}
			break
		}
		ip, ok := address(word)
		switch {
		case ok && word[0] == '[' && !bracketed.IsValid():
			bracketed = ip
			if i == 1 && !strings.EqualFold(words[0], "unknown") {
				f.name = strings.TrimSuffix(words[0], ".")
			}
		case ok && word[0] != '[' && !bare.IsValid():
			bare = ip
		}
	}
	switch {
	case bracketed.IsValid():
		f.clients = append(f.clients, bracketed)
	case bare.IsValid():
		f.clients = append(f.clients, bare)
	}
}

// mark notes the HELO name, the first that is marked.
func (f *findings) mark(helo string) {
	if !f.marked {
		f.marked, f.helo = true, helo
	}
}

func isHELO(word string) bool {
	return strings.EqualFold(word, "helo") || strings.EqualFold(word, "ehlo")
}

// heloValue returns what stands after "helo=".
func heloValue(word string) (string, bool) {
	name, value, found := strings.Cut(word, "=")
	return value, found && isHELO(name)
}

// doubt says why the address that was taken may be another's.
func (f *findings) doubt(ip netip.Addr, clear bool) string {
	for _, other := range f.clients {
		if other != ip {
			return fmt.Sprintf("it holds two addresses, %v and %v: one of them may be what the client wrote as its name", other, ip)
		}
	}
	if !clear && ip.IsValid() {
		return "it can be read in two ways: the client may have written a part of it as its name"
	}
	return ""
}

// address reads an IP address as it stands in Received fields: bare, in brackets, with "IPv6:"
// before it, with ":PORT" in or behind its brackets, or as qmail's "ident@192.0.2.1".
func address(s string) (netip.Addr, bool) {
	if strings.HasPrefix(s, "[") {
		inside, port, found := strings.Cut(s[1:], "]")
		if !found || port != "" && !isPort(port) {
			return netip.Addr{}, false
		}
		if ip, err := netip.ParseAddrPort(inside); err == nil {
			return ip.Addr().WithZone("").Unmap(), true
		}
		s = inside
	} else {
		s = s[strings.LastIndexByte(s, '@')+1:]
	}
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return ip.WithZone("").Unmap(), true
}

// isPort reports whether s is a colon and a port number.
func isPort(s string) bool {
	digits, found := strings.CutPrefix(s, ":")
	return found && digits != "" && strings.Trim(digits, "0123456789") == ""
}
