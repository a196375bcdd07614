package aggregate

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// causes gives the errors their words in JSON.
var causes cause.Table

// Why a report is not whole, or why there is none.
var (
	// ErrNoReport says that there is no aggregate report in what was read.
	ErrNoReport = causes.New("no-report", "no aggregate report was found")

	// ErrTLSReport and ErrFailureReport say that there is one, but of another kind: SMTP
	// TLS reports (RFC 8460), and reports about single messages, which package failure
	// reads. Both are ErrNoReport too.
	ErrTLSReport     = causes.New("tls-report", "this is a TLS report (RFC 8460)")
	ErrFailureReport = causes.New("failure-report", "this is a failure report about one message")

	// ErrLimit says that one of the Limits was reached, and which.
	ErrLimit = causes.New("limit", "the report exceeds a limit")

	// ErrTruncated says that the report ends before its last element does.
	ErrTruncated = causes.New("truncated", "the report ends too soon")

	// ErrEncoded says that what the report comes in is broken: gzip, zip or MIME.
	ErrEncoded = causes.New("encoded", "what the report comes in is broken")

	// ErrDTD says that the report has a document type declaration, which nobody needs and
	// which attacks on readers are made of.
	ErrDTD = causes.New("dtd", "the report has a document type declaration")
)

// withoutReport is an error that says why there is no report.
type withoutReport struct{ error }

func (e withoutReport) Unwrap() []error { return []error{e.error, ErrNoReport} }

// An input is the underlying reader. Its errors can be told from those of what it holds.
type input struct {
	in  io.Reader
	err error
}

type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

func (i *input) Read(p []byte) (int, error) {
	n, err := i.in.Read(p)
	if err != nil && err != io.EOF {
		err = inputError{err}
		i.err = err
	}
	return n, err
}

// isDataError reports whether err says something of a report or of what it comes in.
func isDataError(err error) bool { return !errors.As(err, new(inputError)) }

// dataError returns an error of a library that unpacks as one of this package's. Those of the
// underlying reader stay as they are.
func dataError(err error) error {
	switch {
	case !isDataError(err) || causes.Code(err) != "":
		return err
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return cause.Wrap(ErrTruncated, "", err)
	}
	return cause.Wrap(ErrEncoded, "", err)
}

// ProblemKind says what is wrong in a report that was read all the same.
type ProblemKind string

const (
	ProblemMarkup   ProblemKind = "markup"   // a stray "<" or "&", or tags that do not match
	ProblemOctets   ProblemKind = "octets"   // octets that are not UTF-8, or not allowed in XML
	ProblemMissing  ProblemKind = "missing"  // an element that has to be there is not, or is empty
	ProblemValue    ProblemKind = "value"    // a value that is none of those that are defined
	ProblemPeriod   ProblemKind = "period"   // the period ends before it begins
	ProblemTooMany  ProblemKind = "too-many" // a list with more entries than are kept
	ProblemTrailing ProblemKind = "trailing" // octets after the report that are no part of it
)

// A Problem is one thing that is wrong in a report that was read all the same.
type Problem struct {
	Kind    ProblemKind `json:"kind"`
	Line    int         `json:"line,omitempty"`    // of the XML document, from 1
	Element string      `json:"element,omitempty"` // such as "row/count"
	Text    string      `json:"text,omitempty"`    // what stands there, or more about it; escaped
}

// String returns the problem as one line.
func (p Problem) String() string {
	text := fmt.Sprintf("line %d: %s", p.Line, p.Kind)
	if p.Line == 0 {
		text = string(p.Kind)
	}
	if p.Element != "" {
		text += " in " + p.Element
	}
	if p.Text != "" {
		text += ": " + p.Text
	}
	return text
}

// LogValue returns what String says, as attributes.
func (p Problem) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(p.Kind)), slog.Int("line", p.Line),
		slog.String("element", p.Element), slog.String("text", p.Text))
}

// problemsListed is how many problems a report lists.
const problemsListed = 100

// problem adds a problem to a report, or counts it.
func (r *Report) problem(p Problem, more *int) {
	if len(r.Problems) < problemsListed-1 {
		r.Problems = append(r.Problems, p)
		return
	}
	*more++
	last := Problem{Kind: ProblemTooMany, Text: fmt.Sprintf("%d more problems are not listed", *more)}
	r.Problems = append(r.Problems[:problemsListed-1], last)
}
