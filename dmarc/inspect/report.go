package inspect

import (
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/remedy"
)

// A Report is what a domain publishes about its mail, and what is wrong with it. Records in it are
// as DNS gave them, which is not safe to print; Text and HTML escape them.
type Report struct {
	Domain         string `json:"domain"`                   // A-labels, or as it was given where it is none
	Organizational string `json:"organizational,omitempty"` // its Organizational Domain
	Parked         bool   `json:"parked,omitempty"`         // it says that it sends no mail, and takes none

	// Findings are what is wrong or to be known, errors first. Empty: nothing is.
	Findings []Finding `json:"findings"`

	SPF   *published.SPF   `json:"spf,omitempty"`
	DMARC *published.DMARC `json:"dmarc,omitempty"`
	DKIM  []published.Key  `json:"dkim"` // those that were found
	Mail  *published.Mail  `json:"mail,omitempty"`

	// Providers are the companies that send for the domain, as far as its records give them
	// away, and Setup is how far it is set up with each.
	Providers []string `json:"providers"`
	Setup     []Setup  `json:"setup,omitempty"`

	// Unanswered are the questions that DNS did not answer. What depends on them is not said
	// to be missing.
	Unanswered []Unanswered `json:"unanswered,omitempty"`
	Questions  int          `json:"questions"` // how many were asked
}

// Worst returns the severity of the worst finding, or "" if there is none.
func (r *Report) Worst() Severity {
	if len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Severity
}

// Open reports whether DNS failed where it matters, so that the report says less than it should.
func (r *Report) Open() bool {
	for _, u := range r.Unanswered {
		if u.Matters {
			return true
		}
	}
	return false
}

// String returns the domain and how many findings of each severity it has.
func (r *Report) String() string { return r.Domain + ": " + r.counts() }

// counts says how many findings of each severity there are.
func (r *Report) counts() string {
	var list []string
	for _, s := range []struct {
		severity  Severity
		one, many string
	}{{SeverityError, "error", "errors"}, {SeverityWarning, "warning", "warnings"}, {SeverityInfo, "note", "notes"}} {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s.severity {
				n++
			}
		}
		if n > 0 {
			list = append(list, remedy.Plural(n, s.one, s.many))
		}
	}
	if len(list) == 0 {
		return "nothing wrong"
	}
	return strings.Join(list, ", ")
}

// A Setup is how far a domain is set up with a provider.
type Setup struct {
	Provider string   `json:"provider"`
	Name     string   `json:"name"`
	Signs    []string `json:"signs"` // what gave it away: "include:amazonses.com"
	Steps    []Step   `json:"steps,omitempty"`
}

// A Step is a step of setting a domain up with a provider.
type Step struct {
	State string `json:"state"` // done, missing, unusable (a finding says why), or unknown: cannot be seen in DNS
	Fix   Fix    `json:"fix"`
}
