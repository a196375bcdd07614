package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"
)

// imapFlags say how to log in to an IMAP server, and what to do there with what was read.
type imapFlags struct {
	passwordFile string
	tokenCommand string
	rootFile     string
	seen         bool
	moveRead     string
	moveUnread   string
}

func (o *imapFlags) define(set *flag.FlagSet) {
	set.StringVar(&o.passwordFile, "imap-password", "", "IMAP: a `FILE` with the password")
	set.StringVar(&o.tokenCommand, "imap-token", "", "IMAP: a `COMMAND` of the shell that prints an OAuth 2 access token (XOAUTH2), for Gmail and Exchange")
	set.StringVar(&o.rootFile, "imap-ca", "", "IMAP: trust the certificates in this PEM `FILE`, in place of the system's")
	set.BoolVar(&o.seen, "imap-seen", false, "IMAP: read messages that are marked as seen or flagged too")
	set.StringVar(&o.moveRead, "imap-move", "", "IMAP: move what was stored into this `FOLDER`, in place of marking it as seen")
	set.StringVar(&o.moveUnread, "imap-move-unread", "", "IMAP: move what could not be read into this `FOLDER`, in place of flagging it")
}

// A remote is an IMAP mailbox, named by a URL: imaps://USER@HOST/FOLDER. With imap:// the connection is
// encrypted by STARTTLS.
type remote struct {
	url    *url.URL
	folder string
	flags  imapFlags
	client *client.Client
	stop   func() bool // ends the watch over a context
}

// imapURL returns the URL that an argument is, or nil.
func imapURL(argument string) (*url.URL, error) {
	if !strings.HasPrefix(argument, "imaps://") && !strings.HasPrefix(argument, "imap://") {
		return nil, nil
	}
	u, err := url.Parse(argument)
	switch {
	case err != nil:
		return nil, errors.New("an IMAP address that is no URL")
	case u.Hostname() == "" || u.User.Username() == "":
		return nil, fmt.Errorf("%s: an IMAP address is imaps://USER@HOST/FOLDER, with %%40 for the @ in USER", u.Redacted())
	}
	if _, has := u.User.Password(); has {
		return nil, fmt.Errorf("%s: the password does not go there, where others see it: -imap-password", u.Redacted())
	}
	return u, nil
}

// imapTimeout is how long a command may take.
const imapTimeout = 2 * time.Minute

// open connects, logs in and selects the folder.
func (o *imapFlags) open(ctx context.Context, u *url.URL, writable bool) (*remote, error) {
	r := &remote{url: u, flags: *o, folder: cmp.Or(strings.Trim(u.Path, "/"), "INBOX")}
	err := r.connect(ctx)
	if err == nil {
		err = r.login(ctx)
	}
	if err == nil {
		_, err = r.client.Select(r.folder, !writable)
	}
	if err == nil && writable {
		err = r.folders()
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("%s: %w", u.Redacted(), err)
	}
	return r, nil
}

func (r *remote) connect(ctx context.Context) error {
	config := &tls.Config{ServerName: r.url.Hostname()}
	if r.flags.rootFile != "" {
		text, err := os.ReadFile(r.flags.rootFile)
		if err != nil {
			return err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("-imap-ca %s: no certificate in it", r.flags.rootFile)
		}
	}
	port := map[string]string{"imaps": "993", "imap": "143"}[r.url.Scheme]
	conn, err := (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(r.url.Hostname(), cmp.Or(r.url.Port(), port)))
	if err != nil {
		return err
	}
	r.stop = context.AfterFunc(ctx, func() { conn.Close() }) // a command that waits then fails
	if r.url.Scheme == "imaps" {
		conn = tls.Client(conn, config)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second)) // for the greeting
	if r.client, err = client.New(conn); err != nil {
		conn.Close()
		return err
	}
	conn.SetDeadline(time.Time{})
	r.client.Timeout = imapTimeout
	if r.url.Scheme == "imap" {
		return r.client.StartTLS(config)
	}
	return nil
}

// login logs in by password or token.
func (r *remote) login(ctx context.Context) error {
	user := r.url.User.Username()
	switch {
	case r.flags.tokenCommand != "":
		command := exec.CommandContext(ctx, "/bin/sh", "-c", r.flags.tokenCommand)
		command.Stderr = os.Stderr
		token, err := command.Output()
		if err != nil {
			return fmt.Errorf("-imap-token: %w", err)
		}
		return r.client.Authenticate(&xoauth2{user: user, token: strings.TrimSpace(string(token))})
	case r.flags.passwordFile != "":
		password, err := os.ReadFile(r.flags.passwordFile)
		if err != nil {
			return fmt.Errorf("-imap-password %s: %w", r.flags.passwordFile, cause(err))
		}
		return r.client.Login(user, strings.TrimRight(string(password), "\r\n"))
	}
	return errors.New("an IMAP mailbox needs -imap-password or -imap-token")
}

// xoauth2 is the SASL mechanism of that name, which is Google's and Microsoft's.
type xoauth2 struct{ user, token string }

// Start implements sasl.Client.
func (a *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + a.user + "\x01auth=Bearer " + a.token + "\x01\x01"), nil
}

// Next implements sasl.Client. The server has a challenge where it refuses: an empty answer ends that.
func (a *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

// folders makes those folders that messages are moved into, where they do not exist.
func (r *remote) folders() error {
	for _, folder := range []string{r.flags.moveRead, r.flags.moveUnread} {
		if folder == "" {
			continue
		}
		if can, err := r.client.Support("MOVE"); err != nil || !can {
			return cmp.Or(err, errors.New("the server cannot move messages (RFC 6851): leave -imap-move away, then they are marked"))
		}
		found := make(chan *imap.MailboxInfo, 10)
		if err := r.client.List("", folder, found); err != nil {
			return err
		}
		if _, exists := <-found; !exists {
			if err := r.client.Create(folder); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *remote) close() {
	if r.client != nil {
		_ = r.client.Logout() // what matters was answered
	}
	if r.stop != nil {
		r.stop()
	}
}
