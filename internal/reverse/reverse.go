// Package reverse finds out whether an IP address has a name in DNS that leads back to it:
// forward-confirmed reverse DNS, which large receivers ask of clients.
package reverse

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/mailverdict/mailverdict/resolver"
)

// A State says what the names of an address came to.
type State int

const (
	Confirmed State = iota // a name leads back
	None                   // there is no name
	Other                  // there are names, and they lead elsewhere
	Unknown                // DNS did not say
)

// MaxNames is how many names of an address are looked at.
const MaxNames = 5

// Look finds the names of an address, and whether one of them leads back. An answer of ask is empty
// where there is no such record; its error is a failure of DNS.
func Look(ask func(resolver.Question) (resolver.Answer, error), addr netip.Addr) (State, []string) {
	addr = addr.Unmap().WithZone("")
	answer, err := ask(resolver.Question{Name: Name(addr), Type: resolver.TypePTR})
	switch {
	case err != nil:
		return Unknown, nil
	case len(answer.PTR) == 0:
		return None, nil
	}
	kind := resolver.TypeAAAA
	if addr.Is4() {
		kind = resolver.TypeA
	}
	state := Other
	names := answer.PTR[:min(len(answer.PTR), MaxNames)]
	for _, name := range names {
		forward, err := ask(resolver.Question{Name: name, Type: kind})
		if err != nil {
			state = Unknown
		}
		for _, back := range forward.Addrs {
			if back.Unmap() == addr {
				return Confirmed, names
			}
		}
	}
	return state, names
}

// Name returns the name at which the names of an address stand: RFC 1035, section 3.5; RFC 3596,
// section 2.5.
func Name(addr netip.Addr) string {
	name, _ := dns.ReverseAddr(addr.Unmap().WithZone("").String()) // fails for no address
	return strings.TrimSuffix(name, ".")
}
