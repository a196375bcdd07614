package inspect

import (
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Report is what a domain publishes about its mail, and what is wrong with it. Records in it are
// as DNS gave them, which is not safe to print; Text and HTML escape them.
type Report struct {
	Domain         string `json:"domain"`                   // A-labels, or as it was given where it is none
	Organizational string `json:"organizational,omitempty"` // its Organizational Domain
	Parked         bool   `json:"parked,omitempty"`         // it says that it sends no mail, and takes none

	// Findings are what is wrong or to be known, errors first. Empty: nothing is.
	Findings []Finding `json:"findings"`

	SPF   *SPF   `json:"spf,omitempty"`
	DMARC *DMARC `json:"dmarc,omitempty"`
	DKIM  []Key  `json:"dkim"` // those that were found
	Mail  *Mail  `json:"mail,omitempty"`

	// Providers are the companies that send for the domain, as far as its records give them
	// away, and Setup is how far it is set up with each.
	Providers []string `json:"providers"`
	Setup     []Setup  `json:"setup,omitempty"`

	// Unanswered are the questions that DNS did not answer. What depends on them is not said
	// to be missing.
	Unanswered []Unanswered `json:"unanswered,omitempty"`
	Questions  int          `json:"questions"` // how many were asked
}

// Worst returns the severity of the worst finding, or "" if there is none.
func (r *Report) Worst() Severity {
	if len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Severity
}

// Open reports whether DNS failed where it matters, so that the report says less than it should.
func (r *Report) Open() bool {
	for _, u := range r.Unanswered {
		if u.Matters {
			return true
		}
	}
	return false
}

// String returns the domain and how many findings of each severity it has.
func (r *Report) String() string { return r.Domain + ": " + r.counts() }

// counts says how many findings of each severity there are.
func (r *Report) counts() string {
	var list []string
	for _, s := range []struct {
		severity  Severity
		one, many string
	}{{SeverityError, "error", "errors"}, {SeverityWarning, "warning", "warnings"}, {SeverityInfo, "note", "notes"}} {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s.severity {
				n++
			}
		}
		if n > 0 {
			list = append(list, remedy.Plural(n, s.one, s.many))
		}
	}
	if len(list) == 0 {
		return "nothing wrong"
	}
	return strings.Join(list, ", ")
}

// An SPF is what the SPF record of a domain lets send, and what that costs.
type SPF struct {
	Record string `json:"record,omitempty"`

	// Status is "valid", or "none" where there is no record, "permerror" where it cannot be
	// used, "temperror" where DNS failed. Reason says why, in the words of package spf.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`

	// What the record costs if no term matches: look-ups (limit 10), and those of them that
	// find nothing for a client with an IPv4 address (limit 2).
	Lookups     int `json:"lookups"`
	VoidLookups int `json:"void_lookups"`

	// Tree is the record with all that it includes; nil where there is none.
	Tree *SPFRecord `json:"tree,omitempty"`

	// Networks may send: all that a term lets pass, each address once. Addresses are how many
	// that are, for IPv6 as networks of 64 bits.
	Networks      []netip.Prefix `json:"networks,omitempty"`
	IPv4Addresses uint64         `json:"ipv4_addresses"`
	IPv6Networks  uint64         `json:"ipv6_networks"`
	Overlaps      []Overlap      `json:"overlaps,omitempty"`

	// Unknown are terms of which only a message can say whom they let pass.
	Unknown []string `json:"unknown,omitempty"`
}

// An SPFRecord is one SPF record of the tree.
type SPFRecord struct {
	Domain  string    `json:"domain"`
	Record  string    `json:"record,omitempty"`
	Terms   []SPFTerm `json:"terms,omitempty"`
	Problem string    `json:"problem,omitempty"` // why it cannot be used

	Lookups     int `json:"lookups"` // of all its terms
	VoidLookups int `json:"void_lookups"`
}

// An SPFTerm is one term of a record, and what it costs.
type SPFTerm struct {
	Text     string `json:"text"`
	Lookups  int    `json:"lookups"` // with those of the record that it leads to
	Voids    int    `json:"void_lookups"`
	Problem  string `json:"problem,omitempty"`
	Provider string `json:"provider,omitempty"` // whose it is: "amazon-ses"

	// What the term lets pass.
	IPv4Addresses uint64 `json:"ipv4_addresses"`
	IPv6Networks  uint64 `json:"ipv6_networks"`

	// Without is what is left if the term is dropped; of the terms of the domain's own record.
	Without *Left `json:"without,omitempty"`

	Include *SPFRecord `json:"include,omitempty"` // the record of an include or redirect
}

// A Left is what an SPF record comes to without one of its terms.
type Left struct {
	Lookups       int    `json:"lookups"`
	IPv4Addresses uint64 `json:"ipv4_addresses"`
	IPv6Networks  uint64 `json:"ipv6_networks"`
}

// A DMARC is which policy applies to a domain: by the DNS Tree Walk of RFC 9989, and by the public
// suffix list of RFC 7489, which many receivers still use.
type DMARC struct {
	Applied

	// Differ says that the two ways lead to different policies or Organizational Domains.
	BySuffixList Applied `json:"public_suffix"`
	Differ       bool    `json:"differ"`

	// Nonexistent is what a message gets from a subdomain that does not exist. Wildcard says
	// that every subdomain exists, so that there is no such message.
	Nonexistent *Applied `json:"nonexistent,omitempty"`
	Wildcard    bool     `json:"wildcard,omitempty"`

	Destinations []Destination `json:"destinations,omitempty"` // where reports go
}

// An Applied is the policy that applies to a name, and why.
type Applied struct {
	Name    string `json:"name"`
	Record  string `json:"record,omitempty"`
	FoundAt string `json:"found_at,omitempty"` // the domain of the record; it stands at _dmarc below it
	Applies string `json:"applies,omitempty"`  // the tag that applies: p, sp or np
	Policy  string `json:"policy,omitempty"`   // what the tag says
	Effect  string `json:"effect,omitempty"`   // what is asked for after t=y or pct

	Organizational string `json:"organizational_domain,omitempty"`
	Why            string `json:"why,omitempty"` // a sentence
}

// A Destination is an address that gets reports.
type Destination struct {
	Tag      string `json:"tag"` // rua or ruf
	Address  string `json:"address"`
	Status   string `json:"status"` // ok, malformed, unauthorized, no-mx, unknown
	External bool   `json:"external"`
}

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

// A Mail is where mail for the domain goes, and what else is published about that.
type Mail struct {
	MX     []resolver.MX `json:"mx,omitempty"`
	NullMX bool          `json:"null_mx,omitempty"`

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

// A Setup is how far a domain is set up with a provider.
type Setup struct {
	Provider string   `json:"provider"`
	Name     string   `json:"name"`
	Signs    []string `json:"signs"` // what gave it away: "include:amazonses.com"
	Steps    []Step   `json:"steps,omitempty"`
}

// A Step is a step of setting a domain up with a provider.
type Step struct {
	State string `json:"state"` // done, missing, or unknown: cannot be seen in DNS
	Fix   Fix    `json:"fix"`
}
