package main

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/emersion/go-smtp"
)

// postStory has a story sent to a visitor. A visitor is made if there is none.
func (s *server) postStory(w http.ResponseWriter, r *http.Request, v *visitor) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	story := s.story(r.PostFormValue("story"))
	if story == nil {
		s.showWay(w, http.StatusBadRequest, "stories", v, "There is no such story.")
		return
	}
	if v != nil && v.isBusy() {
		s.showWay(w, http.StatusTooManyRequests, "stories", v, capital(errUnderWay.Error())+".")
		return
	}
	free := s.checks.take(s.client(r))
	if free == nil {
		s.showWay(w, http.StatusTooManyRequests, "stories", v, capital(errChecks.Error())+".")
		return
	}
	if v == nil {
		if v = s.newVisitor(w, r); v == nil {
			free()
			return
		}
	}
	go func() {
		defer free()
		if err := s.play(story, v.address()); err != nil {
			s.log.Info("story", "name", story.Name, "reply", err)
		}
	}()
	http.Redirect(w, r, v.path(), http.StatusSeeOther)
}

// play sends a story to an address: SMTP over a connection within this program, whose client has the
// address that the story tells.
func (s *server) play(story *story, address string) error {
	ours, theirs := net.Pipe()
	listener := newOneConn(storyConn{theirs, net.TCPAddrFromAddrPort(netip.AddrPortFrom(story.said.IP, 25252))})
	server := s.smtpServer(story.verifier, &receiver{server: s, via: "a story, by SMTP", story: story})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		<-served
	}()
	client := smtp.NewClient(ours)
	defer client.Close()
	if err := client.Hello(*story.said.HELO); err != nil {
		return err
	}
	if err := client.Mail(*story.said.MailFrom, &smtp.MailOptions{UTF8: true}); err != nil {
		return err
	}
	if err := client.Rcpt(address, nil); err != nil {
		return err
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := bytes.NewReader(story.message).WriteTo(data); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// A storyConn is a connection from the client of a story.
type storyConn struct {
	net.Conn
	client net.Addr
}

func (c storyConn) RemoteAddr() net.Addr { return c.client }

// A oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newOneConn(c net.Conn) *oneConn {
	l := &oneConn{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conn <- c
	return l
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
