// Package record reads DMARC Policy Records: RFC 9989, section 4.7, or RFC 7489, section
// 6.3.
//
// [Parse] tells three things apart: a text that is not a DMARC record at all, a record
// from which a policy can be had, and one from which none can.
//
//	r, isDMARC, err := record.Parse("v=DMARC1; p=reject; rua=mailto:d@example.com", record.RFC9989)
//
// The fields of a [Record] are what is in effect, after all defaults and fallbacks.
// [Record.Stated] says whether a tag is in the record, and Tags how it stands there. What
// is wrong with the record and what is assumed instead is listed in Problems: a [Problem]
// has a Kind for programs and a Text for people.
//
// # Broken records
//
// RFC 9989, section 4.8, ignores what is broken or unknown, and so does Parse:
//
//   - An unknown tag, and an item that is no tag, change nothing.
//   - An optional tag with a value that it cannot have counts as absent.
//   - A record without a valid p, or with an sp or np that is not valid, counts as p=none
//     if rua has at least one valid URI (section 4.10.1). Otherwise there is no policy in it.
//   - A tag that is repeated with the same value is taken once. One that is repeated with
//     another value makes the list of tags invalid (RFC 6376, section 3.2): the tag counts
//     as absent, and the record as one without a valid p.
//
// What a Domain Owner wrote is not safe to print: values of tags may hold any octet. Text and
// Assumed of a Problem are printable ASCII.
package record

import (
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// A Record is a DMARC Policy Record: RFC 9989, section 4.7. Its fields hold the effective
// values: what the record states, else the default. Records may be shared and must not be
// changed.
type Record struct {
	Standard Standard `json:"standard"` // by which the record was read

	// Policy, SubdomainPolicy and NonexistentPolicy are p, sp and np after their
	// fallbacks: np to sp to p. All are PolicyNone where the record's policy is
	// broken but it asks for reports, and PolicyUnset where no policy can be had
	// from it (RFC 9989, section 4.10.1).
	Policy            Policy `json:"p,omitempty"`
	SubdomainPolicy   Policy `json:"sp,omitempty"`
	NonexistentPolicy Policy `json:"np,omitempty"`

	// PolicyAssumed says that the record states no valid policy, and that p=none is
	// assumed since it asks for reports.
	PolicyAssumed bool `json:"policy_assumed,omitempty"`

	DKIMAlignment alignment.Mode `json:"adkim"` // default relaxed
	SPFAlignment  alignment.Mode `json:"aspf"`  // default relaxed
	PSD           PSD            `json:"psd"`   // default u
	Testing       bool           `json:"t"`     // t=y; default t=n

	AggregateReports []URI    `json:"rua,omitempty"` // where aggregate reports go
	FailureReports   []URI    `json:"ruf,omitempty"` // where failure reports go
	FailureOptions   []string `json:"fo"`            // of "0", "1", "d", "s"; default "0"

	// Percent and Interval are pct and ri of RFC 7489. RFC 9989 removed both: they are
	// read, but nothing follows from them. Defaults 100 and 86400 seconds.
	Percent  int `json:"pct"`
	Interval int `json:"ri"`

	// Tags are the tags as they stand in the record, in order, unknown and removed ones
	// included.
	Tags []Tag `json:"tags"`

	// Problems are the faults of the record and what was assumed instead.
	Problems []Problem `json:"problems,omitempty"`
}

// A Tag is one tag of a record as it stands there: not safe to print.
type Tag struct {
	Name  string  `json:"name"` // as written; case does not matter
	Value string  `json:"value"`
	Kind  TagKind `json:"kind"`
}

// A Problem is one fault of a record. The record may still lead to a policy.
type Problem struct {
	Kind    ProblemKind `json:"kind"`
	Tag     string      `json:"tag"`     // its name in lower case, or the text that is no tag: not safe to print
	Text    string      `json:"text"`    // what is wrong, in words
	Assumed string      `json:"assumed"` // what was assumed instead: a value, or words that follow from Kind
}

// String returns the problem as one line of printable ASCII.
func (p Problem) String() string {
	return strings.Trim(quote(p.Tag), `"`) + ": " + p.Text + "; assumed: " + p.Assumed
}

// IsDMARC reports whether a TXT record is a DMARC record at all: its first tag is v, and the
// value exactly "DMARC1" (RFC 9989, section 4.7). The name's case does not matter, and
// nothing may stand before it.
func IsDMARC(txt string) bool {
	rest := txt
	if len(rest) == 0 || rest[0]|0x20 != 'v' {
		return false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(rest[1:], " \t"), "=")
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "DMARC1")
	if !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " \t")
	return rest == "" || rest[0] == ';'
}

// Stated reports whether the record has a tag of that name, which RFC 9989 or RFC 7489
// defines and which is given in lower case. A tag with a value that it cannot have counts.
func (r *Record) Stated(name string) bool {
	for _, tag := range r.Tags {
		if (tag.Kind == TagKnown || tag.Kind == TagRemoved) && domain.ToLower(tag.Name) == name {
			return true
		}
	}
	return false
}

// String returns the record as it would be published: its tags as they stand in it, which is
// not safe to print. Parsing the string gives the same record again.
func (r *Record) String() string {
	var b strings.Builder
	for i, tag := range r.Tags {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(tag.Name)
		if tag.Kind != TagBroken {
			b.WriteByte('=')
			b.WriteString(tag.Value)
		}
	}
	return b.String()
}
