package spf

import (
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// dnsName returns the name that an expanded domain-spec stands for, in the form of
// resolver.Question. Its labels may hold any octet from space to "~": RFC 7208, section
// 7.1, allows them, and a local-part such as "bounce+ann=example.net" is everyday mail.
// Fit is false for a text that is no name: one with an empty label or one of more than
// 63 octets, or with any other octet.
func dnsName(text string) (name string, fit bool) {
	if domain.IsCanonical(text) {
		return text, true // as names mostly are
	}
	name = domain.ToLower(strings.TrimSuffix(text, "."))
	for len(name) > domain.MaxLength {
		// RFC 7208, section 7.3: the left side is cut, by whole labels.
		dot := strings.IndexByte(name, '.')
		if dot < 0 {
			return "", false
		}
		name = name[dot+1:]
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return "", false
			}
			label = 0
			continue
		case c < ' ' || c > '~':
			return "", false
		}
		if label++; label > domain.MaxLabel {
			return "", false
		}
	}
	return name, label > 0
}

// reverseName is where the PTR records of an address are: RFC 7208, section 5.5.
func reverseName(ip netip.Addr) string {
	p := piece{letter: 'i', reverse: true, delimiters: dot}
	b := p.appendValue(make([]byte, 0, 72), dotted(ip))
	if ip.Is4() {
		b = append(b, ".in-addr.arpa"...)
	} else {
		b = append(b, ".ip6.arpa"...)
	}
	return domain.ToLower(string(b))
}
