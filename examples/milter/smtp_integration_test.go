//go:build integration

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// A sink is an SMTP server that takes everything.
type sink struct {
	t        *testing.T
	listener net.Listener
	mu       sync.Mutex
	mail     map[string][]string // messages by their X-Case field
}

func newSink(t *testing.T) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &sink{t: t, listener: l, mail: map[string][]string{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *sink) port() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return port
}

func (s *sink) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	c := textproto.NewConn(conn)
	_ = c.PrintfLine("220 sink.example.com ESMTP")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch verb {
		case "EHLO":
			_ = c.PrintfLine("250-sink.example.com\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 0")
		case "DATA":
			_ = c.PrintfLine("354 go on")
			text, err := readData(c.R)
			if err != nil {
				return
			}
			s.take(text)
			_ = c.PrintfLine("250 taken")
		case "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		default:
			_ = c.PrintfLine("250 ok")
		}
	}
}

// readData reads a message as it is on the wire, without the dots that were stuffed.
func readData(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return "", err
		case line == ".\r\n":
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

func (s *sink) take(text string) {
	_, rest, _ := strings.Cut(text, "\r\nX-Case: ")
	name, _, _ := strings.Cut(rest, "\r\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mail[name] = append(s.mail[name], text)
}

func (s *sink) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mail[name])
}

// delivered waits for the first message of a case.
func (r *rig) delivered(name string) string {
	r.t.Helper()
	r.await("delivery of "+name, func() bool { return r.sink.count(name) > 0 })
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	return r.sink.mail[name][0]
}

// A dialogue is an SMTP session with Postfix.
type dialogue struct {
	r    *rig
	conn *textproto.Conn
}

// dial begins a session, as a client with XCLIENT attributes such as "ADDR=192.0.2.7".
func (r *rig) dial(xclient string) *dialogue {
	r.t.Helper()
	d, err := r.tryDial(xclient)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = d.conn.Close() })
	return d
}

func (r *rig) tryDial(xclient string) (*dialogue, error) {
	raw, err := net.DialTimeout("tcp", r.smtp, 20*time.Second)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(2 * time.Minute))
	d := &dialogue{r, textproto.NewConn(raw)}
	if _, _, err := d.conn.ReadResponse(220); err != nil {
		return nil, err
	}
	for _, command := range []string{"EHLO client.test", "XCLIENT " + xclient, "EHLO mail.sender.test"} {
		if got := d.say("%s", command); got[0] != '2' {
			return nil, fmt.Errorf("%s: %s", command, got)
		}
	}
	return d, nil
}

// say sends a command and returns the reply on one line.
func (d *dialogue) say(format string, args ...any) string {
	if err := d.conn.PrintfLine(format, args...); err != nil {
		return "broken: " + err.Error()
	}
	return d.reply()
}

func (d *dialogue) reply() string {
	code, text, err := d.conn.ReadResponse(0)
	if err != nil {
		return "broken: " + err.Error()
	}
	return fmt.Sprintf("%d %s", code, strings.ReplaceAll(text, "\n", " / "))
}

// send sends a message and returns the reply to it, or the first that is none of success.
func (d *dialogue) send(from, text string, to ...string) string {
	if got := d.say("MAIL FROM:%s", from); got[0] != '2' {
		return got
	}
	for _, rcpt := range to {
		if got := d.say("RCPT TO:<%s>", rcpt); got[0] != '2' {
			return got
		}
	}
	if got := d.say("DATA"); got[0] != '3' {
		return got
	}
	w := d.conn.DotWriter()
	if _, err := io.WriteString(w, text); err != nil {
		return "broken: " + err.Error()
	}
	_ = w.Close()
	return d.reply()
}

// queueID takes the queue id out of Postfix's reply.
func queueID(reply string) string { return reply[strings.LastIndexByte(reply, ' ')+1:] }
