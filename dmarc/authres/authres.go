// Package authres writes and reads Authentication-Results header fields: RFC 8601.
//
// [Format] writes the field that a receiver puts on top of a message:
//
//	field := authres.Format("mx.example.net", result)
//
// [Parse] reads a field that somebody else wrote, strictly: what stands in a comment or
// in quotes is never taken for a result. [RemoveForged] takes the fields out of a message
// that claim to be the receiver's own, which must happen before it adds its own and
// before anything trusts them (RFC 8601, section 5).
//
// # What is written
//
// One spf result with smtp.mailfrom, of which only the domain is printed, or smtp.helo for
// the null sender; a second one with smtp.helo where the HELO identity fails on its own;
// one dkim result a signature, with header.a, .b, .d, .i and .s; and one dmarc result with
// header.from and the properties
//
//	policy.dmarc                    the policy that applies, after t or pct (registered with IANA)
//	policy.published-domain-policy  the policy as published: p, sp or np
//	policy.applied-disposition      what is recommended for this message
//
// For programs that read the older field of SPF, spf.Result.ReceivedSPF writes it.
//
// Nothing hostile leaves: a value is printed if it follows a narrow grammar of its own,
// and left out otherwise. No text from DNS is printed at all, nor a local part of MAIL
// FROM, nor an error's text: reasons are words of this module.
package authres

import (
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
)

// maxField is how long a field may get, in octets. DKIM results are left out beyond it,
// those that are no pass first.
const maxField = 8 << 10

const (
	fieldName = "Authentication-Results"
	lowerName = "authentication-results"
)

// A Formatter writes Authentication-Results fields. The zero Formatter is what Format
// uses.
type Formatter struct {
	// SMTPUTF8 says that the message came with SMTPUTF8 (RFC 6531), and that its header
	// may hold UTF-8. Internationalized domains, which are always printed as A-labels,
	// then have their U-labels beside them in a comment. Default false: US-ASCII only.
	SMTPUTF8 bool
}

// Format returns the Authentication-Results field for a result, its name included, folded
// at 78 columns with CRLF, and without a final CRLF. The id is the receiver's
// authserv-id, usually its host name: RFC 8601, section 2.5.
func Format(id string, r *dmarc.Result) string { return Formatter{}.Format(id, r) }

// Format is the function Format with the options of f.
func (f Formatter) Format(id string, r *dmarc.Result) string {
	return fold(fieldName+": "+authservID(id)+";", f.results(r))
}

// Value returns the field's body on one line, without its name: for logs, and for
// programs that are handed names and bodies of fields apart, such as milters.
func (f Formatter) Value(id string, r *dmarc.Result) string {
	var b strings.Builder
	b.WriteString(authservID(id))
	for _, words := range f.results(r) {
		b.WriteString("; ")
		b.WriteString(strings.Join(words, " "))
	}
	return b.String()
}

// results returns the results as words that a fold may part, spf and dmarc around those of
// dkim.
func (f Formatter) results(r *dmarc.Result) [][]string {
	first, last := spfResults(r), f.dmarcResult(r).words()
	var list [][]string
	size := len(fieldName) + 2*255 + length(last)
	for _, result := range first {
		list = append(list, result.words())
		size += length(list[len(list)-1])
	}
	list = append(list, fitting(f.dkimResults(r), maxField-size)...)
	return append(list, last)
}

// length returns what a result takes in a field at most, folds included.
func length(words []string) int {
	n := 0
	for _, word := range words {
		n += len(word) + len(foldMark)
	}
	return n
}
