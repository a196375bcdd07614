package resolver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/seam"
)

var causes cause.Table

// Causes returns the errors of this package with their words in JSON. It is for this
// module alone.
func Causes(seam.Internal) cause.Table { return causes }

// The outcomes other than an answer. Errors that a Resolver returns wrap one of
// them, usually within an [*Error]; test for them with errors.Is.
var (
	// ErrNotFound is the proven absence of an answer. ErrNXDomain and ErrNoData say which
	// kind; both match ErrNotFound.
	ErrNotFound = causes.New("not-found", "no such record")

	// ErrNXDomain means that the name does not exist, nor any name below it
	// (RFC 8020).
	ErrNXDomain = causes.NewUnder(ErrNotFound, "nxdomain", "no such domain name")

	// ErrNoData means that the name exists but has no record of the type asked
	// for (RFC 2308, section 2.2).
	ErrNoData = causes.NewUnder(ErrNotFound, "nodata", "no record of this type")

	// ErrName means that the question was not asked because its name cannot be
	// one: an empty label, more than 63 octets in a label or 253 in all, an upper-case
	// letter, or an octet that is not printable ASCII. Besides ErrNotFound, it and
	// ErrType are the errors that will not pass with time.
	ErrName = causes.New("name", "not a name that DNS can be asked for")

	// ErrType means that the question was not asked because its type is none of
	// those that an Answer can hold.
	ErrType = causes.New("type", "not a record type that can be asked for")

	// The temporary failures.
	ErrServFail    = causes.New("servfail", "the server failed (SERVFAIL)")
	ErrRefused     = causes.New("refused", "the server refused (REFUSED)")
	ErrFormat      = causes.New("format", "the server did not understand (FORMERR)")
	ErrTimeout     = causes.New("timeout", "no answer in time")
	ErrUnreachable = causes.New("unreachable", "the server could not be reached")
	ErrMalformed   = causes.New("malformed", "the answer is malformed")
	ErrPanic       = causes.New("panic", "the resolver panicked")

	// ErrLimit means that a [Budget] ended the question, which is temporary too.
	// ErrQuestionLimit and ErrTimeLimit say which of its limits it was; both match
	// ErrLimit.
	ErrLimit               = causes.New("limit", "limit on DNS questions reached")
	ErrQuestionLimit error = &limitKind{"Budget.Questions"}
	ErrTimeLimit     error = &limitKind{"Budget.Time"}
)

// A limitKind is an ErrLimit that says which limit it was. It has the same word in JSON.
type limitKind struct{ field string }

func (e *limitKind) Error() string { return ErrLimit.Error() + ": " + e.field }
func (e *limitKind) Unwrap() error { return ErrLimit }

// A limitError is a limit that was reached, with its number.
type limitError struct {
	kind      error         // ErrQuestionLimit or ErrTimeLimit
	questions int           // the limit, for the former
	time      time.Duration // the limit, for the latter
}

func (e *limitError) Error() string {
	if e.kind == ErrQuestionLimit {
		return fmt.Sprintf("limit of %d DNS questions reached", e.questions)
	}
	return fmt.Sprintf("limit of %v for DNS reached", e.time)
}

func (e *limitError) Unwrap() error { return e.kind }

// Temporary reports whether err leaves the answer open: asked again later, the
// same question may be answered. It is true for every error but absence, [ErrName]
// and [ErrType], those of a cancelled context included.
func Temporary(err error) bool {
	return err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrName) && !errors.Is(err, ErrType)
}

// An Error says what became of a question that has no answer.
type Error struct {
	Question Question
	Err      error  // wraps one of the package's errors
	Server   string // host:port of the server that answered, or "" where not known

	// For absence: how long it may be remembered (RFC 2308, section 5; zero means not
	// at all, TTLUnknown that nobody knows), and whether DNSSEC proved it.
	TTL       time.Duration
	Authentic Authentic
}

// Error returns the question, what happened, and the server. It is safe to print.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Question.String())
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	if e.Server != "" {
		b.WriteString(" (server ")
		b.WriteString(e.Server)
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is says at once what is asked of most errors: whether they are ErrNotFound.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && (e.Err == ErrNoData || e.Err == ErrNXDomain)
}

// contextError says why ctx ended, in the package's terms: the limit where a
// [Budget] ended it, ErrTimeout for a deadline of the caller's.
//
// Other causes are not passed on. An errgroup cancels its context with the first
// error that one of its functions returned; were that an ErrNotFound, wrapping it
// would turn "cancelled" into "proven absent".
func contextError(ctx context.Context) error {
	if limit, ok := errors.AsType[*limitError](context.Cause(ctx)); ok {
		return limit
	}
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
