// Package smtpd receives mail: a backend for go-smtp that checks every message by a dmarc.Verifier
// while it arrives. SPF begins at MAIL FROM, and nothing of the message is held.
package smtpd

import (
	"context"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// A Backend makes go-smtp sessions. It is safe for concurrent use.
type Backend struct {
	Verifier *dmarc.Verifier
	Receiver Receiver
	Reject   bool // refuse what the verdict recommends to refuse
}

// A Receiver takes messages. An *smtp.SMTPError that it returns is the reply.
type Receiver interface {
	// Begin is told of MAIL FROM before a check begins. The checks have the context that it
	// returns: ctx, or one made of it. After a nil error, End of the Transaction is called once.
	Begin(ctx context.Context, c *smtp.Conn, e dmarc.Envelope) (context.Context, Transaction, error)
}

// A Transaction is a message on its way. It must not close the connection.
type Transaction interface {
	Rcpt(to string) error
	SPF(mailFrom, helo *spf.Result) error // at the first RCPT that is taken, if it is known by then
	io.Writer                             // the message, as it arrives

	// End returns the reply. R is nil if the message did not come to its end; err says why it did
	// not (context.Canceled: the client gave it up), or why it is refused.
	End(r *dmarc.Result, err error) error
}

// NewSession implements smtp.Backend.
func (b *Backend) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{Backend: b, conn: c}, nil
}

type session struct {
	*Backend
	conn    *smtp.Conn
	mu      sync.Mutex // go-smtp runs Data for BDAT, and Logout, beside the other calls
	message *message
}

type message struct {
	Transaction
	check *dmarc.Session
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.Reset()
	client, _ := netip.ParseAddrPort(s.conn.Conn().RemoteAddr().String())
	e := dmarc.Envelope{IP: client.Addr().Unmap(), HELO: s.conn.Hostname(), MailFrom: from}
	ctx, t, err := s.Receiver.Begin(context.Background(), s.conn, e)
	if err != nil {
		return err
	}
	s.swap(&message{t, s.Verifier.Begin(ctx, e)})
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.message == nil {
		return smtp.ErrDataReset
	}
	if err := s.message.Rcpt(to); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if mailFrom, helo, err := s.message.check.SPF(ctx); err == nil {
		return s.message.SPF(mailFrom, helo)
	}
	return nil // SPF takes long: Finish waits for it
}

func (s *session) Data(r io.Reader) error {
	m := s.swap(nil)
	if m == nil {
		return smtp.ErrDataReset
	}
	few := make([]byte, 4<<10) // go-smtp fills what it is given, and the header should not wait for the body
	if _, err := io.CopyBuffer(io.MultiWriter(m.check, m), r, few); err != nil {
		m.check.Close()
		return m.End(nil, err)
	}
	result, err := m.check.Finish()
	if reply, refuse := result.SMTPReply(); refuse && s.Reject && err == nil {
		err = &smtp.SMTPError{Code: reply.Code, EnhancedCode: reply.EnhancedCode, Message: reply.Text}
	}
	return m.End(result, err)
}

func (s *session) Reset() {
	if m := s.swap(nil); m != nil {
		m.check.Close()
		m.End(nil, context.Canceled)
	}
}

func (s *session) Logout() error { s.Reset(); return nil }

func (s *session) swap(next *message) (last *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, s.message = s.message, next
	return last
}
