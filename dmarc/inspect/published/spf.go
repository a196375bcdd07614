package published

import "net/netip"

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
	Without *SPFRest `json:"without,omitempty"`

	Include *SPFRecord `json:"include,omitempty"` // the record of an include or redirect
}

// An SPFRest is what an SPF record comes to without one of its terms.
type SPFRest struct {
	Lookups       int    `json:"lookups"`
	IPv4Addresses uint64 `json:"ipv4_addresses"`
	IPv6Networks  uint64 `json:"ipv6_networks"`
}

// An Overlap is a network that two terms of a record cover.
type Overlap struct {
	Network netip.Prefix `json:"network"`
	Terms   [2]string    `json:"terms"`
}
