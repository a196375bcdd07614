// Package received finds out from the header of a message how it came to its receiver: which
// SMTP client handed it over, and what that client called itself.
//
// A file has no envelope. What the SMTP session knew stands only in fields that the receiver's
// hosts put on top of the header: Received (RFC 5321, section 4.4), Received-SPF (RFC 7208,
// section 9.1) and Authentication-Results (RFC 8601). Everything below them is the sender's
// own text. [Find] reads from the top down and stops at the first field that names a client
// from outside; [Parse] reads one Received field.
//
// The name that a client gives in HELO is copied into Received by most servers, often
// unchanged, and may look like an address or like the rest of the field. Its octets are never
// taken for the address.
package received

import (
	"net/netip"
	"strings"
)

// A Field is a header field: its name, and its body without the line ends of folding.
type Field struct {
	Name, Body string
}

// Is reports whether name is the field's name, without regard to case.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// A Hop is what a Received field says about one transfer. Its texts are as the field has them,
// and have to be escaped for the place where they go.
type Hop struct {
	IP   netip.Addr // of the client; the zero Addr where the field does not tell
	Name string     // of the client, as the server looked it up; "" where it did not
	HELO string     // what the client called itself; "" where the field does not tell
	By   string     // the server, which wrote the field
	With string     // the protocol, as written: "ESMTPS", "Microsoft SMTP Server"; "" where not told

	// Doubt says why IP may be wrong, or is empty.
	Doubt string

	from bool // the field has a from clause
}

// SMTP reports whether the transfer was by SMTP, as far as the field tells. LMTP is delivery
// within a site, and POP3, IMAP and HTTP are no transfer between mail servers.
func (h Hop) SMTP() bool {
	with := strings.ToLower(h.With)
	if strings.Contains(with, "smtp") {
		return true
	}
	for _, other := range []string{"lmtp", "pop", "imap", "http", "mapi", "local", "qmqp", "uucp", "nntp", "nnfmp"} {
		if strings.Contains(with, other) {
			return false
		}
	}
	return true
}

// submission reports whether the client had logged in: a user's program, no mail server.
// RFC 3848.
func (h Hop) submission() bool {
	with := strings.ToLower(h.With)
	return strings.HasSuffix(with, "smtpa") || strings.HasSuffix(with, "smtpsa") || with == "asmtp"
}

// The networks for use within a site that package netip does not call private: "this network"
// (RFC 1122) and shared address space (RFC 6598).
var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
	sixToFour   = netip.MustParsePrefix("2002::/16") // RFC 3056: an IPv4 address in the octets after
)

// public reports whether SPF can be asked about an address: it is not one of those that every
// site may use for itself.
func public(ip netip.Addr) bool {
	if sixToFour.Contains(ip) { // Google writes its private addresses so
		a := ip.As16()
		ip = netip.AddrFrom4([4]byte(a[2:6]))
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !thisNetwork.Contains(ip) && !sharedSpace.Contains(ip)
}
