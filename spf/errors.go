package spf

import (
	"errors"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
)

// causes are the words of the errors in JSON.
var causes cause.Table

// Why a check did not end with a term that matched: what Result.Err and
// Evaluation.Err wrap. The sections are of RFC 7208.
var (
	// With StatusNone.
	ErrNoAddress  = causes.New("no-address", "the address of the client is not known")
	ErrNoMailFrom = causes.New("no-mail-from", "MAIL FROM is not known")
	ErrNoDomain   = causes.New("no-domain", "the identity has no domain")
	ErrBadDomain  = causes.New("bad-domain", "the domain of the identity is not one that can have a record") // 4.3

	// With StatusPermError: an include or redirect leads to no record. It may wrap
	// ErrNoRecord, and so stands before it: the first error has its word in JSON.
	ErrNoTarget = causes.New("no-target", "nothing to include or to redirect to") // 5.2, 6.1

	// With StatusNone.
	ErrNoRecord = causes.New("no-record", "the domain has no SPF record") // 4.5

	// With StatusNeutral.
	ErrNoMatch = causes.New("no-match", "no term of the record matches and it has no default") // 4.7

	// With StatusPermError: the records are broken. ErrSyntax is in a SyntaxError.
	ErrSyntax          = causes.New("syntax", "the SPF record is malformed") // 4.6
	ErrMultipleRecords = causes.New("multiple-records", "the domain has more than one SPF record")

	// With StatusPermError: the records ask for more than Limits allows.
	ErrTermLimit     = causes.New("term-limit", "the records have too many terms that ask DNS") // 4.6.4
	ErrVoidLimit     = causes.New("void-limit", "too many lookups found nothing")               // 4.6.4
	ErrMXLimit       = causes.New("mx-limit", "the domain of an mx term has too many hosts")    // 4.6.4
	ErrQuestionLimit = causes.New("question-limit", "the check takes too many DNS questions")   // 11.1
	ErrRecordLimit   = causes.New("record-limit", "the SPF record is too long")                 // 3.4

	// With StatusPermError: the records lead back to one another, and so beyond every
	// limit. ErrLoop is an ErrTermLimit too, for errors.Is.
	ErrLoop = causes.NewUnder(ErrTermLimit, "loop", "an include or redirect leads back to its own record")

	// With StatusTempError. ErrCanceled is that the context of the caller ended, or
	// its resolver.Budget.
	ErrTimeLimit = causes.New("time-limit", "the check took too long") // 4.6.4
	ErrCanceled  = causes.New("canceled", "the check was not completed")
	ErrDNS       = causes.New("dns", "DNS gave no answer") // 2.6.6; wraps the resolver's error
)

// An ending is what stops an evaluation before a term has matched. The zero ending does not.
type ending struct {
	status Status // temperror or permerror, and none where there is no record
	err    error
}

// A termError says in which term something is wrong: the one of the initial record,
// and the one that it led to. Those between them are in Result.Evaluation and would
// make the text long. Terms of a parsed record are visible ASCII.
type termError struct {
	outermost, innermost string
	between              bool // there are others between the two
	err                  error
}

// inTerm puts the term before what is wrong in it.
func inTerm(t *Term, err error) error {
	text := shorten(t.Text)
	if inner, ok := err.(*termError); ok {
		return &termError{text, inner.innermost, inner.between || inner.outermost != inner.innermost, inner.err}
	}
	return &termError{outermost: text, innermost: text, err: err}
}

func (e *termError) Error() string {
	text := e.outermost + ": "
	if e.between {
		text += "...: "
	}
	if e.innermost != e.outermost {
		text += e.innermost + ": "
	}
	return text + e.err.Error()
}

func (e *termError) Unwrap() error { return e.err }

func permError(sentinel error, detail string) ending {
	return ending{StatusPermError, cause.Wrap(sentinel, detail, nil)}
}

// unanswered ends a check for want of an answer. Where a limit of the caller kept the
// question from being asked or waited for, it was not DNS that failed.
func unanswered(err error) ending {
	if errors.Is(err, resolver.ErrLimit) {
		return tempError(ErrCanceled, err)
	}
	return tempError(ErrDNS, err)
}

func tempError(sentinel error, beneath error) ending {
	return ending{StatusTempError, cause.Wrap(sentinel, "", beneath)}
}
