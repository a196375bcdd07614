package spf

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestNetworksHoldTheSameClientsAsNetipSays(t *testing.T) {
	clients := []string{"192.0.2.1", "192.0.3.1", "255.255.255.255", "0.0.0.0", "::ffff:192.0.2.1",
		"2001:db8::1", "2001:db8::8000:0:0:1", "2001:db9::", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}
	for bits := range 129 {
		terms := []string{fmt.Sprintf("ip6:2001:db8::1/%d", bits), fmt.Sprintf("ip6:::ffff:192.0.2.1/%d", bits)}
		if bits <= 32 {
			terms = append(terms, fmt.Sprintf("ip4:192.0.2.1/%d", bits))
		}
		for _, text := range terms {
			r, _, err := Parse("v=spf1 " + text)
			if err != nil {
				t.Fatal(err)
			}
			for _, client := range clients {
				var f facts
				f.setIP(netip.MustParseAddr(client))
				if got, want := f.inNetwork(&r.Terms[0]), r.Terms[0].Network().Contains(f.ip); got != want {
					t.Errorf("%s in %s: got %v, want %v", client, text, got, want)
				}
			}
		}
	}
}
