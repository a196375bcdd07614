package failure

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/internal/cause"
)

// Bounds of a report. Real ones have three parts.
const (
	maxParts    = 100
	maxLayers   = 8         // of parts in one another
	maxText     = 64 << 10  // octets of the text for people
	maxHeader   = 256 << 10 // octets of one header
	maxFields   = 1000
	maxProblems = 100
)

// Read reads the failure report in a mail. The error is that of the underlying reader, or wraps
// ErrNoReport or ErrLimit. Whatever else is wrong is in Problems.
func Read(in io.Reader) (*Report, error) {
	source := &input{in: in}
	p := &parser{report: &Report{Incidents: 1}}
	e, err := message.Read(skipMailboxLine(source))
	if e == nil {
		if source.err != nil {
			return nil, source.err
		}
		return nil, cause.Wrap(ErrNoReport, "", err)
	}
	p.outer(e)
	p.part(e, 0)
	switch {
	case source.err != nil:
		return nil, source.err
	case p.parts > maxParts:
		return nil, cause.Wrap(ErrLimit, fmt.Sprint(maxParts), nil)
	case !p.isReport():
		return nil, ErrNoReport
	}
	p.conclude()
	return p.report, nil
}

// skipMailboxLine skips the line that a mailbox file has before a mail.
func skipMailboxLine(in io.Reader) *bufio.Reader {
	b := bufio.NewReader(in)
	if line, _ := b.Peek(6); strings.HasPrefix(strings.TrimPrefix(string(line), ">"), "From ") {
		_, _ = b.ReadSlice('\n') // its error comes again
	}
	return b
}

// An input keeps the error of the underlying reader.
type input struct {
	in  io.Reader
	err error
}

func (i *input) Read(p []byte) (int, error) {
	n, err := i.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		i.err = err
	}
	return n, err
}

// A parser reads one mail.
type parser struct {
	report *Report
	parts  int

	declared bool   // the mail says that it is a feedback report
	text     string // for people
	attached bool   // there is a message, or its header
}

// outer takes what the mail says itself.
func (p *parser) outer(e *message.Entity) {
	h := mail.Header{Header: e.Header}
	p.report.From, p.report.Subject = clean(h.Get("From")), clean(h.Get("Subject"))
	if subject, err := h.Subject(); err == nil {
		p.report.Subject = clean(subject)
	}
	if date, err := h.Date(); err == nil {
		p.report.Date = date.UTC()
	}
}

// part reads one part, or the parts of which it is made.
func (p *parser) part(e *message.Entity, layer int) {
	if p.parts++; p.parts > maxParts || layer > maxLayers {
		return
	}
	p.declared = p.declared || isFeedback(e)
	if parts := e.MultipartReader(); parts != nil {
		p.all(parts, layer)
		return
	}
	switch kind, _, _ := e.Header.ContentType(); kind {
	case "message/feedback-report":
		p.report.Structured = true
		p.feedback(p.fields(e.Body, false))
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		p.message(e, layer)
	case "text/plain", "":
		if p.text == "" {
			b, _ := io.ReadAll(io.LimitReader(e.Body, maxText)) // as far as it can be read
			p.text = string(b)
		}
	}
}

// message takes an attached message, or the header of one. It is the one that failed, unless the mail
// that it is attached to is no report and it is: then a report was forwarded.
func (p *parser) message(e *message.Entity, layer int) {
	if p.attached {
		return
	}
	body := bufio.NewReaderSize(e.Body, maxHeader)
	if !p.declared && !p.report.Structured {
		head, _ := body.Peek(maxHeader)
		if forwarded, _ := message.Read(bytes.NewReader(head)); forwarded != nil && isFeedback(forwarded) {
			if forwarded, _ = message.Read(body); forwarded != nil {
				p.part(forwarded, layer+1)
			}
			return
		}
	}
	p.attached = true
	p.report.Header = p.fields(body, true)
}

// isFeedback reports whether a mail says that it is a feedback report.
func isFeedback(e *message.Entity) bool {
	kind, parameters, _ := e.Header.ContentType()
	return kind == "multipart/report" && strings.EqualFold(parameters["report-type"], "feedback-report")
}

func (p *parser) all(parts message.MultipartReader, layer int) {
	for p.parts <= maxParts {
		next, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return
		case next == nil:
			p.problem(ProblemMIME, "", visible(err.Error()))
			return
		}
		p.part(next, layer+1)
	}
}

// isReport reports whether the mail is a failure report at all: it says so, or has a part that is
// one, or its text says where a message came from.
func (p *parser) isReport() bool {
	if p.report.Structured || p.declared {
		return true
	}
	p.people()
	return p.report.Source.IsValid()
}

// conclude fills in what only the message or the text says.
func (p *parser) conclude() {
	r := p.report
	p.people()
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, "From") {
			if a := author.Parse(f.Body); len(a.Domains) == 1 {
				r.AuthorDomain = a.Domains[0]
			}
			break
		}
	}
	if r.AuthorDomain == "" && len(r.Domains) == 1 {
		r.AuthorDomain = r.Domains[0]
	}
	if !r.Source.IsValid() {
		p.problem(ProblemNoSource, "", "")
	}
}

func (p *parser) problem(kind ProblemKind, field, text string) {
	if len(p.report.Problems) < maxProblems {
		p.report.Problems = append(p.report.Problems, Problem{kind, field, text})
	}
}
