// Package resolver asks the DNS questions that checking a message takes.
//
//	dns := &resolver.Cache{} // one for all messages
//	answer, err := dns.Resolve(ctx, resolver.Question{Name: "example.com", Type: resolver.TypeTXT})
//	switch {
//	case err == nil: // answer.TXT has the records
//	case errors.Is(err, resolver.ErrNotFound): // there are none, which is proven
//	default: // nobody knows: ask again later
//	}
//
// These are the three outcomes that mail authentication must never confuse. Everything in
// this module asks DNS through one method, [Resolver.Resolve], so that caching, limiting
// and watching are wrappers around it, as they are around an http.RoundTripper:
//
//   - [Client] asks recursive servers, and tells what there is to know of an answer;
//   - [Net] adapts the standard library's resolver;
//   - [Zone] answers from memory, for tests and fixtures;
//   - [Cache] remembers what another Resolver answered;
//   - [Budget] bounds what the questions of one message may cost;
//   - [Wrap] watches the questions that are put to one Resolver, and package trace those
//     of a context.
//
// A nil Resolver stands for [Default], in every package of this module.
//
// A Resolver of a program's own is a type with that method. It says [ErrNXDomain] or
// [ErrNoData] only where that is certain, and [TTLUnknown] where it does not know a TTL.
package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Resolver answers DNS questions. It must be safe for concurrent use, and return
// when ctx ends.
//
// A nil error means that Answer holds at least one record of the type asked for.
// An error that matches [ErrNotFound] means that there is none: the name does not
// exist, or has no record of that type. Any other error is a failure to find out,
// and is temporary, as [Temporary] says, unless it matches [ErrName] or [ErrType].
type Resolver interface {
	Resolve(ctx context.Context, q Question) (Answer, error)
}

// Type is a DNS record type, as numbered by IANA.
type Type uint16

// The record types that checking a message asks for.
const (
	TypeA    Type = 1
	TypePTR  Type = 12
	TypeMX   Type = 15
	TypeTXT  Type = 16
	TypeAAAA Type = 28
)

// The record types that nobody asks for a message, and package inspect asks for a domain: an alias
// itself, which is not followed, and the SPF records of RFC 4408, which RFC 7208 abolished.
const (
	TypeCNAME Type = 5
	TypeSPF   Type = 99
)

// types are all record types that can be asked for.
var types = [...]Type{TypeA, TypePTR, TypeMX, TypeTXT, TypeAAAA, TypeCNAME, TypeSPF}

// name returns the mnemonic of one of the types above, or "".
func (t Type) name() string {
	switch t {
	case TypeA:
		return "A"
	case TypePTR:
		return "PTR"
	case TypeMX:
		return "MX"
	case TypeTXT:
		return "TXT"
	case TypeAAAA:
		return "AAAA"
	case TypeCNAME:
		return "CNAME"
	case TypeSPF:
		return "SPF"
	}
	return ""
}

// String returns the type's mnemonic, or "TYPEn" (RFC 3597, section 5).
func (t Type) String() string {
	if name := t.name(); name != "" {
		return name
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// MarshalText returns the text of String.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a text that MarshalText wrote.
func (t *Type) UnmarshalText(text []byte) error {
	for _, known := range types {
		if known.name() == string(text) {
			*t = known
			return nil
		}
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(string(text), "TYPE"), 10, 16)
	if err != nil || !strings.HasPrefix(string(text), "TYPE") {
		return fmt.Errorf("%q is no DNS record type", text)
	}
	*t = Type(n)
	return nil
}

// A Question is one thing to ask. The zero Question is not valid.
type Question struct {
	// Name is an absolute domain name in A-labels, in lower case, without a
	// trailing dot. Its labels may hold any octet from space to "~" but the dot, which
	// always separates two labels: SPF expands the local part of an address into such
	// names (RFC 7208, section 7.1). The octets are not escaped. A name outside of that
	// form is answered with [ErrName].
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// String returns the question as "name TYPE". Each octet of the name but letters,
// digits, "-", "_" and dots is written as \DDD, its decimal number (RFC 1035, section
// 5.1), so that the text is safe to print.
func (q Question) String() string { return escapeName(q.Name) + " " + q.Type.String() }

// check returns why q cannot be asked, or nil. Every resolver of this package calls
// it first, so that what a sender wrote reaches no server, cache or hosts file
// before it has the form of a name.
func (q Question) check() error {
	if !slices.Contains(types[:], q.Type) {
		return &Error{Question: q, Err: ErrType}
	}
	if err := checkName(q.Name); err != nil {
		return &Error{Question: q, Err: err}
	}
	return nil
}

// TTLUnknown is the TTL of an Answer or absence where the Resolver cannot tell it. Any
// negative TTL means the same.
const TTLUnknown time.Duration = -1

// An Answer holds the records of the type asked for, in the order in which they
// came. Only the field of that type is set. Records of one answer may be shared
// with other callers: they must not be changed.
type Answer struct {
	TXT   []string     `json:"txt,omitempty"`   // TypeTXT and TypeSPF: the strings of each record joined, octets as they are
	Addrs []netip.Addr `json:"addrs,omitempty"` // TypeA and TypeAAAA
	MX    []MX         `json:"mx,omitempty"`    // TypeMX
	PTR   []string     `json:"ptr,omitempty"`   // TypePTR: names as in Question.Name
	CNAME string       `json:"cname,omitempty"` // TypeCNAME: a name as in Question.Name

	// TTL is how long the answer may be kept, in nanoseconds in JSON. Zero means not
	// at all (RFC 1035, section 3.2.1). A Resolver that does not know, as [Net] does
	// not, says TTLUnknown.
	TTL time.Duration `json:"ttl,omitempty"`

	// Authentic says whether the answer was validated by DNSSEC.
	Authentic Authentic `json:"authentic"`
}

// MX is one mail exchanger.
type MX struct {
	Preference uint16 `json:"preference"`
	Host       string `json:"host"` // as Question.Name; "" or "." is the null MX of RFC 7505
}

// String returns the host and its preference as zone files have them, safe to print.
func (m MX) String() string {
	host := escapeName(m.Host)
	if host == "" {
		host = "." // the null MX
	}
	return strconv.Itoa(int(m.Preference)) + " " + host
}

// String returns the records as one line, safe to print: TXT records in quotes, with the
// octets that are no printable ASCII escaped, and the TTL.
func (a Answer) String() string {
	var records []string
	for _, text := range a.TXT {
		records = append(records, strconv.QuoteToASCII(text))
	}
	for _, addr := range a.Addrs {
		records = append(records, addr.String())
	}
	for _, mx := range a.MX {
		records = append(records, mx.String())
	}
	for _, name := range a.PTR {
		records = append(records, escapeName(name))
	}
	if a.CNAME != "" {
		records = append(records, escapeName(a.CNAME))
	}
	if len(records) == 0 {
		return "no records"
	}
	notes := ""
	if a.TTL >= 0 {
		notes = ", TTL " + a.TTL.Round(time.Second).String()
	}
	if a.Authentic == AuthenticYes {
		notes += ", authentic"
	}
	return strings.Join(records, ", ") + notes
}

// Count returns the number of records in the answer.
func (a Answer) Count() int {
	n := len(a.TXT) + len(a.Addrs) + len(a.MX) + len(a.PTR)
	if a.CNAME != "" {
		n++
	}
	return n
}
