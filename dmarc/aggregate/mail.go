package aggregate

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/emersion/go-message"
)

// mail reads the parts of a mail: those that are a report, or hold one, wherever they stand.
func (s *source) mail(in *bufio.Reader, layer int) {
	skipMailboxLine(in)
	e, err := message.Read(in)
	if e == nil {
		s.noReport(dataError(err))
		return
	}
	s.part(e, layer)
}

// skipMailboxLine skips what a mailbox file has before a mail: empty lines, a byte order mark, and
// the line that begins with "From ".
func skipMailboxLine(in *bufio.Reader) {
	for {
		line, err := in.Peek(6)
		switch {
		case bytes.HasPrefix(line, []byte("\ufeff")):
			in.Discard(len("\ufeff"))
		case len(line) > 0 && (line[0] == '\r' || line[0] == '\n'):
			in.Discard(1)
		case bytes.HasPrefix(line, []byte("From ")), bytes.HasPrefix(line, []byte(">From ")):
			if _, err := in.ReadSlice('\n'); err != nil {
				return
			}
		default:
			return
		}
		if err != nil {
			return
		}
	}
}

// part reads one part of a mail, or the parts of which it is made.
func (s *source) part(e *message.Entity, layer int) {
	if s.parts++; s.parts > maxParts {
		s.fail(exceeds("parts", maxParts))
		return
	}
	kind, parameters, _ := e.Header.ContentType()
	switch {
	case kind == "multipart/report" && strings.EqualFold(parameters["report-type"], "feedback-report"),
		kind == "message/feedback-report":
		s.other = ErrFailureReport
	case kind == "multipart/report" && strings.EqualFold(parameters["report-type"], "tlsrpt"):
		s.other = ErrTLSReport
	}
	parts := e.MultipartReader()
	if parts == nil {
		s.read(e.Body, layer+1)
		return
	}
	if layer >= maxLayers {
		s.fail(exceeds("layers", maxLayers))
		return
	}
	for !s.ended() {
		next, err := parts.NextPart()
		switch {
		case err == io.EOF:
			return
		case next == nil:
			s.noReport(dataError(err))
			return
		}
		s.part(next, layer+1)
	}
}
