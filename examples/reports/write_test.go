package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

// counted returns a world whose store has the messages that a receiver counted the day before yesterday,
// and the file of its key.
func counted(t *testing.T) (w *world, keyFile string) {
	w = newWorld(t)
	text := zoneText() + `_dmarc.external.example. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:agg@elsewhere.example"` + "\n"
	if err := os.WriteFile(w.zone, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	db, dialect, err := database.Open(w.store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.Open(t.Context(), db, dialect)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := (&dnsflags.Flags{Zones: []string{w.zone}}).Resolver()
	if err != nil {
		t.Fatal(err)
	}
	count(t, store, zone)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keyFile = filepath.Join(put(t, map[string]string{"key.pem": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}), "key.pem")
	return w, keyFile
}

func count(t *testing.T, store aggregate.Store, r resolver.Resolver) {
	t.Helper()
	accumulator := aggregate.Accumulator{Store: store}
	verifier := dmarc.Verifier{Resolver: r, Now: func() time.Time { return time.Now().AddDate(0, 0, -2) }}
	for _, domain := range []string{"example.com", "external.example"} {
		for range 3 {
			result, err := verifier.Verify(t.Context(), dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.9"), MailFrom: "a@" + domain},
				strings.NewReader("From: a@"+domain+"\r\n\r\nhello\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			accumulator.Add(result, aggregate.Delivery{})
		}
	}
	if err := accumulator.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWriteMakesFilesOfWhatIsDue(t *testing.T) {
	w, _ := counted(t)
	dir := t.TempDir()
	out, errs := w.run("write", "-out", dir, "-domain", "reporter.example")
	if !strings.Contains(out, " example.com to d@example.com: waiting\n") {
		t.Errorf("%s%s", out, errs)
	}
	begin := time.Now().UTC().AddDate(0, 0, -2).Truncate(24 * time.Hour).Unix()
	files, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf("reporter.example!example.com!%d!%d!*.xml.gz", begin, begin+86399)))
	if len(files) != 1 {
		entries, _ := os.ReadDir(dir)
		t.Fatal(entries)
	}
	read, _ := w.run("read", "-trusted", dir)
	if strings.Count(read, `"messages":3`) != 2 {
		t.Error(read)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if z, err := gzip.NewReader(f); err != nil || z.Name != "" {
		t.Error(err)
	}
}

func TestWriteSaysWhatItWouldSendAndSendsThatOnce(t *testing.T) {
	w, key := counted(t)
	server := newMailServer(t)
	flags := []string{"-domain", "reporter.example", "-key", key, "-selector", "s", "-spread", "0", "-smtp", server.address, "-json"}
	state := func(out, domain string) string {
		for line := range strings.Lines(out) {
			var d delivered
			if err := json.Unmarshal([]byte(line), &d); err != nil {
				t.Fatal(err)
			}
			if d.Domain == domain {
				return d.State.String()
			}
		}
		return ""
	}
	dir := t.TempDir()
	out, errs := w.run("write", append(flags, "-out", dir)...)
	if state(out, "example.com") != "sent" || state(out, "external.example") != "forbidden" || !strings.Contains(errs, "1 mails would go out") {
		t.Errorf("%s%s", out, errs)
	}
	if mails, _ := filepath.Glob(filepath.Join(dir, "*.eml")); len(mails) != 1 {
		t.Errorf("mails: %q", mails)
	}
	if len(server.mails) != 0 {
		t.Error("a dry run has sent a mail")
	}
	out, errs = w.run("write", append(flags, "-send")...)
	if state(out, "example.com") != "sent" || state(out, "external.example") != "forbidden" {
		t.Errorf("%s%s", out, errs)
	}
	mail := <-server.mails
	if !strings.Contains(mail, "RCPT TO:<d@example.com>") || !strings.Contains(mail, "MAIL FROM:<dmarc-reports+") || !strings.Contains(mail, "DKIM-Signature:") {
		t.Error(mail)
	}
	if out, _ = w.run("write", append(flags, "-send")...); out != "" || len(server.mails) != 0 {
		t.Errorf("sent again: %s", out)
	}
	// A report that comes back to who sent it is one of its own.
	_, octets, _ := strings.Cut(mail, "DATA\n")
	read, _ := w.run("read", put(t, map[string]string{"1.eml": octets}))
	if !strings.Contains(read, `"reporter":"reporter.example"`) || !strings.Contains(read, `"messages":3`) {
		t.Error(read)
	}
	_, from, _ := strings.Cut(mail, "MAIL FROM:<")
	from, _, _ = strings.Cut(from, ">")
	w.run("write", append(flags, "-bounced", from)...)
}

func TestWriteWantsWhatSendingNeeds(t *testing.T) {
	w, key := counted(t)
	for _, args := range [][]string{{"-send"}, {"-key", key}, {"-key", w.zone, "-selector", "s"}, {"-run"}, {"-from", "nobody"}, {"a.xml"}} {
		status, out, errs := run(t, "", append([]string{"write", "-store", w.store, "-zone", w.zone}, args...)...)
		if status != exitUsage || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d %s%s", args, status, out, errs)
		}
	}
}

// A mailServer takes mails. Each is the commands of its session, and after DATA the mail.
type mailServer struct {
	address string
	mails   chan string
}

func newMailServer(t *testing.T) *mailServer {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &mailServer{l.Addr().String(), make(chan string, 10)}
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

func (s *mailServer) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "220 test\r\n")
	var session strings.Builder
	for lines, data := bufio.NewScanner(conn), false; lines.Scan(); {
		line := lines.Text()
		session.WriteString(line + "\n")
		switch {
		case data && line == ".":
			data = false
			s.mails <- strings.TrimSuffix(session.String(), ".\n")
			fmt.Fprint(conn, "250 taken\r\n")
		case data:
		case line == "DATA":
			data = true
			fmt.Fprint(conn, "354 go on\r\n")
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}
