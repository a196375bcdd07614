package spf

import "github.com/mailverdict/mailverdict/resolver"

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

	// What the check cost: terms that ask DNS (limit 10), those of them with a
	// lookup that found nothing (limit 2), and DNS questions that the reading came to
	// (limit 50). Up to 10 more may have been asked ahead and in vain, unless
	// Checker.Sequential.
	Lookups     int `json:"lookups"`
	VoidLookups int `json:"void_lookups"`
	Questions   int `json:"questions"`

	// Explanation is what the owner of the domain says of a fail (exp=), expanded,
	// in printable ASCII, at most Limits.ExplanationOctets long. It is the
	// sender's text: show it as such. RFC 7208, section 6.2.
	Explanation string `json:"explanation,omitempty"`

	// Authentic says whether DNSSEC vouches for all answers that the check used.
	Authentic resolver.Authentic `json:"authentic"`

	// Evaluation is the initial record term by term; nil unless Checker.Trace.
	Evaluation *Evaluation `json:"evaluation,omitempty"`

	// Err says why Status is none, neutral by default, temperror or permerror; nil
	// for a term that matched. It wraps one of the package's exported errors:
	// errors.Is(r.Err, spf.ErrTermLimit).
	Err error `json:"-"`
}

// An Evaluation is one record as it was walked.
type Evaluation struct {
	Domain string `json:"domain"`
	Record string `json:"record,omitempty"` // empty where there was none
	Steps  []Step `json:"steps,omitempty"`  // in order, as far as they were evaluated
	Status Status `json:"status"`
	Err    error  `json:"-"` // as Result.Err
}

// A Step is one term of a record as it was evaluated.
type Step struct {
	Term     string `json:"term"`               // as it stands in the record
	Expanded string `json:"expanded,omitempty"` // its domain after macro expansion, where it has one

	// Answers are the DNS questions of the term and what came back, in order.
	Answers []Answer `json:"answers,omitempty"`

	Match bool  `json:"match"`
	Err   error `json:"-"` // why the term ended the evaluation, or nil

	// Running counts after the term.
	Lookups     int `json:"lookups"`
	VoidLookups int `json:"void_lookups"`

	// Nested is the record of an include or redirect.
	Nested *Evaluation `json:"nested,omitempty"`
}

// An Answer is one DNS question of a term and its outcome, in text.
type Answer struct {
	Question resolver.Question `json:"question"`
	Records  []string          `json:"records,omitempty"` // in presentation form, escaped
	Err      error             `json:"-"`
}
