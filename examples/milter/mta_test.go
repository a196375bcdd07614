package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/d--j/go-milter"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
	"github.com/mailverdict/mailverdict/resolver"
)

// zone is the DNS of the tests without Postfix.
const zone = `
bank.test. TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.bank.test. TXT "v=DMARC1; p=reject; rua=mailto:r@bank.test"
`

// testDaemon returns a daemon that serves a socket of the test, whose DNS is the zone.
func testDaemon(t testing.TB, text string) *daemon {
	t.Helper()
	return loggingDaemon(t, text, io.Discard)
}

// loggingDaemon is testDaemon with a log, of lines in JSON.
func loggingDaemon(t testing.TB, text string, log io.Writer) *daemon {
	t.Helper()
	c, err := parseConfig("authserv_id = \"mx.example.com\"\nlisten = [\"unix:" + filepath.Join(t.TempDir(), "s") + "\"]\n" + text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDaemon(c, "host.example.com", slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	z, err := resolver.ParseZone(strings.NewReader(zone), ".")
	if err != nil {
		t.Fatal(err)
	}
	useDNS(d, z)
	if err := d.open(); err != nil {
		t.Fatal(err)
	}
	return d
}

// useDNS has a daemon ask another resolver.
func useDNS(d *daemon, r resolver.Resolver) {
	s := *d.setup.Load()
	s.dns = r
	v := s.verifier
	s.verifier = &dmarc.Verifier{Resolver: r, Time: v.Time, InvalidAuthor: v.InvalidAuthor, TempError: v.TempError, Reject: v.Reject,
		TrustedSealers: v.TrustedSealers, KnownForwarders: v.KnownForwarders}
	d.setup.Store(&s)
}

func TestMain(m *testing.M) {
	milter.LogWarning = func(string, ...any) {}
	os.Exit(m.Run())
}

func socketOf(d *daemon) string { return strings.TrimPrefix(d.setup.Load().Listen[0], "unix:") }

func dialDaemon(t testing.TB, d *daemon) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", socketOf(d))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// An mta is a fake MTA with one connection.
type mta struct {
	t       *testing.T
	session *milter.ClientSession
	macros  *milter.MacroBag
}

func connect(t *testing.T, d *daemon, ip string) *mta {
	t.Helper()
	return connectTo(t, socketOf(d), ip)
}

func connectTo(t *testing.T, socket, ip string) *mta {
	t.Helper()
	client := milter.NewClient("unix", socket, milter.WithReadTimeout(time.Minute))
	macros := milter.NewMacroBag()
	session, err := client.Session(macros)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	m := &mta{t, session, macros}
	if _, err := session.Conn("unknown", milter.FamilyInet, 25, ip); err != nil {
		t.Fatal(err)
	}
	if _, err := session.Helo("mail.sender.test"); err != nil {
		t.Fatal(err)
	}
	return m
}

// send sends a message and returns what the milter does to it, and its answer.
func (m *mta) send(from string, fields []string, to ...string) ([]milter.ModifyAction, *milter.Action) {
	m.t.Helper()
	if a := m.mail(from); a.Type == milter.ActionAccept {
		return nil, a
	}
	return m.finish(fields, to...)
}

func (m *mta) mail(from string) *milter.Action {
	m.t.Helper()
	a, err := m.session.Mail(from, "")
	if err != nil {
		m.t.Fatal(err)
	}
	return a
}

// finish sends a message from its recipients on.
func (m *mta) finish(fields []string, to ...string) ([]milter.ModifyAction, *milter.Action) {
	m.t.Helper()
	for _, rcpt := range to {
		if _, err := m.session.Rcpt(rcpt, ""); err != nil {
			m.t.Fatal(err)
		}
	}
	if _, err := m.session.DataStart(); err != nil {
		m.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ":")
		if _, err := m.session.HeaderField(name, value, nil); err != nil {
			m.t.Fatal(err)
		}
	}
	if _, err := m.session.HeaderEnd(); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.session.BodyChunk([]byte("Hello\r\n")); err != nil {
		m.t.Fatal(err)
	}
	changes, a, err := m.session.End()
	if err != nil {
		m.t.Fatal(err)
	}
	return changes, a
}

var fromBank = []string{"From: a@bank.test", "Subject: x"}

func TestTheAnswersToAFakeMTA(t *testing.T) {
	for _, tt := range []struct {
		name, config, ip string
		to               []string
		want             milter.ActionType
		code             uint16
		changes          int
	}{
		{"pass", "", "192.0.2.7", []string{"u@example.com"}, milter.ActionAccept, 250, 1},
		{"fail is marked by default", "", "198.51.100.9", []string{"u@example.com"}, milter.ActionAccept, 250, 2},
		{"fail is rejected if asked", `reject = "always"`, "198.51.100.9", []string{"u@example.com"}, milter.ActionRejectWithCode, 550, 0},
		{"but never for postmaster", `reject = "always"`, "198.51.100.9", []string{"u@example.com", "postmaster@example.com"}, milter.ActionAccept, 250, 2},
		{"nor for an exempt sender", `reject = "always"` + "\nexempt_senders = [\"@bank.test\"]", "198.51.100.9", []string{"u@example.com"}, milter.ActionAccept, 250, 2},
		{"unless-indirect rejects what came directly", `reject = "unless-indirect"`, "198.51.100.9", []string{"u@example.com"}, milter.ActionRejectWithCode, 550, 0},
		{"and what a known forwarder sent, as long as nothing shows that it changed the body", `reject = "unless-indirect"` + "\nknown_forwarders = [\"198.51.100.0/24\"]",
			"198.51.100.9", []string{"u@example.com"}, milter.ActionRejectWithCode, 550, 0},
		{"local clients are skipped", `reject = "always"`, "127.0.0.1", []string{"u@example.com"}, milter.ActionAccept, 250, 0},
		{"unless they are to be marked", `local = "mark"`, "127.0.0.1", []string{"u@example.com"}, milter.ActionAccept, 250, 2},
		{"shadow mode does nothing", `reject = "always"` + "\nshadow = \"other.test\"", "198.51.100.9", []string{"u@example.com"}, milter.ActionAccept, 250, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := testDaemon(t, tt.config)
			defer d.drain()
			changes, a := connect(t, d, tt.ip).send("a@bank.test", fromBank, tt.to...)
			if a.Type != tt.want || a.SMTPCode != tt.code || len(changes) != tt.changes {
				t.Errorf("%v, changes %v", a, changes)
			}
			if d.messages.Load() != 0 {
				t.Errorf("%d messages are still under way", d.messages.Load())
			}
		})
	}
}

func TestAPanicIsAFailureOfOneMessage(t *testing.T) {
	for _, tt := range []struct {
		failure string
		want    milter.ActionType
	}{{"tempfail", milter.ActionTempFail}, {"accept", milter.ActionAccept}} {
		t.Run(tt.failure, func(t *testing.T) {
			d := testDaemon(t, `failure = "`+tt.failure+`"`)
			defer d.drain()
			whole, broken := d.setup.Load(), *d.setup.Load()
			broken.verifier = nil // so that MAIL panics
			d.setup.Store(&broken)
			m := connect(t, d, "192.0.2.7")
			if _, a := m.send("a@bank.test", fromBank, "u@example.com"); a.Type != tt.want {
				t.Errorf("after a panic: %v", a)
			}
			d.setup.Store(whole)
			if changes, a := m.send("a@bank.test", fromBank, "u@example.com"); a.Type != milter.ActionAccept || len(changes) != 1 {
				t.Errorf("the next message of the connection: %v, changes %v", a, changes)
			}
			if n := d.messages.Load(); n != 0 {
				t.Errorf("%d messages are still under way", n)
			}
		})
	}
}

func TestAConnectionThatBreaksLeavesNothing(t *testing.T) {
	d := testDaemon(t, "")
	defer d.drain()
	m := connect(t, d, "192.0.2.7")
	m.mail("a@bank.test")
	if n := d.messages.Load(); n != 1 {
		t.Fatalf("%d messages are under way", n)
	}
	_ = m.session.Close()
	for end := time.Now().Add(10 * time.Second); d.messages.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the message is still under way")
		}
	}
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	d := testDaemon(t, "max_connections = 1")
	defer d.drain()
	first := connect(t, d, "192.0.2.7")
	second := make(chan *milter.Action, 1)
	go func() {
		_, a := connect(t, d, "192.0.2.7").send("a@bank.test", fromBank, "u@example.com")
		second <- a
	}()
	if _, a := first.send("a@bank.test", fromBank, "u@example.com"); a.Type != milter.ActionAccept {
		t.Errorf("the first: %v", a)
	}
	select {
	case a := <-second:
		t.Errorf("the second did not wait: %v", a)
	default:
	}
	_ = first.session.Close()
	if a := <-second; a.Type != milter.ActionAccept {
		t.Errorf("the second: %v", a)
	}
}

func TestShadowModeComparesWhatAnotherFilterWrote(t *testing.T) {
	got := otherVerdicts("other.test", []string{
		"Authentication-Results: other.test; dkim=fail header.d=a.test; dkim=pass header.d=b.test",
		"Authentication-Results: OTHER.test; dmarc=fail header.from=a.test",
		"Authentication-Results: else.test; dmarc=pass header.from=a.test; spf=pass smtp.mailfrom=a.test",
	})
	if len(got) != 2 || got["dkim"] != "pass" || got["dmarc"] != "fail" {
		t.Errorf("%v", got)
	}
}

func TestMessagesAreCountedForReports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "reports.db")
	d := testDaemon(t, `store = "sqlite:`+file+`"`+"\n"+`local = "mark"`)
	for _, ip := range []string{"192.0.2.7", "198.51.100.9", "127.0.0.1"} {
		connect(t, d, ip).send("a@bank.test", fromBank, "u@example.com")
	}
	d.drain()

	db, dialect, err := database.Open("sqlite:" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	store, err := sqlstore.Open(t.Context(), db, dialect)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for task, err := range store.Pending(t.Context(), time.Now().Add(48*time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range store.Rows(t.Context(), task) {
			if err != nil {
				t.Fatal(err)
			}
			rows[row.Source.String()] = row.Disposition
		}
	}
	if len(rows) != 2 || rows["192.0.2.7"] != "pass" || rows["198.51.100.9"] != "quarantine" {
		t.Errorf("counted %v, want those of the two clients from outside", rows)
	}
}

func TestForgedFieldsAreRemovedFromTheLastToTheFirst(t *testing.T) {
	d := testDaemon(t, "")
	defer d.drain()
	changes, _ := connect(t, d, "192.0.2.7").send("a@bank.test", []string{
		"Authentication-Results: mx.example.com; dmarc=pass", "Authentication-Results: other.test; dmarc=pass",
		"X-Dmarc-Disposition: none", "AUTHENTICATION-RESULTS: mx.example.com; dmarc=pass", "From: a@bank.test",
	}, "u@example.com")
	var got []string
	for _, c := range changes {
		if c.Type == milter.ActionChangeHeader {
			got = append(got, fmt.Sprintf("%s %d %q", strings.ToLower(c.HeaderName), c.HeaderIndex, c.HeaderValue))
		}
	}
	if want := `authentication-results 3 "", x-dmarc-disposition 1 "", authentication-results 1 ""`; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestAMessageOfForgedFieldsIsRefused(t *testing.T) {
	d := testDaemon(t, "")
	defer d.drain()
	fields := slices.Repeat([]string{"X-DMARC-Disposition: none"}, maxRemovals+1)
	m := connect(t, d, "192.0.2.7")
	if _, a := m.send("a@bank.test", append(fields, "From: a@bank.test"), "u@example.com"); a.SMTPCode != 550 {
		t.Errorf("%v", a)
	}
	if changes, a := m.send("a@bank.test", fields[1:], "u@example.com"); a.Type != milter.ActionAccept || len(changes) < maxRemovals {
		t.Errorf("%v, %d changes", a, len(changes))
	}
}

func TestAnMTAThatCannotChangeHeadersIsRefused(t *testing.T) {
	d := testDaemon(t, "")
	defer d.drain()
	client := milter.NewClient("unix", socketOf(d), milter.WithActions(milter.OptAddHeader))
	if s, err := client.Session(nil); err == nil {
		_ = s.Close()
		t.Error("negotiated")
	}
}
