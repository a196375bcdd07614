package dmarc

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// Method is a way to authenticate an identifier.
type Method uint8

const (
	MethodSPF  Method = iota // the MAIL FROM domain: RFC 9989, section 4.4.2
	MethodDKIM               // the SDID of a signature: section 4.4.1
)

var methodWords = []string{"spf", "dkim"}

// String returns "spf" or "dkim".
func (m Method) String() string { return enum.String(methodWords, m) }

// MarshalText returns the word of String.
func (m Method) MarshalText() ([]byte, error) { return enum.MarshalText(methodWords, m) }

// UnmarshalText reads a word that MarshalText wrote.
func (m *Method) UnmarshalText(text []byte) error { return enum.UnmarshalText(methodWords, m, text) }

// An Identifier is a domain that SPF or a signature speaks for, and how it stands to the
// Author Domain.
type Identifier struct {
	Method    Method `json:"method"`
	Signature int    `json:"signature"` // MethodDKIM: index in the DKIM results
	Domain    string `json:"domain"`    // A-labels

	// Authenticated says that SPF or the signature passed: only then it counts. Open
	// says that DNS left it open whether it does.
	Authenticated bool `json:"authenticated"`
	Open          bool `json:"open,omitempty"`

	Organizational string         `json:"organizational,omitempty"` // where it was found
	Mode           alignment.Mode `json:"mode"`

	// Alignment of an identifier that is neither Authenticated nor Open is what its
	// name suggests: no Organizational Domain was looked for.
	Alignment discovery.Alignment `json:"alignment"`
}

// String returns the identifier as one line of printable ASCII, such as
// "spf mail.other.example, authenticated, not aligned".
func (i Identifier) String() string {
	text := i.Method.String() + " " + visible.ASCII(i.Domain)
	switch {
	case i.Authenticated:
		text += ", authenticated"
	case i.Open:
		text += ", open"
	}
	switch i.Alignment {
	case discovery.Aligned:
		return text + ", aligned"
	case discovery.NotAligned:
		return text + ", not aligned"
	}
	return text + ", alignment open"
}

// identifiers appends the domains that the results speak for.
func identifiers(list []Identifier, s *spf.Result, d []*dkim.Result) []Identifier {
	list = slices.Grow(list, 1+len(d))
	// A HELO result is never one: RFC 9989, section 4.4.2, takes only MAIL FROM, which
	// for the null sender is postmaster@HELO.
	if s != nil && s.Identity == spf.IdentityMailFrom {
		list = appendIdentifier(list, MethodSPF, 0, s.Domain, s.Status == spf.StatusPass, s.Status == spf.StatusTempError)
	}
	for n, r := range d {
		if r == nil { // in results that were read from JSON
			continue
		}
		list = appendIdentifier(list, MethodDKIM, n, r.Domain, r.Status == dkim.StatusPass, r.Status == dkim.StatusTempError)
	}
	return list
}

// appendIdentifier appends the identifier of a domain, unless it is none.
func appendIdentifier(list []Identifier, m Method, signature int, name string, authenticated, open bool) []Identifier {
	name, err := domain.Canonical(name)
	if err != nil {
		return list
	}
	list = append(list, Identifier{})
	i := &list[len(list)-1]
	i.Method, i.Signature, i.Domain, i.Authenticated, i.Open = m, signature, name, authenticated, open
	return list
}

// counts reports whether the identifier makes the message pass.
func (i *Identifier) counts() bool { return i.Authenticated && i.Alignment == discovery.Aligned }

// appendNames appends what discovery needs to know of identifiers.
func appendNames(list []discovery.Identifier, ids []Identifier) []discovery.Identifier {
	for n := range ids {
		list = append(list, ids[n].name())
	}
	return list
}

func (i *Identifier) name() discovery.Identifier {
	tag := discovery.TagSPF
	if i.Method == MethodDKIM {
		tag = discovery.TagDKIM
	}
	return discovery.Identifier{Domain: i.Domain, Tag: tag, Authenticated: i.Authenticated, Open: i.Open}
}

// align says how identifiers stand to the Author Domain, if a policy was found for it.
func align(ids []Identifier, d *discovery.Result) {
	if d == nil || d.Err != nil || d.Query() == nil {
		return
	}
	for n := range ids {
		i := &ids[n]
		i.Mode, i.Alignment = d.Align(i.name())
		i.Organizational = d.Organization(i.Domain).Organizational
	}
}

// failure returns why the identifier is not authenticated.
func (i *Identifier) failure(in *Input) error {
	if i.Method == MethodSPF {
		return in.SPF.Err
	}
	return in.DKIM[i.Signature].Err
}

// pathDomain returns what is probably the domain that SPF speaks for, before its result is
// there.
func pathDomain(e Envelope) string {
	if e.MailFrom == "" {
		return e.HELO
	}
	return e.MailFrom[strings.LastIndexByte(e.MailFrom, '@')+1:]
}
