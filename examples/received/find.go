package received

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// A Client is the SMTP client that handed a message to its receiver.
type Client struct {
	IP   netip.Addr // the zero Addr where no field tells
	HELO string     // what the client called itself; "" where no field tells

	IPField, HELOField string // where they were found: "Received field 2"

	// Doubts say in a sentence each why the client may be another one.
	Doubts []string
}

// Find finds the client in a header, whose fields are topmost first.
//
// The client is that of the topmost Received field that has one. Passed over are transfers
// that were not by SMTP, addresses for use within a site, and hops inside the receiver's own
// site. A Received-SPF field with client-ip=, or an Authentication-Results field with the
// comment "sender IP is", goes before it if it stands above that Received field: there only
// the receiver can have written it. Below, it can be the sender's own, and is no more than a
// reason for doubt.
func Find(header []Field) Client {
	var hops []numberedHop
	for i, f := range header {
		if f.Is("Received") {
			hops = append(hops, numberedHop{Hop: Parse(f.Body), number: len(hops) + 1, at: i})
		}
	}
	var c Client
	entry := c.entry(hops)
	end, next := len(header), len(header)
	if entry != nil {
		end = entry.at
		if entry.number < len(hops) {
			next = hops[entry.number].at
		}
	}
	if ip, helo, where := stated(header[:end]); ip.IsValid() {
		c.Doubts = nil // about fields that are not used
		c.take(ip, helo, where)
		c.compare(entry)
		return c
	}
	if entry == nil {
		return c
	}
	c.take(entry.IP, entry.HELO, entry.String())
	if entry.Doubt != "" {
		c.Doubts = append(c.Doubts, fmt.Sprintf("The client is from %v: %s.", entry, entry.Doubt))
	}
	if entry.submission() {
		c.Doubts = append(c.Doubts, fmt.Sprintf("%v is of a user who logged in to send mail, and not of a mail server: SPF does not ask about that client.", entry))
	}
	if ip, _, where := stated(header[end:next]); ip.IsValid() && ip != entry.IP {
		c.Doubts = append(c.Doubts, fmt.Sprintf("The client %v is from %v, but a %s below it says %v. That one may be the sender's own.", entry.IP, entry, where, ip))
	}
	return c
}

// take takes a client from a field.
func (c *Client) take(ip netip.Addr, helo, where string) {
	c.IP, c.IPField = ip, where
	if helo != "" {
		c.HELO, c.HELOField = helo, where
	}
}

// compare compares the client that the receiver stated with that of its Received field.
func (c *Client) compare(entry *numberedHop) {
	switch {
	case entry == nil:
		c.Doubts = append(c.Doubts, fmt.Sprintf("The client is from the %s alone: no Received field has it.", c.IPField))
	case entry.IP != c.IP:
		c.Doubts = append(c.Doubts, fmt.Sprintf("The client %v is from the %s, but %v says %v.", c.IP, c.IPField, entry, entry.IP))
	case c.HELO == "" && entry.HELO != "":
		c.HELO, c.HELOField = entry.HELO, entry.String()
	}
}

// A numberedHop is a Hop and where its field stands.
type numberedHop struct {
	Hop
	number int // among the Received fields, from 1
	at     int // in the header
}

func (h *numberedHop) String() string { return fmt.Sprintf("Received field %d", h.number) }

// entry returns the hop by which the message came to the receiver, or nil. A hop that it passes
// over is a doubt, unless it plainly is one within the site.
func (c *Client) entry(hops []numberedHop) *numberedHop {
	for i := range hops {
		h := &hops[i]
		switch {
		case !h.SMTP() || !h.from:
		case !h.IP.IsValid():
			if !h.internal() {
				c.Doubts = append(c.Doubts, fmt.Sprintf("%v was passed over: it has no address that can be read.", h))
			}
		case !public(h.IP), microsoft(h.Hop):
		case i+1 < len(hops) && sameSite(h.Hop, hops[i+1].Hop):
			c.Doubts = append(c.Doubts, fmt.Sprintf("%v was passed over: %v is %s, a host of the receiver's own site.", h, h.IP, h.Name))
		default:
			return h
		}
	}
	return nil
}

// internal reports whether a hop without an address is one from a host to itself, or from a
// name without a dot, as hosts have within a site.
func (h Hop) internal() bool {
	return strings.EqualFold(h.HELO, h.By) || h.HELO != "" && !strings.Contains(h.HELO, ".")
}

// The networks of Microsoft's mail hosts that send no mail to others, and those of which only
// some do.
var (
	exchangeOnline = netip.MustParsePrefix("2603:1000::/24")
	microsoftMail  = netip.MustParsePrefix("2a01:111::/32")
)

// microsoft reports whether a hop is one within Microsoft's cloud, whose hosts have public
// addresses.
func microsoft(h Hop) bool {
	if !isBelow(h.By, "outlook.com", "office365.com", "exchangelabs.com") {
		return false
	}
	return exchangeOnline.Contains(h.IP) || microsoftMail.Contains(h.IP) &&
		isBelow(h.HELO, "prod.outlook.com", "prod.protection.outlook.com", "outlook.office365.com", "prod.exchangelabs.com")
}

// sameSite reports whether a hop is one between two hosts of a site, of which the lower one
// received the message from outside. A name that the client gave proves nothing: it has to
// be one that the server looked up.
func sameSite(h, below Hop) bool {
	return h.Name != "" && strings.EqualFold(h.Name, below.By) &&
		organization(h.Name) != "" && organization(h.Name) == organization(h.By) &&
		below.SMTP() && !below.submission() && public(below.IP)
}

// organization returns the registered domain of a host, or "".
func organization(host string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(strings.TrimSuffix(host, ".")))
	if err != nil || strings.Trim(domain, "0123456789.") == "" {
		return ""
	}
	return domain
}

// isBelow reports whether host is a name below one of the domains.
func isBelow(host string, domains ...string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, d := range domains {
		if strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}
