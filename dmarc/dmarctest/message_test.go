package dmarctest

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
)

func read(t *testing.T, message []byte) (mail.Header, string) {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	part, err := r.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(part.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.Header, string(body)
}

func TestAMessageOfAFewFieldsIsWellFormed(t *testing.T) {
	date := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	m := Message{
		From:    "Bücher <shop@example.com>",
		To:      "reader@example.net",
		Subject: "Ihre Bücher, mit einer Zeile die so lang ist, dass sie in zwei geteilt werden muss",
		Date:    date,
		Body:    "Grüße\n" + strings.Repeat("lang ", 100) + "\n",
		Header:  []string{"Received: from a.example\r\n\tby b.example", "List-Id: <x.example.com>"},
	}
	b := m.Bytes(t)
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, "\r\n") || strings.Count(line, "\r") > 1 || len(line) > 998 {
			t.Errorf("line %q", line)
		}
	}
	h, body := read(t, b)
	if subject, err := h.Subject(); err != nil || subject != m.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if from, err := h.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != "shop@example.com" {
		t.Errorf("from %v, %v", from, err)
	}
	if got, err := h.Date(); err != nil || !got.Equal(date) {
		t.Errorf("date %v, %v", got, err)
	}
	if !strings.HasPrefix(string(b), "Received: from a.example\r\n\tby b.example\r\nList-Id: <x.example.com>\r\n") {
		t.Errorf("more fields do not stand on top:\n%s", b)
	}
	if want := strings.ReplaceAll(m.Body, "\n", "\r\n"); body != want {
		t.Errorf("body %q", body)
	}
	if !bytes.Equal(b, m.Bytes(t)) {
		t.Error("the same message has other octets the second time")
	}
}

func TestAMessageOfNothingHasEverythingButAuthor(t *testing.T) {
	h, body := read(t, Message{}.Bytes(t))
	for _, name := range []string{"To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type"} {
		if !h.Has(name) {
			t.Errorf("no %s", name)
		}
	}
	if h.Has("From") || body != "Hello.\r\n" {
		t.Errorf("from %q, body %q", h.Get("From"), body)
	}
}

func TestALineBreakInAnAuthorFailsTheTest(t *testing.T) {
	wantText(t, failure(t, func(t testing.TB) { Message{From: "a@example.com\r\nBcc: x"}.Bytes(t) }), "message from")
}

func TestOnlyAUnixFileIsConverted(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"LF", "A: b\n\nc\n", "A: b\r\n\r\nc\r\n"},
		{"LF and then CRLF", "A: b\n\nc\r\n", "A: b\r\n\r\nc\r\r\n"},
		{"CRLF and then LF", "A: b\r\n\r\nc\n", "A: b\r\n\r\nc\n"},
		{"an empty first line", "\nc\n", "\r\nc\r\n"},
		{"no line end", "A: b", "A: b"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(wireLines([]byte(tt.in))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
