package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
)

// mboxOf makes an mbox of fixtures, with LF as mail programs write it.
func mboxOf(t *testing.T, names ...string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range names {
		b.WriteString("From sender@example.com Mon Sep 14 08:30:12 2026\n")
		b.WriteString(strings.ReplaceAll(read(t, fixture(name)), "\r\n", "\n"))
		b.WriteString("\n")
	}
	return b.String()
}

func TestMessagesOfAnMboxAreNumbered(t *testing.T) {
	box := mboxOf(t, "forwarded.eml", "spoofed-bank-reject.eml", "rsa-and-ed25519.eml")
	dir := write(t, map[string]string{"archive.mbox": box, "INBOX": box, "notes": "not mail", "notes.txt": "nor this"})
	zones := []string{
		"-zone", fixture("forwarded.zone"), "-zone", fixture("spoofed-bank-reject.zone"), "-now", "2026-11-01T00:00:00Z",
	}
	for _, j := range []string{"1", "2", "9"} {
		f := verify(t, box, append(zones, "-json", "-j", j, dir, "-")...)
		var got []string
		for _, o := range f.objects(t) {
			got = append(got, fmt.Sprint(strings.TrimPrefix(o["file"].(string), dir+"/"), " ", at(o, "dmarc", "verdict")))
		}
		want := []string{
			"INBOX#1 pass", "INBOX#2 fail", "INBOX#3 pass",
			"archive.mbox#1 pass", "archive.mbox#2 fail", "archive.mbox#3 pass",
			"-#1 pass", "-#2 fail", "-#3 pass",
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") || f.code != exitFailed || f.stderr != "" {
			t.Errorf("-j %s: exit %d, stderr %q, %q", j, f.code, f.stderr, got)
		}
	}
}

func TestALargeMessageOfAnMboxIsNotLost(t *testing.T) {
	large := "From: a@example.com\n\n" + strings.Repeat("0123456789 a line of a large message\n", 20_000)
	box := "From a Mon\n" + large + "\nFrom a Mon\nFrom: b@example.net\n\nsmall\n\nFrom a Mon\n" + large
	dir := write(t, map[string]string{"a.mbox": box, "empty.zone": ""})
	for _, j := range []string{"1", "4"} {
		f := verify(t, "", "-json", "-j", j, "-zone", filepath.Join(dir, "empty.zone"), filepath.Join(dir, "a.mbox"))
		list := f.objects(t)
		if len(list) != 3 || f.code != exitOK || at(list[1], "dmarc", "author_domain") != "example.net" {
			t.Fatalf("-j %s: exit %d, %d messages, stderr %q", j, f.code, len(list), f.stderr)
		}
	}
}

func TestAnMboxMessageWithoutFieldsIsReported(t *testing.T) {
	dir := write(t, map[string]string{"a.mbox": "From a Mon\n\nno field\n\nFrom a Mon\nFrom: b@example.net\n\nHi\n", "empty.zone": ""})
	f := verify(t, "", "-json", "-zone", filepath.Join(dir, "empty.zone"), filepath.Join(dir, "a.mbox"))
	if f.code != exitUsage || len(f.objects(t)) != 1 || !strings.Contains(f.stderr, "a.mbox#1: not a message") {
		t.Errorf("exit %d, stdout %q, stderr %q", f.code, f.stdout, f.stderr)
	}
}

func TestOneMessageWithAnEnvelopeLineStaysOne(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		text := strings.ReplaceAll("From a Mon\nFrom: a@example.com\nFrom b\n\nHello\nFrom here on\n>From there\n"+
			strings.Repeat("long", 20_000)+"From x\nFrom the end\n", "\n", end)
		want := strings.ReplaceAll(strings.TrimPrefix(text, "From a Mon"+end), end+">", end)
		var got []string
		err := eachOfMbox(t.Context(), "a", bufio.NewReader(strings.NewReader(text+end+text)), nil, func(l letter, _ bool) {
			body, err := io.ReadAll(l.body)
			if err != nil {
				t.Error(err)
			}
			got = append(got, strings.ReplaceAll(string(body), "\r\n", end))
		})
		if err != nil || len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("%q: %d messages, %v, %.120q", end, len(got), err, got)
		}
	}
}

// An endless is a message whose body comes from nowhere, and is as large as left.
type endless struct {
	head string
	left int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if e.left <= 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
		if i%70 == 69 {
			p[i] = '\n'
		}
	}
	e.left -= len(p)
	return len(p), nil
}

func TestALargeMessageTakesConstantMemory(t *testing.T) {
	zone := write(t, map[string]string{"empty.zone": ""})
	c, err := newChecker(&options{timeout: time.Minute, workers: 1, dns: dnsflags.Flags{Zones: []string{filepath.Join(zone, "empty.zone")}}})
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o := c.verify(t.Context(), letter{name: "large", body: &endless{head: "From: a@example.com\n\n", left: size}})
	runtime.ReadMemStats(&after)
	if o.err != nil {
		t.Fatal(o.err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("a message of %d octets allocated %d", size, grown)
	}
}
