//go:build integration

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// A dovecot is an IMAP server with the mailbox of owner@example.com.
type dovecot struct {
	dir, mail string
	address   string // with TLS
	plain     string // with STARTTLS
}

const dovecotConfig = `
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login xoauth2
first_valid_uid = 1
mail_location = maildir:DIR/mail
default_internal_user = INTERNAL
default_internal_group = GROUP
default_login_user = LOGIN
service imap-login {
  chroot =
  inet_listener imap {
    port = PLAIN
  }
  inet_listener imaps {
    port = TLS
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
namespace inbox {
  inbox = yes
}
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = DIR/passwd
}
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = DIR/oauth2
}
userdb {
  driver = static
  args = uid=UID gid=GID home=DIR/mail
}
`

// startDovecot starts Dovecot with mails in its mailbox. It asks a server of the test about tokens, of which
// "good" is one.
func startDovecot(t *testing.T, mails map[string]string) *dovecot {
	t.Helper()
	if _, err := exec.LookPath("dovecot"); err != nil {
		t.Skip("Dovecot is not here (Debian: dovecot-imapd)")
	}
	dir, err := os.MkdirTemp("", "dovecot") // t.TempDir is too long for the names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("access_token") != "good" {
			http.Error(w, `{"error":"invalid_token"}`, http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"email":"owner@example.com","active":true}`)
	}))
	t.Cleanup(tokens.Close)
	uid, gid := os.Getuid(), os.Getgid()
	internal, group, login := "dovecot", "dovecot", "dovenull"
	if uid == 0 {
		u, err := user.Lookup("mail")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	} else if u, err := user.Current(); err == nil {
		internal, login = u.Username, u.Username
		if g, err := user.LookupGroupId(u.Gid); err == nil {
			group = g.Name
		}
	}
	d := &dovecot{dir: dir, mail: filepath.Join(dir, "mail")}
	plain, secure := freePort(t), freePort(t)
	d.plain, d.address = fmt.Sprintf("localhost:%d", plain), fmt.Sprintf("localhost:%d", secure)
	config := strings.NewReplacer("DIR", dir, "INTERNAL", internal, "GROUP", group, "LOGIN", login, "PLAIN", strconv.Itoa(plain), "TLS", strconv.Itoa(secure),
		"UID", strconv.Itoa(uid), "GID", strconv.Itoa(gid)).Replace(dovecotConfig)
	cert, key := certificate(t)
	d.write(t, "dovecot.conf", config)
	d.write(t, "passwd", "owner@example.com:{PLAIN}secret\n")
	d.write(t, "password", "secret\n")
	d.write(t, "oauth2", "tokeninfo_url = "+tokens.URL+"/?access_token=\nusername_attribute = email\nactive_attribute = active\nactive_value = true\n")
	d.write(t, "cert.pem", cert)
	d.write(t, "key.pem", key)
	for name, text := range mails {
		d.write(t, "mail/new/"+name, text)
	}
	for _, sub := range []string{"cur", "tmp"} {
		if err := os.MkdirAll(filepath.Join(d.mail, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	filepath.WalkDir(d.mail, func(path string, _ os.DirEntry, _ error) error { return os.Chown(path, uid, gid) })
	os.Chmod(dir, 0o755)
	d.start(t)
	return d
}

func (d *dovecot) start(t *testing.T) {
	t.Helper()
	command := exec.Command("dovecot", "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		command.Wait()
		if text, err := os.ReadFile(filepath.Join(d.dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	for range 100 {
		if conn, err := net.Dial("tcp", d.address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("Dovecot does not start")
}

func (d *dovecot) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// box returns the names of the mails in a folder of the mailbox, with their flags.
func (d *dovecot) box(folder string) (list []string) {
	for _, sub := range []string{"new", "cur"} {
		entries, _ := os.ReadDir(filepath.Join(d.mail, folder, sub))
		for _, e := range entries {
			name, flags, _ := strings.Cut(e.Name(), ":2,")
			list = append(list, strings.TrimSpace(name[:1]+" "+flags))
		}
	}
	return list
}

func (d *dovecot) url() string { return "imaps://owner%40example.com@" + d.address + "/INBOX" }

func (d *dovecot) file(name string) string { return filepath.Join(d.dir, name) }

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

// someMails are a report, a forged one, and a mail that is none: their names are r, f and x.
func someMails(t *testing.T) map[string]string {
	return map[string]string{
		"r.1": signed(t, mailOf(t, oneReport("one"))), "f.2": mailOf(t, oneReport("forged")),
		"x.3": "From: a@example.com\r\nSubject: hello\r\n\r\nno report\r\n",
	}
}

func TestRealMailboxIsReadAndMarked(t *testing.T) {
	d := startDovecot(t, someMails(t))
	w := newWorld(t)
	read := func(args ...string) (int, string, string) {
		return run(t, "", append([]string{"read", "-zone", w.zone, "-store", w.store, "-imap-ca", d.file("cert.pem"), "-imap-password", d.file("password"), d.url()}, args...)...)
	}
	keep := t.TempDir()
	status, out, errs := read("-keep", keep)
	if status != exitUsage || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"reporter":"reporter.example"`) ||
		!strings.Contains(errs, "2 reports: 2 new") || !strings.Contains(errs, "INBOX;UID=") || !strings.Contains(errs, "1 could not be read") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if kept, _ := os.ReadDir(keep); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
	// S is seen, F is flagged, in the names of a Maildir.
	if got := fmt.Sprint(d.box(".")); got != "[f S r S x F]" {
		t.Errorf("the mailbox has %s", got)
	}
	if status, out, errs := read(); status != exitOK || out != "" || !strings.Contains(errs, "0 reports") {
		t.Errorf("read again: status %d\n%s%s", status, out, errs)
	}
	status, _, errs = read("-imap-seen", "-imap-move", "Done", "-imap-move-unread", "Odd")
	if status != exitUsage || !strings.Contains(errs, "2 reports: 0 new, 2 that the store had") {
		t.Errorf("status %d\n%s", status, errs)
	}
	if inbox, done, odd := d.box("."), fmt.Sprint(d.box(".Done")), fmt.Sprint(d.box(".Odd")); len(inbox) != 0 || len(strings.Fields(done)) != 4 || len(strings.Fields(odd)) != 2 {
		t.Errorf("%s, done %s, odd %s", inbox, done, odd)
	}
}

func TestRealMailboxWithATokenAndStartTLS(t *testing.T) {
	d := startDovecot(t, someMails(t))
	w := newWorld(t)
	address := "imap://owner%40example.com@" + d.plain
	args := []string{"read", "-zone", w.zone, "-store", w.store, "-imap-ca", d.file("cert.pem"), address}
	if status, out, errs := run(t, "", append(args, "-imap-token", "echo bad")...); status != exitUsage || out != "" || !strings.Contains(errs, address) {
		t.Errorf("status %d %s%s", status, out, errs)
	}
	status, out, errs := run(t, "", append(args, "-imap-token", "echo good")...)
	if status != exitUsage || strings.Count(out, "\n") != 2 {
		t.Errorf("status %d %s%s", status, out, errs)
	}
}

func TestRealMailboxStaysAsItIsWhereNothingIsStored(t *testing.T) {
	mails := someMails(t)
	d := startDovecot(t, mails)
	w := newWorld(t)
	args := []string{"read", "-zone", w.zone, "-imap-ca", d.file("cert.pem"), "-imap-password", d.file("password"), d.url()}
	if _, out, errs := run(t, "", args...); strings.Count(out, "\n") != 2 {
		t.Errorf("%s%s", out, errs)
	}
	unmarked := func(when string) {
		t.Helper()
		for _, name := range d.box(".") {
			if len(name) > 1 && name[0] != 'x' {
				t.Errorf("%s: %s is marked", when, name)
			}
		}
	}
	unmarked("without a store")
	// DNS fails: nobody knows who sent the reports.
	status, _, errs := run(t, "", "read", "-dns", "127.0.0.1:1", "-store", w.store, "-quiet", "-imap-ca", d.file("cert.pem"), "-imap-password", d.file("password"), d.url())
	if !strings.Contains(errs, "could not be verified now") {
		t.Errorf("status %d %s", status, errs)
	}
	unmarked("without DNS")
	// The certificate is nobody's whom the system trusts.
	if status, _, errs := run(t, "", append(args[:3:3], "-imap-password", d.file("password"), d.url())...); status != exitUsage || !strings.Contains(errs, "certificate") {
		t.Errorf("status %d %s", status, errs)
	}
}

func TestRealMailboxInManyBatches(t *testing.T) {
	mails := make(map[string]string)
	for n := range 3*batchMessages + 1 {
		mails[fmt.Sprintf("r%03d", n)] = signed(t, mailOf(t, oneReportOf(n)))
	}
	d := startDovecot(t, mails)
	w := newWorld(t)
	status, _, errs := run(t, "", "read", "-quiet", "-zone", w.zone, "-store", w.store, "-imap-ca", d.file("cert.pem"), "-imap-password", d.file("password"), d.url())
	if status != exitOK || !strings.Contains(errs, "151 reports: 151 new") {
		t.Errorf("status %d %s", status, errs)
	}
	if box := d.box("."); len(box) != 151 || strings.Count(strings.Join(box, " "), "S") != 151 {
		t.Errorf("%q", box)
	}
}

func oneReportOf(n int) *aggregate.Report { return oneReport(fmt.Sprintf("report%d", n)) }
