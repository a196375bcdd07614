package dmarctest

import (
	"context"
	"encoding"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
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
		{"with a key that is not known", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "{\n\n\t\"mailfrom\": \"x\"}"}, `a.json:3: unknown key "mailfrom": did you mean "mail_from"?`},
		{"with a key that nobody can guess", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"client": "x"}`}, `unknown key "client": known are faults, helo, ip, mail_from, now, want`},
		{"with an expectation that is not known", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "{\"want\":\n {\n\"Verdict\": \"pass\"}}"}, `a.json:3: want: unknown key "Verdict": did you mean "verdict"?`},
		{"with a comma too much", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "{\"helo\": \"x\",\n}"}, "a.json:2: "},
		{"with a sidecar that is cut off", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "{\"helo\": \"x\""}, "a.json:1: "},
		{"with a time that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"now": "yesterday"}`}, "a.json:1: now: "},
		{"with an address that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": "{\"helo\": \"x\",\n\"ip\": \"192.0.2.300\"}"}, "a.json:2: ip: "},
		{"with a verdict that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"verdict": "rejected"}}`}, `a.json:1: want.verdict: "rejected" is not one of`},
		{"with a disposition that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"disposition": "pass"}}`}, `a.json:1: want.disposition: "pass" is not one of`},
		{"with a result of spf that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"spf": "ok"}}`}, `a.json:1: want.spf: "ok" is not one of`},
		{"with a result of dkim that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"want": {"dkim": ["pass", ""]}}`}, `a.json:1: want.dkim: "" is not one of`},
		{"with a fault that is none", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"faults": {"example.com": "broken"}}`}, `a.json:1: faults.example.com: "broken" is not a fault`},
		{"with a fault at no name", map[string]string{"a.eml": eml, "a.zone": zone, "a.json": `{"faults": {"a..b": "timeout"}}`}, `a.json:1: faults.a..b: `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := files(t, tt.files)
			if _, err := Read(filepath.Join(dir, "a.eml")); err == nil {
				t.Error("Read says nothing of it")
			}
			var list []*Fixture
			if got := failure(t, func(t testing.TB) { list = Load(t, dir) }); got != "" || len(list) != 1 {
				t.Fatalf("%d fixtures, and the test around them fails: %s", len(list), got)
			}
			wantText(t, failure(t, func(t testing.TB) { list[0].Check(t) }), tt.want)
		})
	}
}

func TestANullInASidecarIsNothing(t *testing.T) {
	f := &Fixture{Zone: resolver.Zone{}}
	if err := f.readSidecar([]byte(`{"ip": null, "helo": null, "now": null, "faults": null, "want": null}`)); err != nil {
		t.Error(err)
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
		for word, value := range map[string]encoding.TextUnmarshaler{
			f.Want.Verdict: new(dmarc.Status), f.Want.Disposition: new(dmarc.Disposition), f.Want.SPF: new(spf.Status),
		} {
			if word != "" && value.UnmarshalText([]byte(word)) != nil {
				t.Errorf("%q is expected, which no result ever is", word)
			}
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
