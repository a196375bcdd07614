package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/saved"
)

// ended waits until a visitor's message has, and returns the page.
func (r *rig) ended(t *testing.T, path string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, page := r.get(t, path)
		if strings.Contains(page, "mv-verdict") || strings.Contains(page, `class="failed"`) {
			return page
		}
		if time.Now().After(end) {
			t.Fatalf("it does not end:\n%s", page)
		}
	}
}

func TestAHeaderOfAMegabyteIsJudgedAndNotKept(t *testing.T) {
	r := start(t, nil)
	for name, message := range map[string]string{
		"one field":         "From: a@laptop.example\r\nX: " + strings.Repeat("folded\r\n ", 120_000) + "\r\n\r\nHi",
		"many fields":       "From: a@laptop.example\r\n" + strings.Repeat("X: y\r\n", 170_000) + "\r\nHi",
		"no end":            strings.Repeat("X: y\r\n", 170_000),
		"many From fields":  strings.Repeat("From: a@laptop.example\r\n", 40_000) + "\r\nHi",
		"many signatures":   "From: a@laptop.example\r\n" + strings.Repeat("DKIM-Signature: v=1; a=rsa-sha256; d=laptop.example; s=x; h=from; bh=AA==; b=AA==\r\n", 900) + "\r\nHi",
		"nothing but lines": strings.Repeat("no colon\r\n", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			s := r.session(t)
			if err := r.send(t, "me@laptop.example", s.Address, message); err != nil {
				t.Error(err)
			}
			page := r.ended(t, s.Page)
			if len(page) > 400_000 {
				t.Errorf("the page has %d octets", len(page))
			}
			v := r.visitors.find(strings.TrimPrefix(s.Page, "/s/"))
			if v.octets > 3*r.limits.octets {
				t.Errorf("%d octets are kept", v.octets)
			}
		})
	}
}

func TestABodyOfTenMegabytesCostsNoMemory(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	body := strings.Repeat(strings.Repeat("x", 998)+"\r\n", 10_400)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if err := r.send(t, "me@laptop.example", s.Address, mine+body); err != nil {
		t.Fatal(err)
	}
	r.ended(t, s.Page)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("%d octets are held after a body of %d", grown, len(body))
	}
	runtime.KeepAlive(body)
}

func TestHostileTextBySMTPIsText(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	c, err := net.Dial("tcp", r.mail)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const evil = "<script>alert(1)</script><img/src=x/onerror=alert(1)>\x1b[31m\u202e"
	_, err = io.WriteString(c, "EHLO "+strings.ReplaceAll(evil, "\r", "")+"\r\nMAIL FROM:<\""+"<script>alert(2)</script>"+"\"@laptop.example>\r\nRCPT TO:<"+s.Address+">\r\nDATA\r\n"+
		"From: "+evil+" <me@laptop.example>\r\nSubject: "+evil+"\r\n"+evil+": "+evil+"\r\n\r\nHi\r\n.\r\nQUIT\r\n")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c)
	page := r.ended(t, s.Page)
	checkMarkup(t, "hostile", page)
	for _, e := range r.stream(t, s.Events, "", "result") {
		// The JSON of the result is data, and comes into no page.
		if e.kind == "step" && (strings.Contains(e.data, "<script") || strings.Contains(e.data, "<img") || strings.ContainsAny(e.data, "\x1b\u202e")) {
			t.Errorf("an event has hostile text in it: %q", e.data)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img") || !strings.Contains(page, "&lt;script&gt;alert(2)") {
		t.Errorf("the page:\n%s", page)
	}
}

func TestPastedBinaryIsNamedOrJudged(t *testing.T) {
	r := start(t, func(s *server) { s.limits.visitorsByClient = 100 })
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		junk := make([]byte, random.IntN(5000))
		for i := range junk {
			junk[i] = byte(random.Uint32())
		}
		for _, text := range [][]byte{junk, append([]byte("From: a@b.example\r\n"), junk...), append([]byte("\x1f\x8b\x08"), junk...), bytes.Repeat([]byte{0}, n)} {
			status, page, at := r.paste(t, "/paste", map[string]string{"message": string(text)})
			switch {
			case status == http.StatusOK && strings.HasPrefix(at, "/s/"):
				page = r.ended(t, at)
				r.post(t, at[:strings.LastIndexByte(at, '/')]+"/delete", nil)
			case status != http.StatusBadRequest || !strings.Contains(page, `role="alert"`):
				t.Errorf("%d %s", status, page)
			}
			checkMarkup(t, "junk", page)
		}
	}
}

// A few octets of gzip unpack to very many, of which none is a message.
func TestAPackedFileIsUnpackedOnlySoFar(t *testing.T) {
	for name, text := range map[string][2]string{
		"empty lines":          {"", "\n"},
		"empty lines in CRLF":  {"", "\r\n"},
		"NUL octets at an end": {"From: a@laptop.example\r\n\r\nHi\r\n", "\x00"},
		"a line of an mbox":    {"From ", "x"},
		"a header":             {"From: a@laptop.example\r\n", "X: y\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			const limit = 1 << 20
			source := &endless{first: text[0], unit: strings.Repeat(text[1], 4<<10), total: 64 * limit}
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			if _, err := io.Copy(z, source); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			file := bytes.NewReader(packed.Bytes())
			_, err := pasted{text: packed.Bytes()}.read(limit)
			if err == nil || !strings.Contains(err.Error(), "large") {
				t.Errorf("the message ends with %v", err)
			}
			var notes []string
			r, err := saved.UnwrapUpTo(bufio.NewReader(file), &notes, 2*limit)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			if !errors.Is(err, saved.ErrTooLarge) {
				t.Errorf("unpacking ends with %v", err)
			}
			if read := packed.Len() - file.Len(); read > packed.Len()/8 {
				t.Errorf("%d of %d packed octets are read", read, packed.Len())
			}
		})
	}
}

// An endless is a text, and another one again and again.
type endless struct {
	first, unit string
	total       int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.total <= 0 {
		return 0, io.EOF
	}
	n := copy(p, e.first)
	e.first = e.first[n:]
	if n == 0 {
		n = copy(p, e.unit)
	}
	e.total -= n
	return n, nil
}

func TestWhoDoesNotReadHoldsNobodyUp(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	for range 20 { // streams that nobody reads
		c, err := net.Dial("tcp", strings.TrimPrefix(r.page, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", s.Events); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	for range 5 {
		if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("five messages took %v", took)
	}
}

func TestNothingIsLeftWhenEverybodyHasGone(t *testing.T) {
	r := start(t, nil)
	r.get(t, "/") // the server is there
	_ = r.dial(t).Close()
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	for range 5 {
		s := r.session(t)
		response, err := http.Get(r.page + s.Events)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
			t.Fatal(err)
		}
		c := r.dial(t) // goes away in the middle of the next one
		_ = c.Mail("me@laptop.example", nil)
		_ = c.Rcpt(s.Address, nil)
		w, _ := c.Data()
		_, _ = w.Write([]byte("From: "))
		_ = c.Close()
		r.post(t, s.Page+"/delete", nil)
		_ = response.Body.Close()
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		http.DefaultClient.CloseIdleConnections()
		now := runtime.NumGoroutine()
		if now <= before && r.streams.count() == 0 && r.visitors.slots.count() == 0 {
			return
		}
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before; %d streams, %d visitors\n%s", now, before, r.streams.count(), r.visitors.slots.count(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}
