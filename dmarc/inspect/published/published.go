// Package published has what a domain publishes about its mail as plain data: what package inspect
// found in DNS, and what comes of it. Records are as DNS gave them, which is not safe to print.
//
//	report := inspector.Inspect(ctx, "example.com")
//	for _, term := range report.SPF.Tree.Terms {
//		fmt.Println(term.Lookups, term.IPv4Addresses, strconv.Quote(term.Text))
//	}
package published

import (
	"net/netip"
	"strconv"

	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Key is a DKIM key in DNS.
type Key struct {
	Selector string `json:"selector"`
	Name     string `json:"name"`
	KeyType  string `json:"key_type,omitempty"`
	KeyBits  int    `json:"key_bits,omitempty"`
	Alias    string `json:"alias,omitempty"` // where a CNAME leads
	Provider string `json:"provider,omitempty"`
	Record   string `json:"record,omitempty"`
	Problem  string `json:"problem,omitempty"`
	Testing  bool   `json:"testing,omitempty"`
}

// String says what a key is, in a line that is safe to print.
func (k Key) String() string {
	text := k.Selector + ": "
	switch {
	case k.Problem != "":
		text += k.Problem
	case k.KeyType == "rsa":
		text += "RSA, " + strconv.Itoa(k.KeyBits) + " bits"
	default:
		text += k.KeyType
	}
	if k.Alias != "" {
		text += ", alias of " + k.Alias
	}
	return visible.Line(text)
}

// A Mail is where mail for the domain goes, and what else is published about that.
type Mail struct {
	MX     []resolver.MX `json:"mx,omitempty"`
	NullMX bool          `json:"null_mx,omitempty"`

	// Unknown says that DNS failed, so that there may be MX records.
	Unknown bool `json:"unknown,omitempty"`

	Servers []Server `json:"servers,omitempty"` // of MX, the first ones that have addresses

	// Records of their own: MTA-STS (RFC 8461), TLS-RPT (RFC 8460), BIMI.
	MTASTS string `json:"mta_sts,omitempty"`
	TLSRPT string `json:"tls_rpt,omitempty"`
	BIMI   string `json:"bimi,omitempty"`
}

// A Server is a mail server of the domain.
type Server struct {
	Host      string       `json:"host"`
	Addresses []netip.Addr `json:"addresses"`

	// Unnamed are those of the addresses that have no name in DNS, or one that does not lead
	// back: receivers refuse mail from there. Only servers of the domain's own are asked about.
	Unnamed []netip.Addr `json:"unnamed,omitempty"`
}
