package spf

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// An address is an IP address as a number of 128 bits; IPv4 is IPv4-mapped. Records have
// hundreds of networks, and each is held against the client: as numbers, for an eighth of
// what netip.Prefix takes, which was a third of a check of nested records.
type address struct{ high, low uint64 }

// addressOf returns an IP address as a number, the zero address for an invalid one.
func addressOf(ip netip.Addr) address {
	if ip.Is4() {
		octets := ip.As4()
		return address{0, 0xffff<<32 | uint64(binary.BigEndian.Uint32(octets[:]))}
	}
	octets := ip.As16()
	return address{binary.BigEndian.Uint64(octets[:8]), binary.BigEndian.Uint64(octets[8:])}
}

// common returns how many bits two addresses have in common, from the first on.
func (a address) common(b address) int {
	if different := a.high ^ b.high; different != 0 {
		return bits.LeadingZeros64(different)
	}
	return 64 + bits.LeadingZeros64(a.low^b.low)
}

// mapped is how many bits stand before an IPv4 address that is IPv4-mapped.
const mapped = 96

// ip returns the address in the family that it was written in.
func (a address) ip(is4 bool) netip.Addr {
	var octets [16]byte
	binary.BigEndian.PutUint64(octets[:8], a.high)
	binary.BigEndian.PutUint64(octets[8:], a.low)
	if is4 {
		return netip.AddrFrom4([4]byte(octets[12:]))
	}
	return netip.AddrFrom16(octets)
}

// contains reports whether the client is in the network of an ip4 or ip6.
func (a *arguments) contains(t *Term) bool { return a.within(t.network, t.Kind == KindIP4, t) }

// near reports whether the client is in the network of ip that an a or mx gives.
func (a *arguments) near(ip netip.Addr, t *Term) bool {
	return ip.IsValid() && a.within(addressOf(ip), ip.Unmap().Is4(), t)
}

// within reports whether the client is in the network of an address of the family that is4
// says, by the prefix length that t has for it.
func (a *arguments) within(network address, is4 bool, t *Term) bool {
	length := int(t.Bits6)
	if is4 {
		length = mapped + int(t.Bits4)
	}
	return a.is4 == is4 && a.address.common(network) >= length
}
