// Package envelope finds out what the SMTP session of a saved message knew: from what somebody
// says of it, and else from the header.
package envelope

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/received"
)

// Origins say where the parts of an envelope were taken from.
type Origins struct {
	IP       string `json:"ip"`
	HELO     string `json:"helo"`
	MailFrom string `json:"mail_from"`

	// Doubts say why the client may be another one, in a sentence each.
	Doubts []string `json:"doubts,omitempty"`
}

// Where a part comes from, besides a numbered field of the header.
const (
	FromReturnPath = "Return-Path field"
	FromNowhere    = "not known"
)

// Known is what somebody says of the session. What is zero or nil is not said.
type Known struct {
	Origin         string // who says so: "flags"
	IP             netip.Addr
	HELO, MailFrom *string
}

// Find finds the envelope of a message: what the first of the known says goes before the second,
// and that before the header.
func Find(header []received.Field, known ...Known) (dmarc.Envelope, Origins) {
	var e dmarc.Envelope
	from := Origins{IP: FromNowhere, HELO: FromNowhere, MailFrom: FromNowhere}
	for _, k := range known {
		if k.IP.IsValid() && from.IP == FromNowhere {
			e.IP, from.IP = k.IP, k.Origin
		}
		if k.HELO != nil && from.HELO == FromNowhere {
			e.HELO, from.HELO = *k.HELO, k.Origin
		}
		if k.MailFrom != nil && from.MailFrom == FromNowhere {
			e.MailFrom, from.MailFrom = *k.MailFrom, k.Origin
		}
	}
	client := received.Find(header)
	if from.IP == FromNowhere {
		from.Doubts = client.Doubts
		if client.IP.IsValid() {
			e.IP, from.IP = client.IP, client.IPField
		}
	}
	// A name that another host gave is not that of this one.
	if from.HELO == FromNowhere && client.HELO != "" && client.IP == e.IP {
		e.HELO, from.HELO = client.HELO, client.HELOField
	}
	if from.MailFrom == FromNowhere {
		if path, ok := returnPath(header); ok {
			e.MailFrom, from.MailFrom = path, FromReturnPath
		} else {
			// Empty would be the null sender, for whom the HELO name speaks.
			e.MailFromUnknown = true
		}
	}
	return e, from
}

// Missing says what SPF would need and the message does not tell, or is empty.
func (o Origins) Missing() string {
	switch {
	case o.IP == FromNowhere && o.MailFrom == FromNowhere:
		return "the message names neither its client nor its MAIL FROM."
	case o.IP == FromNowhere:
		return "no field of the message names its client."
	case o.MailFrom == FromNowhere:
		return "no Return-Path field tells its MAIL FROM."
	}
	return ""
}

// String says where the envelope was taken from, in a line.
func (o Origins) String() string {
	if o.IP == o.HELO && o.HELO == o.MailFrom && o.IP != FromNowhere {
		return "the " + o.IP
	}
	return part("client", o.IP) + ", " + part("HELO", o.HELO) + ", " + part("MAIL FROM", o.MailFrom)
}

func part(name, origin string) string {
	if origin == FromNowhere {
		return name + " not known"
	}
	return name + " from " + origin
}

// returnPath returns the address of the topmost Return-Path field.
func returnPath(header []received.Field) (string, bool) {
	for _, f := range header {
		if f.Is("Return-Path") {
			return ReversePath(f.Body), true
		}
	}
	return "", false
}

// ReversePath returns what stands between < and >, or s.
func ReversePath(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		return s[1 : len(s)-1]
	}
	return s
}

// ParseIP reads the address of a client: without a zone, and IPv4 as IPv4.
func ParseIP(s string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}, errors.New("not an IP address")
	}
	return ip.Unmap(), nil
}
