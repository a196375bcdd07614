package send_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
)

// A server answers the commands of one SMTP session with what it is told to, by the beginning of the
// command; "." is the end of a mail.
type server struct {
	answers map[string]string
	got     chan string // all that the client sent
}

func (s *server) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.got = make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		s.got <- s.serve(conn)
	}()
	return l.Addr().String()
}

func (s *server) serve(conn net.Conn) string {
	var got strings.Builder
	in := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 ready\r\n")
	data := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return got.String()
		}
		got.WriteString(line)
		if data && line != ".\r\n" {
			continue
		}
		data = false
		answer := "250 ok"
		for prefix, other := range s.answers {
			if strings.HasPrefix(line, prefix) {
				answer = other
			}
		}
		if answer == "" {
			continue // it hangs
		}
		fmt.Fprint(conn, answer+"\r\n")
		data = strings.HasPrefix(answer, "354")
		if strings.HasPrefix(line, "QUIT") {
			return got.String()
		}
	}
}

func mailBy(t *testing.T, answers map[string]string, timeout time.Duration) (string, error) {
	t.Helper()
	s := &server{answers: answers}
	if answers["DATA"] == "" {
		answers["DATA"] = "354 go on"
	}
	m := &send.SMTP{Addr: s.listen(t), HELO: "mail.receiver.example"}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	err := m.Mail(ctx, "b+1@receiver.example", []string{"x@a.example", "y@a.example"}, []byte("Subject: x\r\n\r\n.\r\nbody\r\n"))
	select {
	case got := <-s.got:
		return got, err
	case <-time.After(10 * time.Second):
		t.Fatal("the session does not end")
		return "", nil
	}
}

func TestSMTPHandsAMailOver(t *testing.T) {
	got, err := mailBy(t, map[string]string{"EHLO": "250-mail\r\n250 SIZE 1000000"}, time.Minute)
	want := "EHLO mail.receiver.example\r\nMAIL FROM:<b+1@receiver.example>\r\nRCPT TO:<x@a.example>\r\nRCPT TO:<y@a.example>\r\n" +
		"DATA\r\nSubject: x\r\n\r\n..\r\nbody\r\n.\r\nQUIT\r\n"
	if err != nil || got != want {
		t.Errorf("error %v, session\n%s\nwant\n%s", err, got, want)
	}
}

func TestSMTPNeedsOneRecipient(t *testing.T) {
	if _, err := mailBy(t, map[string]string{"RCPT TO:<x": "550 no such user"}, time.Minute); err != nil {
		t.Errorf("one of two is refused: %v", err)
	}
	got, err := mailBy(t, map[string]string{"RCPT": "550 no such user"}, time.Minute)
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code != 550 || strings.Contains(got, "DATA") {
		t.Errorf("both are refused: %v, session\n%s", err, got)
	}
}

func TestSMTPTellsHowLargeAMailMayBe(t *testing.T) {
	got, err := mailBy(t, map[string]string{"EHLO": "250-mail\r\n250 SIZE 10"}, time.Minute)
	var size *send.SizeError
	if !errors.As(err, &size) || size.Max != 10 || strings.Contains(got, "MAIL") {
		t.Errorf("error %v, session\n%s", err, got)
	}
	for _, announced := range []string{"SIZE", "SIZE 0", "SIZE x"} {
		if _, err := mailBy(t, map[string]string{"EHLO": "250-mail\r\n250 " + announced}, time.Minute); err != nil {
			t.Errorf("%s: %v", announced, err)
		}
	}
}

func TestSMTPFails(t *testing.T) {
	for _, answers := range []map[string]string{
		{"EHLO": "421 no", "HELO": "421 no"}, {"MAIL": "451 later"}, {"DATA": "451 later"}, {".": "452 full"},
	} {
		var reply *textproto.Error
		if _, err := mailBy(t, answers, time.Minute); !errors.As(err, &reply) || reply.Code/100 != 4 {
			t.Errorf("%v: error %v", answers, err)
		}
	}
	if _, err := mailBy(t, map[string]string{"MAIL": ""}, 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that hangs: %v", err)
	}
	if err := (&send.SMTP{Addr: "127.0.0.1:1"}).Mail(t.Context(), "", nil, nil); err == nil {
		t.Error("no server: no error")
	}
}
