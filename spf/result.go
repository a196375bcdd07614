package spf

import (
	"log/slog"
	"strings"

	"github.com/mailverdict/mailverdict/resolver"
)

// A Result says whether a host may send for a domain, and why.
type Result struct {
	Identity Identity `json:"identity"`
	Status   Status   `json:"status"`

	// Domain is the domain checked, in A-labels; where the identity has no domain
	// that could be checked, what stood in its place, for people only.
	Domain string `json:"domain"`

	// Sender is the <sender> of check_host: the MAIL FROM address, or
	// postmaster@HELO. RFC 7208, section 4.1.
	Sender string `json:"sender,omitempty"`

	// Mechanism is the term that decided, as it stands in Record, the record of
	// RecordDomain: the term of the initial record or of one redirected to, an
	// include itself and not what matched in it. Empty where none matched: then
	// neutral is the default of RFC 7208, section 4.7.
	Mechanism    string `json:"mechanism,omitempty"`
	Record       string `json:"record,omitempty"`
	RecordDomain string `json:"record_domain,omitempty"`

	// Rejected are TXT records of RejectedDomain that were not taken as its SPF record,
	// though they are one, or seem to be meant as one: the one that is malformed, those
	// of which there are several, or, where there is none, what comes near it. A DMARC
	// record, which has to stand elsewhere, is among them. At most five, of 2 KiB each at
	// most, as DNS gave them: not safe to print.
	Rejected       []string `json:"rejected,omitempty"`
	RejectedDomain string   `json:"rejected_domain,omitempty"`

	// What the check cost: terms that ask DNS (limit 10), those of them with a
	// lookup that found nothing (limit 2), and DNS questions that the evaluation came
	// to (limit 50). Up to 10 more may have been asked ahead and in vain, unless
	// Options.Sequential.
	Lookups     int `json:"lookups"`
	VoidLookups int `json:"void_lookups"`
	Questions   int `json:"questions"`

	// Explanation is what the owner of the domain says of a fail (exp=), expanded,
	// in printable ASCII, at most Limits.ExplanationOctets long. It is the
	// sender's text: show it as such. RFC 7208, section 6.2.
	Explanation string `json:"explanation,omitempty"`

	// Authentic says whether DNSSEC vouches for all answers that the check used.
	Authentic resolver.Authentic `json:"authentic"`

	// Evaluation is the initial record term by term; nil unless Options.Trace.
	Evaluation *Evaluation `json:"evaluation,omitempty"`

	// Err says why Status is none, neutral by default, temperror or permerror; nil
	// for a term that matched. It wraps one of the package's exported errors:
	// errors.Is(r.Err, spf.ErrTermLimit). In JSON it is reason, its text, and cause,
	// a word for that error.
	Err error `json:"-"`
}

// String returns the result in one line, such as
//
//	pass for shop.example (mailfrom) by include:_spf.mailer.example
//	permerror for shop.example (helo): the SPF record is malformed: ...
//
// What is not printable ASCII is escaped.
func (r Result) String() string {
	var b strings.Builder
	b.WriteString(r.Status.String())
	if r.Domain != "" {
		b.WriteString(" for " + visible(r.Domain))
	}
	b.WriteString(" (" + r.Identity.String() + ")")
	if r.Mechanism != "" {
		b.WriteString(" by " + visible(r.Mechanism))
	}
	if r.Err != nil {
		b.WriteString(": " + visible(r.Err.Error()))
	}
	return b.String()
}

// LogValue returns the result as a group for package log/slog, with the keys that it has
// in JSON: status, identity, domain, mechanism, cause, reason, lookups.
func (r Result) LogValue() slog.Value {
	why := causes.JSON(r.Err)
	attrs := []slog.Attr{slog.String("status", r.Status.String()), slog.String("identity", r.Identity.String())}
	for _, a := range []slog.Attr{
		slog.String("domain", visible(r.Domain)), slog.String("mechanism", visible(r.Mechanism)),
		slog.String("cause", why.Cause), slog.String("reason", visible(why.Reason)),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	return slog.GroupValue(append(attrs, slog.Int("lookups", r.Lookups))...)
}
