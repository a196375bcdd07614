// Package feedback says what a Domain Owner asked to be told about one message: the row that it
// adds to an aggregate report (RFC 9990), whether a failure report is asked for (RFC 9991), and
// where both go.
//
// All of it but Confirm is a function of the message's result and of what was done with the message.
// Confirm asks DNS whether an address outside of the owner's organization takes reports.
package feedback

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// MaxSignatures is how many signatures a row has: RFC 9990, section 3.1.3.
const MaxSignatures = 100

// A Row is what one message adds to a report. Its words are those of RFC 9990, but for a Reason of
// "sampled_out", which is RFC 7489's.
type Row struct {
	Source       netip.Addr
	Disposition  string // none, pass, quarantine or reject
	DKIM, SPF    bool   // an identifier of the kind is aligned
	Reasons      []Reason
	HeaderFrom   string
	EnvelopeFrom string // empty for the null sender
	AuthDKIM     []Auth // in the order of RFC 9990, section 3.1.3
	AuthSPF      Auth   // the zero Auth where no domain was checked
}

// A Reason is why something else was done than the policy asks for.
type Reason struct{ Type, Comment string }

// An Auth is one result of DKIM or SPF.
type Auth struct{ Domain, Selector, Result string }

// A Policy is what was published, defaults filled in. It has the fields of aggregate.Policy, in
// their order.
type Policy struct {
	Domain                      string
	P, SP, NP                   string
	DKIMAlignment, SPFAlignment string
	FailureOptions              string
	Testing                     string
	Discovery                   string
	Percent                     string
}

// Record returns the policy record that applies to a message, or nil.
func Record(r *dmarc.Result) *record.Record {
	d := r.DMARC.Discovery
	if d == nil || d.Err != nil {
		return nil
	}
	if q := d.Query(); q != nil {
		return q.Record
	}
	return nil
}

// Why says why a message is in no aggregate report.
type Why string

const (
	WhyNoRecord    Why = "no policy record applies"
	WhyNotAsked    Why = "the record names no address for aggregate reports"
	WhyNoSource    Why = "the client is not known"
	WhyComesAgain  Why = "the message was refused for now and comes again"
	WhyNoAuthor    Why = "the message has no single Author Domain"
	WhyInterrupted Why = "the message was not read to its end"
)

// RowOf returns the row that a message gives rise to, given what was done with it and why, as far
// as the result does not say that. Where there is none, why says so.
func RowOf(r *dmarc.Result, applied dmarc.Disposition, reasons []Reason) (row Row, why Why) {
	if why := excluded(r, applied); why != "" {
		return Row{}, why
	}
	v := &r.DMARC
	row = Row{
		Source:      r.Envelope.IP.Unmap().WithZone(""),
		Disposition: applied.String(),
		DKIM:        v.DKIMAligned,
		SPF:         v.SPFAligned,
		Reasons:     reasons,
		HeaderFrom:  v.AuthorDomain,
		AuthDKIM:    signatures(r),
	}
	if v.Status == dmarc.StatusPass {
		row.Disposition = "pass"
	} else {
		row.Reasons = whyApplied(v, applied, reasons)
	}
	if s := r.SPF; s != nil && s.Identity == spf.IdentityMailFrom {
		if name, err := domain.CanonicalMail(s.Domain); err == nil {
			row.AuthSPF = Auth{Domain: name, Result: s.Status.String()}
			if r.Envelope.MailFrom != "" {
				row.EnvelopeFrom = name
			}
		}
	}
	return row, ""
}

// excluded says why a message gives rise to no row, or returns "".
func excluded(r *dmarc.Result, applied dmarc.Disposition) Why {
	rec := Record(r)
	switch {
	case r.DMARC.Status == dmarc.StatusPermError:
		return WhyNoAuthor
	case r.DMARC.Status == dmarc.StatusTempError && errors.Is(r.DMARC.Err, dmarc.ErrInterrupted):
		return WhyInterrupted
	case rec == nil:
		return WhyNoRecord
	case !slices.ContainsFunc(rec.AggregateReports, usable):
		return WhyNotAsked
	case !r.Envelope.IP.IsValid():
		return WhyNoSource
	case applied == dmarc.DispositionTempFail:
		return WhyComesAgain
	}
	return ""
}

func usable(u record.URI) bool { return u.Err == nil && u.Address != "" }

// whyApplied returns why something else was done than the policy asks for. RFC 9990, section
// 3.1.1.9, wants a reason wherever that is so.
func whyApplied(v *dmarc.Verdict, applied dmarc.Disposition, reasons []Reason) []Reason {
	if o := v.Override; o != nil && applied == v.Disposition {
		reasons = append([]Reason{{o.Type, o.Comment}}, reasons...)
	}
	asked := v.Policy.String()
	if len(reasons) == 0 && asked != "" && asked != applied.String() {
		reasons = []Reason{{Type: "local_policy"}}
		if v.Status == dmarc.StatusTempError {
			reasons = []Reason{{Type: "other", Comment: "DNS left the result open"}}
		}
	}
	return reasons
}

// signatures lists the results of DKIM: those that pass in strict alignment first, then those in
// relaxed alignment, those that pass for others, and those that do not pass. A signature that names
// no domain was not validated.
func signatures(r *dmarc.Result) []Auth {
	if len(r.DKIM) == 0 {
		return nil
	}
	var ranks [4][]Auth
	list := make([]Auth, 0, len(r.DKIM))
	for i, d := range r.DKIM {
		name, err := domain.CanonicalMail(d.Domain)
		if err != nil {
			continue
		}
		a := Auth{Domain: name, Selector: d.Selector, Result: d.Status.String()}
		if k := rank(r, i); k == 0 {
			list = append(list, a)
		} else {
			ranks[k] = append(ranks[k], a)
		}
	}
	for _, rest := range ranks {
		list = append(list, rest...)
	}
	return list[:min(len(list), MaxSignatures)]
}

// rank is the place of a signature in that order.
func rank(r *dmarc.Result, i int) int {
	switch {
	case r.DKIM[i].Status != dkim.StatusPass:
		return 3
	case r.DKIM[i].Domain == r.DMARC.AuthorDomain:
		return 0
	}
	for _, id := range r.DMARC.Identifiers {
		if id.Method == dmarc.MethodDKIM && id.Signature == i && id.Alignment == discovery.Aligned {
			return 1
		}
	}
	return 2
}

// PolicyOf returns what the record that applies to a message publishes.
func PolicyOf(r *dmarc.Result) Policy {
	rec, d := Record(r), r.DMARC.Discovery
	p := Policy{
		Domain:         d.PolicyDomain,
		P:              rec.Policy.String(),
		SP:             rec.SubdomainPolicy.String(),
		NP:             rec.NonexistentPolicy.String(),
		DKIMAlignment:  mode(rec.DKIMAlignment),
		SPFAlignment:   mode(rec.SPFAlignment),
		FailureOptions: strings.Join(rec.FailureOptions, ":"),
		Testing:        "n",
		Discovery:      "treewalk",
	}
	if rec.Testing {
		p.Testing = "y"
	}
	if d.Mode.Standard() == record.RFC7489 {
		p.NP, p.Testing, p.Discovery, p.Percent = "", "", "psl", strconv.Itoa(rec.Percent)
	}
	return p
}

func mode(m alignment.Mode) string {
	if m == alignment.Strict {
		return "s"
	}
	return "r"
}

// Addresses returns where reports go, each address once: the mailto URIs that can be used, without
// their header fields.
func Addresses(uris []record.URI) []string {
	var list []string
	for _, u := range uris {
		if usable(u) && !slices.Contains(list, u.Address) {
			list = append(list, u.Address)
		}
	}
	return list
}

// External reports whether an address is outside of the organization whose record it stands in, as
// far as the result knows it, and so has to agree before it gets reports: RFC 9990, section 4.
func External(r *dmarc.Result, address string) bool {
	v := &r.DMARC
	org := v.OrganizationalDomain
	if !domain.Within(v.PolicyDomain, org) {
		org = v.PolicyDomain // a Public Suffix Domain's
	}
	name, err := domain.CanonicalMail(address[strings.LastIndexByte(address, '@')+1:])
	return err != nil || !domain.Within(name, org)
}

// Faults says what is wrong with a record, for those who get the reports: RFC 9990, section 3.1.5.
// It is printable ASCII of bounded length, or empty.
func Faults(rec *record.Record) string {
	const most, long = 5, 200
	var list []string
	for _, p := range rec.Problems {
		text := p.String()
		list = append(list, text[:min(len(text), long)])
	}
	if n := len(list); n > most {
		list = append(list[:most], strconv.Itoa(n-most)+" more")
	}
	return strings.Join(list, "; ")
}
