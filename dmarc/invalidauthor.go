package dmarc

import (
	"cmp"
	"errors"
	"slices"

	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// InvalidAuthor says what is recommended for a message without a single Author Domain, whose
// verdict is permerror.
type InvalidAuthor uint8

const (
	// InvalidAuthorReject recommends reject: RFC 5322, section 3.6, allows one From
	// field, and one of several domains could be anybody's.
	InvalidAuthorReject InvalidAuthor = iota
	InvalidAuthorQuarantine
	InvalidAuthorAccept

	// InvalidAuthorEvaluateAll evaluates every domain of a single From field that has
	// several, at most MaxAuthorDomains, and the strictest outcome stands: RFC 9989,
	// section 11.5. Everything else is rejected.
	InvalidAuthorEvaluateAll
)

// MaxAuthorDomains is how many domains InvalidAuthorEvaluateAll evaluates. A From field with
// more is rejected.
const MaxAuthorDomains = 4

var invalidAuthorWords = []string{"reject", "quarantine", "accept", "evaluate-all"}

// String returns "reject", "quarantine", "accept" or "evaluate-all".
func (a InvalidAuthor) String() string { return enum.String(invalidAuthorWords, a) }

// MarshalText returns the word of String.
func (a InvalidAuthor) MarshalText() ([]byte, error) { return enum.MarshalText(invalidAuthorWords, a) }

// UnmarshalText reads a word that MarshalText wrote.
func (a *InvalidAuthor) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(invalidAuthorWords, a, text)
}

// domains returns the Author Domains to evaluate: one, or none, or several where that is asked
// for.
func (a InvalidAuthor) domains(found *author.Author) []string {
	if found.Err == nil || a == InvalidAuthorEvaluateAll && found.Err == ErrSeveralDomains && len(found.Domains) <= MaxAuthorDomains {
		return found.Domains
	}
	return nil
}

// verdict returns the verdict for a message without a single Author Domain. If its header was
// not read, there may be one.
func (a InvalidAuthor) verdict(found *author.Author, t TempErrorRule) Verdict {
	if errors.Is(found.Err, ErrInterrupted) {
		return Verdict{Status: StatusTempError, Err: found.Err, Disposition: t.disposition(record.PolicyReject)}
	}
	v := Verdict{Status: StatusPermError, Err: found.Err, Disposition: DispositionReject, Evaluated: DispositionReject}
	switch a {
	case InvalidAuthorQuarantine:
		v.Disposition = DispositionQuarantine
	case InvalidAuthorAccept:
		v.Disposition = DispositionNone
	}
	if v.Disposition != v.Evaluated {
		v.Override = &Override{Type: OverrideLocal, Comment: "no single Author Domain"}
	}
	return v
}

// strictest returns the place of the verdict that asks for most, and of several the one that
// vouches for least.
func strictest(verdicts []Verdict) int {
	most := 0
	for i := range verdicts {
		if stricter(&verdicts[i], &verdicts[most]) > 0 {
			most = i
		}
	}
	return most
}

func stricter(a, b *Verdict) int {
	rank := func(v *Verdict) int {
		disposition := []Disposition{DispositionNone, DispositionQuarantine, DispositionTempFail, DispositionReject}
		status := []Status{StatusPass, StatusNone, StatusTempError, StatusFail, StatusPermError}
		return slices.Index(disposition, v.Disposition)*len(status) + slices.Index(status, v.Status)
	}
	return cmp.Compare(rank(a), rank(b))
}
