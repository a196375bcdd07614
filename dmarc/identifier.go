package dmarc

import (
	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/enum"
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
	Alignment Alignment `json:"alignment"`
}

// identifiers lists the domains that the results speak for.
func identifiers(s *spf.Result, d []*dkim.Result) []Identifier {
	list := make([]Identifier, 0, 1+len(d))
	// A HELO result is never one: RFC 9989, section 4.4.2, takes only MAIL FROM, which
	// for the null sender is postmaster@HELO.
	if s != nil && s.Identity == spf.IdentityMailFrom {
		if name, err := domain.Canonical(s.Domain); err == nil {
			list = append(list, Identifier{
				Method:        MethodSPF,
				Domain:        name,
				Authenticated: s.Status == spf.StatusPass,
				Open:          s.Status == spf.StatusTempError,
			})
		}
	}
	for n, r := range d {
		if name, err := domain.Canonical(r.Domain); err == nil {
			list = append(list, Identifier{
				Method:        MethodDKIM,
				Signature:     n,
				Domain:        name,
				Authenticated: r.Status == dkim.StatusPass,
				Open:          r.Status == dkim.StatusTempError,
			})
		}
	}
	return list
}

// mode returns the alignment mode that a record asks for.
func (i Identifier) mode(r *record.Record) alignment.Mode {
	if i.Method == MethodSPF {
		return r.SPFAlignment
	}
	return r.DKIMAlignment
}

// align holds the identifier against the Author Domain.
func (i *Identifier) align(d *Discovery, r *record.Record) {
	i.Mode = i.mode(r)
	o := d.Organization(i.Domain)
	i.Organizational = o.Organizational
	switch {
	case i.Domain == d.AuthorDomain:
		i.Alignment = Aligned
	case i.Mode == alignment.Strict:
		i.Alignment = NotAligned
	case o.Domain != "":
		i.Alignment = o.Alignment
	case i.Authenticated || i.Open:
		// Not looked for, since it stands elsewhere; or nobody told Discover of it.
		if domain.Within(i.Domain, d.Organization(d.AuthorDomain).Organizational) {
			i.Alignment = AlignmentOpen
		}
	case domain.Within(i.Domain, d.Organization(d.AuthorDomain).Organizational):
		i.Alignment = Aligned
	}
}
