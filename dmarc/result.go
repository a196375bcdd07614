package dmarc

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A Result is all that is to be known about a message: what a header field, a report, a log
// line or an explanation says is a function of it. Text in it that a sender wrote is as the
// sender wrote it, and has to be escaped for the place where it goes. In JSON, what of it is
// not UTF-8 becomes U+FFFD, which encoding/json writes as \ufffd and, once it was read back,
// as the character itself: the same value in other octets.
type Result struct {
	Envelope Envelope      `json:"envelope"`
	Time     time.Time     `json:"time"` // when it was evaluated
	Author   author.Author `json:"author"`

	// SPF is the result for MAIL FROM, HELO that for HELO: two results that say
	// different things, and of which DMARC takes the first.
	SPF  *spf.Result `json:"spf"`
	HELO *spf.Result `json:"helo"`

	// DKIM has a result for every DKIM-Signature field, topmost first. It is never nil.
	DKIM []*dkim.Result `json:"dkim"`

	// ARC is the chain that forwarders left (RFC 8617), nil if there is none. It shows who
	// says that they handled the message. DMARC.Status does not depend on it;
	// DMARC.Disposition does where Verifier.TrustedSealers lists a sealer.
	ARC *arc.Result `json:"arc,omitempty"`

	DMARC Verdict `json:"dmarc"`

	// Indirect lists what shows that the message came by way of somebody who forwarded or
	// changed it, for a message that does not pass. See Verifier.TrustedSealers and
	// Verifier.Reject for when it changes DMARC.Disposition.
	Indirect []indirect.Evidence `json:"indirect,omitempty"`

	// Others are the verdicts for all domains of the From field, where there were several
	// and the Verifier was asked to evaluate them all. DMARC is the strictest of them.
	Others []Verdict `json:"others,omitempty"`

	// Authentic says whether DNSSEC vouches for all answers that the verdict depends on:
	// those of the policy, of MAIL FROM, and of the keys.
	Authentic resolver.Authentic `json:"authentic"`
}

// maxShown is how many signatures String lists.
const maxShown = 3

// String returns the result as one line of printable ASCII, such as
//
//	dmarc=fail (p=reject, disposition reject) from=bank.example spf=pass (mail.other.example, not aligned) dkim=none
func (r Result) String() string {
	var b strings.Builder
	b.WriteString(r.DMARC.String())
	if r.SPF != nil {
		b.WriteString(" spf=" + r.SPF.Status.String() + r.identity(MethodSPF, 0, r.SPF.Domain))
	}
	if len(r.DKIM) == 0 {
		b.WriteString(" dkim=none")
	}
	for n, d := range r.DKIM {
		switch {
		case d == nil: // in a result that was read from JSON
		case n < maxShown:
			b.WriteString(" dkim=" + d.Status.String() + r.identity(MethodDKIM, n, d.Domain))
		case n == maxShown:
			b.WriteString(" and " + strconv.Itoa(len(r.DKIM)-n) + " more")
		}
	}
	return b.String()
}

// identity returns the domain that a result is about and, where there is a policy to align it
// with, whether it is aligned: " (mail.other.example, not aligned)".
func (r *Result) identity(m Method, signature int, name string) string {
	aligned := ""
	for _, i := range r.DMARC.Identifiers {
		if i.Method == m && (m == MethodSPF || i.Signature == signature) && r.DMARC.PolicyDomain != "" && !errors.Is(r.DMARC.Err, ErrNoPolicy) {
			aligned = map[discovery.Alignment]string{discovery.Aligned: ", aligned", discovery.NotAligned: ", not aligned"}[i.Alignment]
		}
	}
	if name == "" {
		return ""
	}
	return " (" + visible.ASCII(name) + aligned + ")"
}

// LogValue returns the result as a group for package log/slog: the keys of its Verdict, client,
// helo, mail_from, spf_aligned and dkim_aligned, and as groups of their own spf and, by the
// number of the signature, dkim.
func (r Result) LogValue() slog.Value {
	list := append(r.DMARC.attributes(), slog.String("client", r.Envelope.IP.String()),
		slog.String("helo", visible.ASCII(r.Envelope.HELO)), slog.String("mail_from", visible.ASCII(r.Envelope.MailFrom)))
	if r.SPF != nil {
		list = append(list, slog.Any("spf", *r.SPF))
	}
	var signatures []slog.Attr
	for n, d := range r.DKIM {
		if d != nil {
			signatures = append(signatures, slog.Any(strconv.Itoa(n+1), *d))
		}
	}
	list = append(list, slog.Attr{Key: "dkim", Value: slog.GroupValue(signatures...)})
	return slog.GroupValue(append(list, slog.Bool("spf_aligned", r.DMARC.SPFAligned), slog.Bool("dkim_aligned", r.DMARC.DKIMAligned))...)
}

// authentic joins what DNSSEC says of all answers of a result.
func (r *Result) authentic() resolver.Authentic {
	all, any := resolver.AuthenticYes, false
	take := func(a resolver.Authentic) { all, any = all.And(a), true }
	takeDiscovery := func(d *discovery.Result) {
		if d != nil && len(d.Queries) > 0 {
			take(d.Authentic())
		}
	}
	if r.SPF != nil && r.SPF.Questions > 0 {
		take(r.SPF.Authentic)
	}
	for _, d := range r.DKIM {
		if d.BodyHash != nil { // the key was asked for
			take(d.Authentic)
		}
	}
	takeDiscovery(r.DMARC.Discovery)
	for i := range r.Others {
		takeDiscovery(r.Others[i].Discovery)
	}
	if !any {
		return resolver.AuthenticUnknown
	}
	return all
}
