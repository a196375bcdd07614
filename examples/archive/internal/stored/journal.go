package stored

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"

	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/received"
)

// journalField is the field of Exchange's journal reports.
const journalField = "X-MS-Journal-Report"

var errJournal = errors.New("a journal report without the message that it is about")

// unwrapJournal returns the message within a journal report, if that is what this is, and else what it
// was given.
func (c *Checker) unwrapJournal(fields []received.Field, body io.Reader, notes []string) ([]received.Field, io.Reader, []string, error) {
	isReport := false
	for _, f := range fields {
		isReport = isReport || f.Is(journalField)
	}
	if !isReport {
		return fields, body, notes, nil
	}
	if !c.Journal {
		return fields, body, append(notes, "it calls itself a journal report, and was not unwrapped: -journal does that"), nil
	}
	inner, err := reported(body)
	if err != nil {
		return nil, nil, notes, err
	}
	fields, body, err = saved.ReadHeader(inner)
	return fields, body, append(notes, "taken out of a journal report"), err
}

// reported returns the message that a journal report has attached: a stream of its octets.
func reported(report io.Reader) (io.Reader, error) {
	e, err := message.Read(bufio.NewReader(report))
	if err != nil && !message.IsUnknownCharset(err) {
		return nil, fmt.Errorf("%w: %w", errJournal, err)
	}
	parts := e.MultipartReader()
	if parts == nil {
		return nil, errJournal
	}
	for {
		part, err := parts.NextPart()
		if err != nil && !message.IsUnknownCharset(err) {
			return nil, fmt.Errorf("%w: %w", errJournal, err)
		}
		if kind, _, _ := part.Header.ContentType(); strings.EqualFold(kind, "message/rfc822") {
			return part.Body, nil
		}
	}
}
