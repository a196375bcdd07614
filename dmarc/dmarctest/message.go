package dmarctest

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
)

// A Message is a plain text message, for tests that say no more of it than matters to
// them. A field that is left empty has a default, but for From: a message without it has
// no From field.
type Message struct {
	From    string    // body of the From field, as it is to stand there
	To      string    // body of the To field; default receiver@receiver.example
	Subject string    // may be any UTF-8, which is encoded; default "Test"
	Date    time.Time // default is time.Now
	Body    string    // UTF-8, which is encoded, with lines that end in LF or CRLF; default "Hello.\n"

	// Header are more fields, each "Name: body" without the last CRLF, that stand above
	// the others. They are written as they are, so that they can be wrong.
	Header []string
}

// Bytes returns the message as SMTP carries it: every line ends in CRLF. The Message-ID is
// always the same, so that equal Messages with a Date have equal bytes.
func (m Message) Bytes(t testing.TB) []byte {
	t.Helper()
	var h mail.Header
	// The header is written from the field that was added last to the first.
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.SetMessageID("message@sender.example")
	h.SetDate(m.Date)
	if m.Date.IsZero() {
		h.SetDate(time.Now())
	}
	h.SetSubject(or(m.Subject, "Test"))
	h.Set("To", or(m.To, "receiver@receiver.example"))
	if m.From != "" {
		h.Set("From", m.From)
	}
	h.Set("MIME-Version", "1.0")
	for i := len(m.Header) - 1; i >= 0; i-- {
		h.AddRaw([]byte(m.Header[i] + "\r\n"))
	}

	var b bytes.Buffer
	if err := m.write(&b, h); err != nil {
		t.Fatalf("message from %q: %v", m.From, err)
	}
	return b.Bytes()
}

func (m Message) write(b *bytes.Buffer, h mail.Header) error {
	w, err := mail.CreateSingleInlineWriter(b, h)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, or(m.Body, "Hello.\n")); err != nil {
		return err
	}
	return w.Close()
}

func or(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}

// wireLines returns a message as SMTP would carry it. If the first line ends in an LF
// without a CR the message is a Unix file, and every LF becomes CRLF; otherwise it stays as
// it is, as the verifier will read it.
func wireLines(message []byte) []byte {
	end := bytes.IndexByte(message, '\n')
	if end < 0 || end > 0 && message[end-1] == '\r' {
		return message
	}
	return bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n"))
}
