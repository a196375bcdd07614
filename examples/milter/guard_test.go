package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/d--j/go-milter"
)

// packet is a packet with its length in front.
func packet(text string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) + text
}

const offer = "O\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff"

// through writes octets into a guarded connection, and returns what comes out of it.
func through(t *testing.T, in string) string {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_, _ = io.WriteString(theirs, in)
		_ = theirs.Close()
	}()
	l := guard(&oneListener{conn: ours}, make(chan struct{}, 1), newMetrics())
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	out, _ := io.ReadAll(conn)
	return string(out)
}

type oneListener struct {
	net.Listener
	conn net.Conn
}

func (l *oneListener) Accept() (net.Conn, error) { return l.conn, nil }

func TestTheGuardLetsWellFormedPacketsThrough(t *testing.T) {
	all := packet(offer)
	for _, p := range []string{
		"C[192.0.2.7]\x004\x00\x19192.0.2.7\x00", "Cunknown\x00U", "DCj\x00mx\x00", "DM", "Hmail\x00", "M<>\x00", "M<a@b>\x00SIZE=1\x00",
		"R<a@b>\x00", "T", "LSubject\x00 x\x00", "LX\x00\x00", "N", "B", "B" + string(bytes.Repeat([]byte("x"), 65535)), "E", "A", "K", "Q",
	} {
		all += packet(p)
	}
	if got := through(t, all); got != all {
		t.Errorf("%d octets of %d came through", len(got), len(all))
	}
}

func TestTheGuardStopsMalformedPackets(t *testing.T) {
	for name, p := range map[string]string{
		"of no octets":                   "\x00\x00\x00\x00",
		"of half a gigabyte":             "\x20\x00\x00\x00C",
		"of one octet more than allowed": "\x00\x10\x00\x01B",
		"CONNECT without a NUL":          packet("Cunknown"),
		"CONNECT without a family":       packet("Cunknown\x00"),
		"CONNECT without an address":     packet("Cunknown\x004\x00"),
		"CONNECT with an open address":   packet("Cunknown\x004\x00\x19192.0.2.7"),
		"HELO without a NUL":             packet("Hmail"),
		"MAIL without a NUL":             packet("M<>"),
		"RCPT of nothing":                packet("R"),
		"a field without a value":        packet("LSubject\x00"),
		"a field with three strings":     packet("La\x00b\x00c\x00"),
		"a second negotiation":           packet(offer),
		"a macro for nothing":            packet("D"),
		"a macro without a value":        packet("DCj\x00"),
		"an unknown command":             packet("!"),
		"a packet that breaks off":       "\x00\x00\x00\xffM<",
	} {
		t.Run(name, func(t *testing.T) {
			if got := through(t, packet(offer)+p+packet("Q")); got != packet(offer) {
				t.Errorf("came through: %q", got)
			}
		})
	}
	t.Run("anything before negotiation", func(t *testing.T) {
		if got := through(t, packet("Hmail\x00")+packet(offer)); got != "" {
			t.Errorf("came through: %q", got)
		}
	})
}

// The library must not end the process, whatever comes through the guard.
func FuzzGuard(f *testing.F) {
	f.Add([]byte("Cunknown\x00U"))
	f.Add([]byte("LSubject\x00 x\x00"))
	f.Add([]byte("DCj\x00mx\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		d := testDaemon(t, "")
		conn := dialDaemon(t, d)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		_, _ = io.WriteString(conn, packet(offer)+packet(string(p))+packet("Q"))
		_ = conn.Close()
		d.drain()
	})
}

// A failingListener fails to accept a few times, as after too many open files.
type failingListener struct {
	oneListener
	failures int
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.failures--; l.failures >= 0 {
		return nil, syscall.EMFILE
	}
	return l.oneListener.Accept()
}

func TestTheGuardAcceptsAgainAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer func() { _ = theirs.Close() }()
		l := guard(&failingListener{oneListener{conn: ours}, 12}, make(chan struct{}, 1), newMetrics())
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	})
}

func TestHostileMTAsTakeNoMemoryAndKeepNobodyOut(t *testing.T) {
	d := testDaemon(t, "max_connections = 400")
	defer d.drain()
	for i := range 300 {
		conn := dialDaemon(t, d)
		defer func() { _ = conn.Close() }()
		switch i % 3 {
		case 0: // says nothing
		case 1: // breaks off in a packet of nearly a megabyte
			_, _ = io.WriteString(conn, packet(offer)+"\x00\x0f\xff\xffB"+"half")
		case 2: // announces half a gigabyte
			_, _ = io.WriteString(conn, packet(offer)+"\x20\x00\x00\x00B")
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if rest, err := io.ReadAll(conn); err != nil {
				t.Fatalf("the connection is open: %q, %v", rest, err)
			}
		}
	}
	if _, a := connect(t, d, "192.0.2.7").send("a@bank.test", fromBank, "u@example.com"); a.Type != milter.ActionAccept {
		t.Errorf("%v", a)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 40<<20 {
		t.Errorf("%d MiB in use", m.HeapAlloc>>20)
	}
}
