package main

import (
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/examples/received"
)

// behindGateway returns the client that handed the message to the gateways in front of this
// server, as their Received fields say. Those are on top: the gateway that connected wrote the
// topmost. The zero Addr means that the fields do not tell, or that they can be read in two ways.
func behindGateway(gateways clientSet, header []field) (ip netip.Addr, helo string) {
	for _, f := range header {
		if !strings.EqualFold(f.name, "Received") {
			continue
		}
		hop := received.Parse(strings.NewReplacer("\r\n", "", "\n", "").Replace(f.value))
		if !hop.IP.IsValid() || hop.Doubt != "" {
			return netip.Addr{}, ""
		}
		// A loopback address is the gateway's own: a content filter gave the message back.
		if ip = hop.IP.Unmap(); !ip.IsLoopback() && !gateways.has(ip, "") {
			return ip, hop.HELO
		}
	}
	return netip.Addr{}, ""
}
