package send

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/smtp"
	"strconv"
	"strings"
)

// SMTP is a Mailer that hands mails to one server, as a rule the receiver's own, which then delivers
// them: RFC 5321.
type SMTP struct {
	Addr string // host and port; default "localhost:25"
	HELO string // default "localhost"

	// TLS, if it is set, is for STARTTLS, which the server has to offer then. Leave it nil for
	// a server on the same host.
	TLS *tls.Config
}

// Mail implements [Mailer].
func (m *SMTP) Mail(ctx context.Context, from string, to []string, message []byte) error {
	addr := m.Addr
	if addr == "" {
		addr = "localhost:25"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	err = m.session(conn, addr, from, to, message)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (m *SMTP) session(conn net.Conn, addr, from string, to []string, message []byte) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	defer c.Close()
	helo := m.HELO
	if helo == "" {
		helo = "localhost"
	}
	if err := c.Hello(helo); err != nil {
		return err
	}
	if m.TLS != nil {
		config := m.TLS.Clone()
		if config.ServerName == "" {
			config.ServerName = host
		}
		if err := c.StartTLS(config); err != nil {
			return err
		}
	}
	if ok, parameter := c.Extension("SIZE"); ok {
		if most, err := strconv.Atoi(strings.TrimSpace(parameter)); err == nil && most > 0 && len(message) > most {
			return &SizeError{Max: most}
		}
	}
	return deliver(c, from, to, message)
}

// deliver sends the mail to those recipients that the server takes, of whom there has to be one.
func deliver(c *smtp.Client, from string, to []string, message []byte) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	taken := 0
	var refused error
	for _, recipient := range to {
		if err := c.Rcpt(recipient); err != nil {
			refused = errors.Join(refused, err)
		} else {
			taken++
		}
	}
	if taken == 0 {
		return refused
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the mail was taken
	return nil
}
