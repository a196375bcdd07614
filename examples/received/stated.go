package received

import (
	"fmt"
	"net/netip"
	"strings"
)

// stated returns the client that the topmost of the receiver's own result fields names, and
// the field. A field that names two is none.
func stated(header []Field) (ip netip.Addr, helo, where string) {
	spf, authres := 0, 0
	for _, f := range header {
		switch {
		case f.Is("Received-SPF"):
			spf++
			ip, helo, where = receivedSPF(f.Body), value(f.Body, "helo"), fmt.Sprintf("Received-SPF field %d", spf)
		case f.Is("Authentication-Results"):
			authres++
			ip, helo, where = senderIP(f.Body), "", fmt.Sprintf("Authentication-Results field %d", authres)
		}
		if public(ip) {
			return ip, helo, where
		}
	}
	return netip.Addr{}, "", ""
}

// receivedSPF returns the address of client-ip= in a Received-SPF field: RFC 7208, section
// 9.1.
func receivedSPF(body string) netip.Addr {
	ip, err := netip.ParseAddr(value(body, "client-ip"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.WithZone("").Unmap()
}

// value returns the value of a key in a Received-SPF field: what stands in comments and quoted
// strings is no key. A key with two values has none.
func value(body, key string) string {
	found := ""
	for _, pair := range pairs(body) {
		name, v, ok := strings.Cut(pair, "=")
		if words := strings.Fields(name); !ok || len(words) == 0 || !strings.EqualFold(words[len(words)-1], key) {
			continue
		}
		if words := strings.Fields(v); len(words) > 0 {
			v = strings.Trim(words[0], `"`)
		}
		if found != "" && v != found {
			return ""
		}
		found = v
	}
	return found
}

// pairs parts a Received-SPF field at its semicolons, without comments.
func pairs(body string) []string {
	var list []string
	var pair strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c == '\\' && (quoted || depth > 0) && i+1 < len(body):
			i++
			if depth == 0 {
				pair.WriteByte(body[i])
			}
			continue
		case quoted:
			quoted = c != '"'
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
			continue
		case depth > 0:
		case c == '"':
			quoted = true
		case c == ';':
			list = append(list, pair.String())
			pair.Reset()
			continue
		}
		if depth == 0 {
			pair.WriteByte(c)
		}
	}
	return append(list, pair.String())
}

// senderIP returns the address that Microsoft's hosts write into a comment of
// Authentication-Results.
func senderIP(body string) netip.Addr {
	var found netip.Addr
	for _, it := range itemsOf(body, false) {
		const beginning = "sender IP is "
		if !it.comment || len(it.text) < len(beginning) || !strings.EqualFold(it.text[:len(beginning)], beginning) {
			continue
		}
		ip, err := netip.ParseAddr(strings.TrimSpace(it.text[len(beginning):]))
		if err != nil || found.IsValid() && found != ip.Unmap() {
			return netip.Addr{}
		}
		found = ip.WithZone("").Unmap()
	}
	return found
}
