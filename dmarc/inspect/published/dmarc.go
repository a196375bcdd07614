package published

// A DMARC is which policy applies to a domain: by the DNS Tree Walk of RFC 9989, and by the public
// suffix list of RFC 7489, which many receivers still use.
type DMARC struct {
	Applied

	// BySuffixList is what applies by the public suffix list. Differ says that it is another
	// policy or Organizational Domain than by the Tree Walk.
	BySuffixList Applied `json:"public_suffix"`
	Differ       bool    `json:"differ"`

	// Nonexistent is the policy for a subdomain that does not exist. Wildcard says that every
	// subdomain exists, by a wildcard record, so that Nonexistent is for all of them.
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

	// Unknown says that DNS failed, so that there may be a record.
	Unknown bool `json:"unknown,omitempty"`

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
