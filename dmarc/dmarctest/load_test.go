package dmarctest

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// files writes files into a new directory and returns it.
func files(t testing.TB, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFixtureIsThreeFiles(t *testing.T) {
	dir := files(t, map[string]string{
		"a.eml":  "From: a@example.com\n\nHello.\n",
		"a.zone": "_dmarc.example.com. TXT \"v=DMARC1; p=reject\"\n",
		"a.json": `{
			"ip": "2001:db8::1", "helo": "mail.example.com", "mail_from": "b@example.com",
			"now": "2026-01-31T12:00:00Z",
			"faults": {"example.com TXT": "2s servfail", "_dmarc.example.com": "timeout"},
			"want": {"verdict": "fail", "dkim": []}
		}`,
		"readme.txt": "not a fixture",
	})
	list := Load(t, dir)
	if len(list) != 1 {
		t.Fatalf("%d fixtures", len(list))
	}
	f := list[0]
	if f.Name != "a" || string(f.Message) != "From: a@example.com\n\nHello.\n" {
		t.Errorf("%s: %q", f.Name, f.Message)
	}
	want := dmarc.Envelope{IP: netip.MustParseAddr("2001:db8::1"), HELO: "mail.example.com", MailFrom: "b@example.com"}
	if f.Envelope != want || !f.Now.Equal(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v at %v", f.Envelope, f.Now)
	}
	if f.Want.Verdict != "fail" || f.Want.DKIM == nil || f.Want.SPF != "" {
		t.Errorf("%+v", f.Want)
	}
	if _, err := f.Zone.Resolve(t.Context(), resolver.Question{Name: "_dmarc.example.com", Type: resolver.TypeTXT}); !errors.Is(err, resolver.ErrTimeout) {
		t.Error(err)
	}
	fault := f.Zone["example.com"].Faults[resolver.TypeTXT]
	if fault.Delay != 2*time.Second || fault.Err != resolver.ErrServFail {
		t.Errorf("%+v", fault)
	}
}

func TestAFixtureThatCannotBeReadNamesItsFile(t *testing.T) {
	const eml, zone = "From: a@example.com\n\nHello.\n", "example.com. A 192.0.2.1\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"without a zone", map[string]string{"a.eml": eml, "a.json": "{}"}, "a.zone"},
		{"without a sidecar", map[string]string{"a.eml": eml, "a.zone": zone}, "a.json"},
		{"with a broken zone", map[string]string{"a.eml": eml, "a.zone": "example.com. A x\n", "a.json": "{}"}, "a.zone"},
		{"with a sidecar that is not JSON", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "ip: 1"}, "a.json"},
		{"with an empty sidecar", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": ""}, "a.json"},
		{"with more after the sidecar", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "{} {}"}, "more after"},
		{"with a key that is not known", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"mailfrom": "x"}`}, "mailfrom"},
		{"with an address that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"ip": "192.0.2.300"}`}, "a.json"},
		{"with a verdict that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"verdict": "rejected"}}`}, `"rejected" is no verdict`},
		{"with a disposition that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"disposition": "pass"}}`}, `"pass" is no disposition`},
		{"with a result of spf that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"spf": "ok"}}`}, `"ok" is no spf`},
		{"with a result of dkim that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"dkim": ["pass", ""]}}`}, `"" is no result of dkim`},
		{"with a fault that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"faults": {"example.com": "broken"}}`}, `fault at "example.com"`},
		{"with a fault at no name", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"faults": {"a..b": "timeout"}}`}, `fault at "a..b"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := files(t, tt.files)
			wantText(t, failure(t, func(t testing.TB) { Load(t, dir) }), tt.want)
		})
	}
}

func TestADirectoryWithoutMessagesFailsTheTest(t *testing.T) {
	wantText(t, failure(t, func(t testing.TB) { Load(t, t.TempDir()) }), "no .eml file")
	wantText(t, failure(t, func(t testing.TB) { Load(t, "nowhere") }), "nowhere")
}

func TestAFixtureHasTheNameOfAMessage(t *testing.T) {
	if _, err := Read("message.txt"); err == nil {
		t.Error("message.txt is NAME.eml")
	}
}

func FuzzSidecar(f *testing.F) {
	f.Add(`{"ip": "192.0.2.1", "mail_from": "", "now": "2026-01-31T12:00:00Z", "want": {"verdict": "pass", "dkim": ["pass"]}}`)
	f.Add(`{"faults": {"_dmarc.example.com TXT": "3s timeout", "example.com": "servfail"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		f := &Fixture{Zone: resolver.Zone{}}
		if f.readSidecar([]byte(text)) != nil {
			return
		}
		if err := f.Want.check(); err != nil {
			t.Error(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel() // so that no planted delay is waited for
		for name := range f.Zone {
			if _, err := f.Zone.Resolve(ended, resolver.Question{Name: name, Type: resolver.TypeTXT}); errors.Is(err, resolver.ErrName) {
				t.Errorf("a fault is planted where nobody can ask: %v", err)
			}
		}
	})
}
