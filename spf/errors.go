package spf

import (
	"errors"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
)

// Why a check did not end with a term that matched: what Result.Err and
// Evaluation.Err wrap. The section is of RFC 7208.
var (
	// With StatusNone.
	ErrNoAddress  = errors.New("the address of the client is not known")
	ErrNoMailFrom = errors.New("MAIL FROM is not known")
	ErrNoDomain   = errors.New("the identity has no domain")
	ErrBadDomain  = errors.New("the domain of the identity is not one that can have a record") // 4.3
	ErrNoRecord   = errors.New("the domain has no SPF record")                                 // 4.5

	// With StatusNeutral.
	ErrNoMatch = errors.New("no term of the record matches and it has no default") // 4.7

	// With StatusPermError: the records are broken.
	ErrSyntax          = errors.New("the SPF record is malformed") // 4.6; see SyntaxError
	ErrMultipleRecords = errors.New("the domain has more than one SPF record")
	ErrNoTarget        = errors.New("nothing to include or to redirect to") // 5.2, 6.1

	// With StatusPermError: the records ask for more than Limits allows.
	ErrTermLimit     = errors.New("the records have too many terms that ask DNS") // 4.6.4
	ErrVoidLimit     = errors.New("too many lookups found nothing")               // 4.6.4
	ErrMXLimit       = errors.New("the domain of an mx term has too many hosts")  // 4.6.4
	ErrQuestionLimit = errors.New("the check takes too many DNS questions")       // 11.1
	ErrRecordLimit   = errors.New("the SPF record is too long")                   // 3.4

	// With StatusTempError.
	ErrDNS       = errors.New("DNS gave no answer")          // 2.6.6; wraps the resolver's error
	ErrTimeLimit = errors.New("the check took too long")     // 4.6.4
	ErrCanceled  = errors.New("the check was not completed") // the context of the caller ended, or its resolver.Budget
)

// causes are the words of the errors in JSON.
var causes = cause.Table{
	{Word: "no-address", Err: ErrNoAddress},
	{Word: "no-mail-from", Err: ErrNoMailFrom},
	{Word: "no-domain", Err: ErrNoDomain},
	{Word: "bad-domain", Err: ErrBadDomain},
	{Word: "no-target", Err: ErrNoTarget},
	{Word: "no-record", Err: ErrNoRecord},
	{Word: "no-match", Err: ErrNoMatch},
	{Word: "syntax", Err: ErrSyntax},
	{Word: "multiple-records", Err: ErrMultipleRecords},
	{Word: "term-limit", Err: ErrTermLimit},
	{Word: "void-limit", Err: ErrVoidLimit},
	{Word: "mx-limit", Err: ErrMXLimit},
	{Word: "question-limit", Err: ErrQuestionLimit},
	{Word: "record-limit", Err: ErrRecordLimit},
	{Word: "time-limit", Err: ErrTimeLimit},
	{Word: "canceled", Err: ErrCanceled},
	{Word: "dns", Err: ErrDNS},
}

// An ending is what stops an evaluation before a term has matched.
type ending struct {
	status Status // temperror or permerror, and none where there is no record
	err    error
}

// A termError says in which term something is wrong: the one of the initial record,
// and the one that it led to. Those between them are in Result.Evaluation; a loop
// would fill the text with them. Terms of a parsed record are visible ASCII.
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

func permError(sentinel error, detail string) *ending {
	return &ending{StatusPermError, cause.Wrap(sentinel, detail, nil)}
}

// unanswered ends a check for want of an answer. Where a limit of the caller kept the
// question from being asked or waited for, it was not DNS that failed.
func unanswered(err error) *ending {
	if errors.Is(err, resolver.ErrLimit) {
		return tempError(ErrCanceled, err)
	}
	return tempError(ErrDNS, err)
}

func tempError(sentinel error, beneath error) *ending {
	return &ending{StatusTempError, cause.Wrap(sentinel, "", beneath)}
}
