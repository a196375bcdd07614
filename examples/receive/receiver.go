package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/receive/show"
	"github.com/mailverdict/mailverdict/examples/receive/smtpd"
	"github.com/mailverdict/mailverdict/spf"
)

// A receiver takes the mail for visitors.
type receiver struct {
	*server
	via   string // how the page calls the way that messages come
	story *story // that this program sends itself, or nil
}

// The replies.
var (
	errUnknown  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here; addresses live for 30 minutes"}
	errGone     = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "The address has been deleted"}
	errBusy     = &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "Another message for this address is under way"}
	errTooMany  = &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Too many messages from your address, try again in an hour"}
	errGuessing = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too many unknown recipients"}
)

var fromSession = envelope.Origins{IP: "SMTP session", HELO: "SMTP session", MailFrom: "SMTP session"}

// Begin implements smtpd.Receiver.
func (r *receiver) Begin(ctx context.Context, c *smtp.Conn, e dmarc.Envelope) (context.Context, smtpd.Transaction, error) {
	if r.story == nil && !r.mails.take(clientOf(e.IP), 1) {
		return nil, nil, errTooMany
	}
	m := &message{view: show.New(time.Now(), r.via, e), from: fromSession}
	if r.story != nil {
		m.view.Notes = []string{r.story.Text}
	}
	t := &transaction{message: m, receiver: r, conn: c}
	t.note(fmt.Sprintf("%s connects", e.IP))
	t.client("EHLO " + e.HELO)
	if s, ok := c.TLSConnectionState(); ok {
		t.note(fmt.Sprintf("STARTTLS: %s, %s", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite)))
	}
	t.client("MAIL FROM:<" + e.MailFrom + ">")
	t.server("250")
	t.note("SPF is being checked from here on, while the rest comes in")
	return m.watch(ctx), t, nil
}

// A transaction is a message by SMTP.
type transaction struct {
	*message
	receiver *receiver
	conn     *smtp.Conn
	rcpt     string
	answered bool // RCPT has been
	began    bool // the data has
}

func (t *transaction) client(text string) {
	t.do(func(v *show.View) template.HTML { return v.Say(false, text) })
}
func (t *transaction) server(text string) {
	t.do(func(v *show.View) template.HTML { return v.Say(true, text) })
}
func (t *transaction) note(text string) {
	t.do(func(v *show.View) template.HTML { return v.Note(text) })
}

// Rcpt takes the address of a visitor.
func (t *transaction) Rcpt(to string) error {
	v := t.receiver.visitors.byAddress(to)
	switch {
	case v == nil && guessed(t.conn, t.receiver.limits.guesses):
		return errGuessing
	case v == nil:
		return errUnknown
	case !t.belong(v):
		return errBusy
	}
	t.rcpt = to
	t.client("RCPT TO:<" + to + ">")
	return nil
}

// SPF shows the results.
func (t *transaction) SPF(mailFrom, helo *spf.Result) error {
	t.spf(mailFrom, helo)
	t.answer()
	return nil
}

// answer says that the recipient was taken: with SPF, or without it where SPF takes long.
func (t *transaction) answer() {
	if !t.answered {
		t.answered = true
		t.server("250")
	}
}

// Write takes the message.
func (t *transaction) Write(p []byte) (int, error) {
	if !t.began {
		t.began = true
		t.answer()
		t.client("DATA")
		t.server("354")
	}
	return t.message.Write(p)
}

// End shows the verdict.
func (t *transaction) End(r *dmarc.Result, err error) error {
	if t.visitor == nil {
		return err
	}
	if r == nil {
		t.fail(reason(err))
		return err
	}
	t.note(fmt.Sprintf("%d octets of header, %d of body", t.header, t.octets))
	t.client(".")
	reply := "250"
	var refused *smtp.SMTPError
	if errors.As(err, &refused) {
		reply = fmt.Sprintf("%d %d.%d.%d %s", refused.Code, refused.EnhancedCode[0], refused.EnhancedCode[1], refused.EnhancedCode[2], refused.Message)
	}
	t.server(reply)
	t.finish(r, t.receiver.authservID)
	if t.receiver.story == nil {
		t.receiver.record(r, t.rcpt, refused != nil, t.result())
	}
	t.receiver.log.Info("message", slog.String("via", t.receiver.via), slog.Any("result", r.DMARC))
	return err
}

// reason says why a message did not come to its end, without the sender's words.
func reason(err error) string {
	var refused *smtp.SMTPError
	switch {
	case errors.Is(err, context.Canceled):
		return "the client gave it up"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the client went away"
	case errors.As(err, &refused):
		return refused.Message
	}
	return "the connection failed"
}
