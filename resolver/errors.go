package resolver

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The outcomes other than an answer. Errors that a Resolver returns wrap one of
// them, usually within an [*Error]; test for them with errors.Is.
var (
	// ErrNotFound is the proven absence of an answer. ErrNXDomain and ErrNoData
	// say which kind, where the resolver can tell; both match ErrNotFound.
	ErrNotFound = errors.New("no such record")

	// ErrNXDomain means that the name does not exist, nor any name below it
	// (RFC 8020).
	ErrNXDomain error = &notFound{"no such domain name"}

	// ErrNoData means that the name exists but has no record of the type asked
	// for (RFC 2308, section 2.2).
	ErrNoData error = &notFound{"no record of this type"}

	// ErrName means that the question was not asked because its name cannot be
	// one: an empty label, more than 63 octets in a label or 253 in all, an upper-case
	// letter, or an octet that is not printable ASCII. Besides ErrNotFound, it and
	// ErrType are the errors that will not pass with time.
	ErrName = errors.New("not a name that DNS can be asked for")

	// ErrType means that the question was not asked because its type is none of
	// the five that an Answer can hold.
	ErrType = errors.New("not a record type that can be asked for")

	// The temporary failures.
	ErrServFail    = errors.New("the server failed (SERVFAIL)")
	ErrRefused     = errors.New("the server refused (REFUSED)")
	ErrFormat      = errors.New("the server did not understand (FORMERR)")
	ErrTimeout     = errors.New("no answer in time")
	ErrUnreachable = errors.New("the server could not be reached")
	ErrMalformed   = errors.New("the answer is malformed")
	ErrLimit       = errors.New("limit on DNS questions reached") // see LimitError
	ErrPanic       = errors.New("the resolver panicked")
)

type notFound struct{ text string }

func (e *notFound) Error() string        { return e.text }
func (e *notFound) Is(target error) bool { return target == ErrNotFound }

// NotFound reports whether err proves that there is no record to be had.
func NotFound(err error) bool { return errors.Is(err, ErrNotFound) }

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

func (e *Error) Unwrap() error { return e.Err }

// AuthenticOf returns what an error says of DNSSEC: whether the absence of a record
// was validated.
func AuthenticOf(err error) Authentic {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Authentic
	}
	return AuthenticUnknown
}

// A LimitError says which limit of a [Budget] ended a question. It wraps ErrLimit.
type LimitError struct {
	// The limit that was reached; the other is zero.
	Questions int           // DNS questions
	Time      time.Duration // time spent waiting for DNS
}

func (e *LimitError) Error() string {
	if e.Questions > 0 {
		return fmt.Sprintf("limit of %d DNS questions reached", e.Questions)
	}
	return fmt.Sprintf("limit of %v for DNS reached", e.Time)
}

func (e *LimitError) Unwrap() error { return ErrLimit }
