package dkim

import (
	"context"
	"sync"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/message"
)

// Errors of the calls of a Session. They stay: after one, every call returns it.
var (
	// ErrOrder: the header came by Write and by WriteField, or a field came after
	// the header.
	ErrOrder = message.ErrOrder

	// ErrClosed: Finish came after Close, or Write after one of them.
	ErrClosed = message.ErrClosed
)

// A Session is a message on its way through a Verifier. It is an io.Writer for the
// octets of the message. A program that gets the header field by field, as a milter
// does, calls WriteField for each field and then EndHeader, and Write for the body
// alone.
//
// Finish ends a Session with results, and Close gives it up. A Session is for one
// goroutine, and must not be copied.
type Session struct {
	_     [0]sync.Mutex // for go vet, which then sees copies
	*work               // nil once the session has ended

	// When the session has ended.
	results []*Result
	err     error
}

// work is what a Session needs until it has ended. No result refers to it, so that its memory
// serves another Session then.
type work struct {
	verifier   *Verifier
	ctx        context.Context
	message    *message.Message
	questions  ask.Group
	signatures signatures
}

// Write takes the next octets of the message. It fails if the header exceeds a limit
// (ErrLimit), if the context has ended, and after Finish or Close (ErrClosed).
func (s *Session) Write(p []byte) (int, error) {
	if err := s.open(); err != nil {
		return 0, err
	}
	n, err := s.message.Write(p)
	return n, failure(err)
}

// WriteField takes the next field of the header. name is what stands before the colon,
// and value what stands after it, its first space included. In a fold, an LF without a
// CR, as milters get it, is read as CRLF. WriteField fails as Write does, and after a
// Write (ErrOrder).
func (s *Session) WriteField(name, value string) error {
	if err := s.open(); err != nil {
		return err
	}
	return failure(s.message.WriteField(name, value))
}

// EndHeader ends a header that came by WriteField. What is written after it is the body.
func (s *Session) EndHeader() error {
	if err := s.open(); err != nil {
		return err
	}
	return failure(s.message.EndHeader())
}

// open returns why the session takes nothing more, or nil.
func (s *Session) open() error {
	if s.work == nil {
		return ErrClosed
	}
	if err := s.ctx.Err(); err != nil {
		return failure(s.message.Fail(err))
	}
	return nil
}

// Finish ends the message and returns a result for every DKIM-Signature field,
// topmost first. Called again, it returns the same.
//
// The error says why the message was not read to its end: a context that ended, a
// header that exceeds a limit, or calls in the wrong order. Results are then returned
// only if the header was read, and signatures that it does not refuse are
// StatusTempError, ErrInterrupted. After Close, Finish returns ErrClosed.
func (s *Session) Finish() ([]*Result, error) {
	if s.work != nil {
		s.err = failure(s.message.End())
		s.results = s.signatures.finish()
		s.end()
	}
	return s.results, s.err
}

// Close gives up a message that is not finished: it ends the questions that are under
// way, and waits for them. After Finish it does nothing, so that it may always be
// deferred. It returns nil.
func (s *Session) Close() error {
	if s.work != nil {
		s.err = ErrClosed
		s.end()
	}
	return nil
}

// end ends what still runs, and gives the memory of the message back.
func (s *Session) end() {
	s.questions.Close()
	s.verifier.messages.Put(s.message)
	s.verifier.works.Put(s.work)
	s.work = nil
}

// failure returns the error of a message as this package's.
func failure(err error) error {
	if header.Exceeded(err) {
		return cause.Wrap(ErrLimit, "", err)
	}
	return err
}
