package inspect

import (
	"math"
	"net/netip"
	"slices"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
)

// This file counts addresses. Networks are those that a pass of SPF covers.

// merged returns the fewest networks that cover the same addresses, in order.
func merged(list []netip.Prefix) []netip.Prefix {
	list = slices.Clone(list)
	for i := range list {
		list[i] = list[i].Masked()
	}
	slices.SortFunc(list, byAddress)
	var out []netip.Prefix
	for _, p := range list {
		if last := len(out) - 1; last >= 0 && covers(out[last], p) {
			continue
		}
		out = append(out, p)
		for len(out) >= 2 {
			both, ok := joined(out[len(out)-2], out[len(out)-1])
			if !ok {
				break
			}
			out = append(out[:len(out)-2], both)
		}
	}
	return out
}

// byAddress puts a network before those within it.
func byAddress(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

func covers(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// joined returns the network that two neighbours make, the lower one first.
func joined(a, b netip.Prefix) (netip.Prefix, bool) {
	if a.Bits() != b.Bits() || a.Bits() == 0 || a.Addr().BitLen() != b.Addr().BitLen() {
		return netip.Prefix{}, false
	}
	both := netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
	return both, both.Addr() == a.Addr() && both.Contains(b.Addr())
}

// counted returns how many IPv4 addresses and how many IPv6 networks of 64 bits networks have.
func counted(list []netip.Prefix) (ipv4, ipv6 uint64) {
	for _, p := range merged(list) {
		switch {
		case p.Addr().Is4():
			ipv4 += 1 << (32 - p.Bits())
		case p.Bits() >= 64:
			ipv6++
		case p.Bits() == 0:
			ipv6 = math.MaxUint64
		case ipv6 < math.MaxUint64-1<<(64-p.Bits()):
			ipv6 += 1 << (64 - p.Bits())
		}
	}
	return ipv4, ipv6
}

// A source is a network and the term that it comes from.
type source struct {
	network netip.Prefix
	term    string
}

// maxOverlaps is how many overlaps are listed.
const maxOverlaps = 50

// overlaps returns the networks that stand within those of other terms.
func overlaps(list []source) []published.Overlap {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b source) int { return byAddress(a.network, b.network) })
	var around []source // the networks that the one at hand may stand in, outermost first
	var out []published.Overlap
	for _, s := range list {
		for len(around) > 0 && !covers(around[len(around)-1].network, s.network) {
			around = around[:len(around)-1]
		}
		for _, outer := range around {
			if outer.term != s.term && len(out) < maxOverlaps {
				out = append(out, published.Overlap{Network: s.network, Terms: [2]string{outer.term, s.term}})
				break
			}
		}
		around = append(around, s)
	}
	return out
}
