package spf

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// A Record is a parsed SPF record: RFC 7208, section 4.5. In JSON it is its text,
// which is parsed again when it is read.
type Record struct {
	Text  string // as it was parsed
	Terms []Term // in order

	asking int // how many terms ask DNS
}

// A Term is one directive or modifier of a record: RFC 7208, section 4.6.1.
type Term struct {
	Text   string // as it stands in the record
	Offset int    // octets before it in the record

	Kind Kind

	// Qualifier is what a match of the mechanism means: pass, fail, softfail or
	// neutral. None for a modifier.
	Qualifier Status

	// Bits4 and Bits6 are the prefix lengths for IPv4 and IPv6 of a, mx, ip4 and
	// ip6: 32 and 128 where the term does not say.
	Bits4 uint8
	Bits6 uint8

	isNetwork bool    // of ip4 and ip6: network is set
	network   address // as it was written
	spec      string  // the domain-spec
	letters   letters // the macro letters in spec
	name      string  // the name that spec stands for if letters is 0, or ""
}

// Network returns the network of ip4 and ip6 with the address as it was written,
// and the zero Prefix for other terms.
func (t *Term) Network() netip.Prefix {
	switch {
	case !t.isNetwork:
		return netip.Prefix{}
	case t.Kind == KindIP4:
		return netip.PrefixFrom(t.network.ip(true), int(t.Bits4))
	}
	return netip.PrefixFrom(t.network.ip(false), int(t.Bits6))
}

// Domain returns the domain-spec of the term with its macros unexpanded, or "" if it
// has none.
func (t *Term) Domain() string { return t.spec }

// Kind says which mechanism or modifier a term is.
type Kind uint8

// The mechanisms of RFC 7208, section 5, and the modifiers of section 6. Mechanisms stand
// before KindRedirect and modifiers from it on: IsModifier goes by that. kindWords has the same
// order.
const (
	KindAll Kind = iota
	KindInclude
	KindA
	KindMX
	KindPTR
	KindIP4
	KindIP6
	KindExists
	KindRedirect
	KindExp
	KindUnknown // a modifier without a meaning here; it is ignored
)

var kindWords = []string{"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists", "redirect", "exp", "unknown"}

// String returns the name of the mechanism or modifier, or "unknown".
func (k Kind) String() string { return enum.String(kindWords, k) }

// MarshalText returns the word of String.
func (k Kind) MarshalText() ([]byte, error) { return enum.MarshalText(kindWords, k) }

// UnmarshalText reads a word that MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error { return enum.UnmarshalText(kindWords, k, text) }

// IsModifier reports whether a term of this kind is a modifier, which never
// matches.
func (k Kind) IsModifier() bool { return k >= KindRedirect }

// asksDNS reports whether the term counts against Limits.Terms: RFC 7208, section
// 4.6.4.
func (k Kind) asksDNS() bool {
	switch k {
	case KindInclude, KindA, KindMX, KindPTR, KindExists, KindRedirect:
		return true
	}
	return false
}

// MarshalText returns Text.
func (r Record) MarshalText() ([]byte, error) { return []byte(r.Text), nil }

// UnmarshalText parses a record. A text that Parse does not take is an error that
// wraps ErrSyntax, and leaves r as it was.
func (r *Record) UnmarshalText(text []byte) error {
	parsed, isSPF, err := Parse(string(text))
	if err != nil {
		return err
	}
	if !isSPF {
		return cause.Wrap(ErrSyntax, "it does not begin with "+version, nil)
	}
	*r = *parsed
	return nil
}

// String returns the record in its shortest spelling, from its terms.
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString(version)
	for i := range r.Terms {
		b.WriteByte(' ')
		r.Terms[i].write(&b)
	}
	return b.String()
}

// String returns the term in its shortest spelling: names of mechanisms in lower
// case, no "+", no prefix length that is the default. Unknown modifiers are as in
// Text.
func (t *Term) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Term) write(b *strings.Builder) {
	switch t.Qualifier {
	case StatusFail:
		b.WriteByte('-')
	case StatusSoftFail:
		b.WriteByte('~')
	case StatusNeutral:
		b.WriteByte('?')
	}
	switch t.Kind {
	case KindUnknown:
		b.WriteString(t.Text)
		return
	case KindRedirect, KindExp:
		b.WriteString(t.Kind.String())
		b.WriteByte('=')
		b.WriteString(t.Domain())
		return
	}
	b.WriteString(t.Kind.String())
	if network := t.Network(); network.IsValid() {
		b.WriteByte(':')
		b.WriteString(network.Addr().String())
	} else if spec := t.Domain(); spec != "" {
		b.WriteByte(':')
		b.WriteString(spec)
	}
	switch t.Kind {
	case KindA, KindMX, KindIP4, KindIP6:
		if t.Bits4 != 32 {
			writeLength(b, "/", t.Bits4)
		}
		if t.Bits6 != 128 {
			slash := "//"
			if t.Kind == KindIP6 {
				slash = "/"
			}
			writeLength(b, slash, t.Bits6)
		}
	}
}

func writeLength(b *strings.Builder, slash string, bits uint8) {
	b.WriteString(slash)
	b.WriteString(strconv.Itoa(int(bits)))
}

// find returns the term of a kind that a record has at most once, or nil.
func (r *Record) find(k Kind) *Term {
	for i := range r.Terms {
		if r.Terms[i].Kind == k {
			return &r.Terms[i]
		}
	}
	return nil
}
