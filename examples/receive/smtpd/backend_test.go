package smtpd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/receive/smtpd"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A postbox is a Receiver that writes down what it is told.
type postbox struct {
	mu    sync.Mutex
	told  []string
	ended chan *dmarc.Result
	why   error // of the last End
}

func (p *postbox) tell(format string, v ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, fmt.Sprintf(format, v...))
}

func (p *postbox) list() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.told, "\n")
}

func (p *postbox) Begin(ctx context.Context, _ *smtp.Conn, e dmarc.Envelope) (context.Context, smtpd.Transaction, error) {
	if e.MailFrom == "nobody@refused.example" {
		return nil, nil, &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Not from you"}
	}
	p.tell("begin %s %s %s", e.IP, e.HELO, e.MailFrom)
	return ctx, &mail{postbox: p}, nil
}

type mail struct {
	*postbox
	text strings.Builder
}

func (m *mail) Rcpt(to string) error {
	if !strings.HasSuffix(to, "@here.example") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address"}
	}
	m.tell("rcpt %s", to)
	return nil
}

func (m *mail) SPF(mailFrom, _ *spf.Result) error {
	m.tell("spf %s", mailFrom.Status)
	return nil
}

func (m *mail) Write(p []byte) (int, error) { return m.text.Write(p) }

func (m *mail) End(r *dmarc.Result, err error) error {
	m.tell("end %v, %d octets", r != nil, m.text.Len())
	m.mu.Lock()
	m.why = err
	m.mu.Unlock()
	m.ended <- r
	return err
}

var dns = resolver.Zone{
	"local.example":         {TXT: []string{"v=spf1 ip4:127.0.0.1 -all"}},
	"_dmarc.local.example":  {TXT: []string{"v=DMARC1; p=reject"}},
	"strict.example":        {TXT: []string{"v=spf1 -all"}},
	"_dmarc.strict.example": {TXT: []string{"v=DMARC1; p=reject"}},
	"_dmarc.down.example":   {Fault: resolver.Fault{Err: resolver.ErrServFail}},
}

// serve starts a server, and returns its address and what its receiver is told.
func serve(t *testing.T, reject bool) (string, *postbox) {
	t.Helper()
	box := &postbox{ended: make(chan *dmarc.Result, 10)}
	server := smtp.NewServer(&smtpd.Backend{Verifier: &dmarc.Verifier{Resolver: dns}, Receiver: box, Reject: reject})
	server.Domain = "here.example"
	server.MaxMessageBytes = 1 << 20
	server.EnableSMTPUTF8 = true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), box
}

// talk says lines to a server, and returns the first line of each reply.
func talk(t *testing.T, address string, lines ...string) (c net.Conn, replies []string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(c)
	reply := func() {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				replies = append(replies, err.Error())
				return
			}
			if line[3] == ' ' {
				replies = append(replies, strings.TrimSpace(line))
				return
			}
		}
	}
	reply()
	for _, line := range lines {
		if _, err := io.WriteString(c, line+"\r\n"); err != nil {
			t.Fatal(err)
		}
		reply()
	}
	return c, replies
}

// message is a message from a domain, with its final dot.
func message(domain string) string { return "From: a@" + domain + "\r\n\r\nHi\r\n." }

func TestRepliesAreByDispositionWhereAsked(t *testing.T) {
	for _, tt := range []struct {
		name, domain     string
		reply, withoutIt string
	}{
		{"what passes is taken", "local.example", "250 ", "250 "},
		{"what fails p=reject is refused", "strict.example", "550 5.7.1 ", "250 "},
		{"what DNS leaves open is refused for now", "down.example", "451 4.7.0 ", "250 "},
		{"what has no policy is taken", "none.example", "250 ", "250 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for reject, want := range map[bool]string{true: tt.reply, false: tt.withoutIt} {
				address, box := serve(t, reject)
				_, replies := talk(t, address, "EHLO local.example", "MAIL FROM:<a@"+tt.domain+">", "RCPT TO:<b@here.example>", "DATA", message(tt.domain), "QUIT")
				if last := replies[len(replies)-2]; !strings.HasPrefix(last, want) {
					t.Errorf("reject %v: %q, want %q", reject, last, want)
				}
				if r := <-box.ended; r == nil || r.DMARC.AuthorDomain != tt.domain {
					t.Errorf("the result is %v", r)
				}
			}
		})
	}
}

func TestSPFIsThereAtRCPT(t *testing.T) {
	address, box := serve(t, false)
	talk(t, address, "EHLO local.example", "MAIL FROM:<a@strict.example>", "RCPT TO:<b@elsewhere.example>", "RCPT TO:<b@here.example>")
	want := "begin 127.0.0.1 local.example a@strict.example\nrcpt b@here.example\nspf fail"
	if got := box.list(); got != want {
		t.Errorf("the receiver was told\n%s\nwant\n%s", got, want)
	}
}

func TestEveryTransactionEndsOnce(t *testing.T) {
	begin := []string{"EHLO local.example", "MAIL FROM:<a@local.example>", "RCPT TO:<b@here.example>"}
	for _, tt := range []struct {
		name  string
		lines []string
		why   error
	}{
		{"by RSET", []string{"RSET"}, context.Canceled},
		{"by another EHLO", []string{"EHLO again.example"}, context.Canceled},
		{"by another MAIL", []string{"MAIL FROM:<c@local.example>", "QUIT"}, context.Canceled},
		{"by QUIT", []string{"QUIT"}, context.Canceled},
		{"by a connection that closes", nil, context.Canceled},
		{"by a connection that closes in the middle of the data", []string{"DATA"}, io.ErrUnexpectedEOF},
		{"by BDAT without an end and RSET", []string{"BDAT 4\r\nFrom", "RSET"}, smtp.ErrDataReset},
		{"by BDAT of nothing and RSET", []string{"BDAT 0", "RSET", "NOOP"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, box := serve(t, false)
			c, replies := talk(t, address, append(begin, tt.lines...)...)
			_ = c.Close()
			if r := <-box.ended; r != nil {
				t.Errorf("there is a result: %v", r)
			}
			box.mu.Lock()
			defer box.mu.Unlock()
			if tt.why != nil && !errors.Is(box.why, tt.why) {
				t.Errorf("it ended by %v, want %v; the replies were %q", box.why, tt.why, replies)
			}
		})
	}
}

func TestAMessageInChunksIsJudged(t *testing.T) {
	address, box := serve(t, true)
	_, replies := talk(t, address, "EHLO local.example", "MAIL FROM:<a@local.example>", "RCPT TO:<b@here.example>",
		"BDAT 25\r\nFrom: a@local.example\r\n\r\n", "BDAT 2 LAST\r\nHi")
	// talk adds a line end to the last chunk, which is a command without a word.
	if r := <-box.ended; r == nil || r.DMARC.Status != dmarc.StatusPass {
		t.Errorf("the result is %v, the replies are %q", r, replies)
	}
}

func TestARefusedSenderBeginsNothing(t *testing.T) {
	address, box := serve(t, false)
	_, replies := talk(t, address, "EHLO local.example", "MAIL FROM:<nobody@refused.example>", "RCPT TO:<b@here.example>", "DATA")
	if !strings.HasPrefix(replies[2], "550 5.7.1 Not from you") || replies[3][0] != '5' || replies[4][0] != '5' || box.list() != "" {
		t.Errorf("the replies are %q, and the receiver was told %q", replies, box.list())
	}
}

// A message must not be able to bring a second one along: RFC 5321, section 4.1.1.4.
func TestOnlyTheRealEndOfDataEndsAMessage(t *testing.T) {
	address, box := serve(t, false)
	smuggled := "From: a@local.example\r\n\r\nHi\n.\nMAIL FROM:<evil@local.example>\r\n\n.\r\nRCPT TO:<b@here.example>\r\n."
	talk(t, address, "EHLO local.example", "MAIL FROM:<a@local.example>", "RCPT TO:<b@here.example>", "DATA", smuggled)
	<-box.ended
	if got := strings.Count(box.list(), "begin"); got != 1 {
		t.Errorf("%d messages began:\n%s", got, box.list())
	}
}

func TestInternationalAddressesAreTaken(t *testing.T) {
	address, box := serve(t, false)
	_, replies := talk(t, address, "EHLO local.example", "MAIL FROM:<älter@bücher.example> SMTPUTF8", "RCPT TO:<b@here.example>", "DATA", message("local.example"))
	if r := <-box.ended; r == nil || r.SPF.Domain != "xn--bcher-kva.example" {
		t.Errorf("the result is %v, the replies are %q", r, replies)
	}
}

// What a service would copy is short enough to be read in one go.
func TestTheBackendIsShort(t *testing.T) {
	text, err := os.ReadFile("backend.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > 120 {
		t.Errorf("backend.go has %d lines, want at most 120", n)
	}
}
