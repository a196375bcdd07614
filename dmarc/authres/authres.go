// Package authres writes and reads Authentication-Results header fields: RFC 8601.
//
// [Format] writes the field that a receiver puts on top of a message:
//
//	field := authres.Format("mx.example.net", result)
//
// A [Formatter] adds the results of other methods to ours, such as auth, iprev and arc.
//
// [Parse] reads a field that somebody else wrote, strictly: what stands in a comment or in
// quotes is never taken for a result. [ParseLenient] reads what it can of fields that break
// the grammar, as those of several large providers do. It is for showing them to people;
// nothing that decides trust may rest on it.
//
// [RemoveForged] takes the fields out of a message that claim to be the receiver's own. A
// receiver must do so before it adds its own field and before anything trusts one (RFC 8601,
// section 5). [Claims] answers the same question for one field, for milters.
//
// # What is written
//
// One spf result with smtp.mailfrom, of which only the domain is printed, or smtp.helo for
// the null sender; a second one with smtp.helo where the HELO identity fails on its own;
// one dkim result a signature, with header.a, .b, .d, .i and .s; one arc result, if the message
// has a chain of seals, with smtp.remote-ip and header.oldest-pass (RFC 8617, section 7); and one
// dmarc result with header.from and the properties
//
//	policy.dmarc                    the policy that applies, after t or pct (registered with IANA)
//	policy.published-domain-policy  the policy as published: p, sp or np
//	policy.applied-disposition      what is recommended for this message
//
// A comment says "not aligned" behind an spf or dkim result that passes for a domain that is
// not aligned with the Author Domain.
//
// For programs that read the older field of SPF, package spf/receivedspf writes it.
//
// Nothing hostile leaves: a value is printed if it follows a narrow grammar of its own,
// and left out otherwise. No text from DNS is printed at all, nor a local part of MAIL
// FROM, nor an error's text: reasons are words of this module.
package authres

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
)

// What is read and written, whoever's it is: see package rfc8601.
type (
	Field    = rfc8601.Field
	Result   = rfc8601.Result
	Property = rfc8601.Property
)

// Why a field could not be read: see package rfc8601.
var (
	ErrName    = rfc8601.ErrName
	ErrSyntax  = rfc8601.ErrSyntax
	ErrVersion = rfc8601.ErrVersion
	ErrLimit   = rfc8601.ErrLimit
)

// Parse reads a field, its name "Authentication-Results:" included, strictly: see
// [rfc8601.Parse].
func Parse(field string) (*Field, error) { return rfc8601.Parse(field) }

// ParseLenient reads what it can of a field that breaks the grammar: see
// [rfc8601.ParseLenient].
func ParseLenient(field string) (*Field, error) { return rfc8601.ParseLenient(field) }

// maxField is how long a field may get, in octets. DKIM results are left out beyond it,
// those that are no pass first.
const maxField = 8 << 10

const (
	fieldName = rfc8601.Name
	lowerName = "authentication-results"

	lowerReceived = "received-spf"
)

// A Formatter writes Authentication-Results fields. The zero Formatter is what Format
// uses.
type Formatter struct {
	// SMTPUTF8 says that the message came with SMTPUTF8 (RFC 6531), and that its header
	// may hold UTF-8. Internationalized domains, which are always printed as A-labels,
	// then have their U-labels beside them in a comment. Default false: US-ASCII only.
	SMTPUTF8 bool

	// More are the results of other methods, which are written after those of a
	// dmarc.Result. Their texts may come from a sender: characters that could end a
	// value or a comment become question marks, and a text of more than 255 octets is
	// cut.
	More []Result
}

// Format returns the Authentication-Results field for a result, its name included, folded
// at 78 columns with CRLF, and without a final CRLF. The id is the receiver's
// authserv-id, usually its host name: RFC 8601, section 2.5.
func Format(id string, r *dmarc.Result) string { return Formatter{}.Format(id, r) }

// Format is the function Format with the options of f.
func (f Formatter) Format(id string, r *dmarc.Result) string { return f.field(id, r).Format() }

// Value returns the field's body on one line, without its name: for logs, and for
// programs that are handed names and bodies of fields apart, such as milters.
func (f Formatter) Value(id string, r *dmarc.Result) string { return f.field(id, r).String() }

// field returns the field for a result. It holds nothing but safe texts.
func (f Formatter) field(id string, r *dmarc.Result) *Field {
	return &Field{ID: authservID(id), Results: f.Results(r)}
}

// Results returns the results that Format writes, in its order: spf, dkim, arc, dmarc, and More.
// They are safe to write anywhere in a header.
func (f Formatter) Results(r *dmarc.Result) []Result {
	list, last := spfResults(r), f.dmarcResult(r)
	size := len(fieldName) + 2*255 + last.Octets()
	for i := range list {
		size += list[i].Octets()
	}
	list = append(list, fitting(f.dkimResults(r), maxField-size)...)
	list = append(list, arcResults(r)...)
	list = append(list, last)
	for _, more := range f.More {
		list = append(list, f.safeResult(more))
	}
	return list
}
