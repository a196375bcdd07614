package dmarc

import (
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
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

	DMARC Verdict `json:"dmarc"`

	// Others are the verdicts for all domains of the From field, where there were several
	// and the Verifier was asked to evaluate them all. DMARC is the strictest of them.
	Others []Verdict `json:"others,omitempty"`

	// Authentic says whether DNSSEC vouches for all answers that the verdict depends on:
	// those of the policy, of MAIL FROM, and of the keys.
	Authentic resolver.Authentic `json:"authentic"`
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
