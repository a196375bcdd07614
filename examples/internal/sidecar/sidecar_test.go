package sidecar

import (
	"errors"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

func TestSidecarsSayWhatTheySay(t *testing.T) {
	s := Sidecar{Zone: resolver.Zone{"example.com": {TXT: []string{"x"}}}}
	err := s.parse([]byte(`{"ip": "::ffff:192.0.2.1", "helo": "", "mail_from": "<a@example.com>", "now": "1789374612",
		"faults": {"Example.com. TXT": "servfail", "slow.example.com": "3s timeout"}, "want": {"verdict": "pass"}}`), true)
	if err != nil {
		t.Fatal(err)
	}
	if s.IP.String() != "192.0.2.1" || s.HELO == nil || *s.HELO != "" || *s.MailFrom != "a@example.com" || s.Now.Unix() != 1789374612 {
		t.Errorf("%+v", s)
	}
	if _, err := s.Zone.Resolve(t.Context(), resolver.Question{Name: "example.com", Type: resolver.TypeTXT}); !errors.Is(err, resolver.ErrServFail) {
		t.Errorf("the fault gives %v", err)
	}
	if f := s.Zone["slow.example.com"].Fault; f.Delay != 3*time.Second || f.Err != resolver.ErrTimeout {
		t.Errorf("the fault is %+v", f)
	}
}

func TestTheTimeOfASidecarMayBeANumber(t *testing.T) {
	for _, text := range []string{`{"now": 1789374612}`, `{"now": "1789374612"}`, `{"now": "2026-09-14T08:30:12Z"}`} {
		var s Sidecar
		if err := s.parse([]byte(text), true); err != nil || s.Now.Unix() != 1789374612 {
			t.Errorf("%s: %v, %v", text, s.Now, err)
		}
	}
}

func TestWhatIsWrongWithASidecarIsSaidInPlainWords(t *testing.T) {
	for text, want := range map[string]string{
		`{"mailfrom": "a@example.com"}`: `unknown key "mailfrom": it has ip, helo, mail_from, now, faults and want`,
		`{"IP": "192.0.2.1"}`:           `unknown key "IP": it has ip, helo, mail_from, now, faults and want`,
		`{"ip": 192}`:                   "ip is not a string",
		`{"mail_from": ["a"]}`:          "mail_from is not a string",
		`{"now": true}`:                 "now is not a string or a number",
		`{"now": 1.5}`:                  `now "1.5" is neither RFC 3339 nor Unix seconds`,
		`{"faults": "servfail"}`:        "faults is not an object of strings",
		`{"faults": {"a": 1}}`:          "faults is not an object of strings",
		`[]`:                            "not a JSON object",
		`null`:                          "not a JSON object",
		`"x"`:                           "not a JSON object",
	} {
		if err := (&Sidecar{}).parse([]byte(text), true); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestSidecarsThatAreWrong(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"an address that is none", `{"ip": "192.0.2"}`},
		{"an address with a zone", `{"ip": "fe80::1%eth0"}`},
		{"a time that is none", `{"now": "soon"}`},
		{"a type that is none", `{"faults": {"example.com SPF": "servfail"}}`},
		{"a fault that is empty", `{"faults": {"example.com": ""}}`},
		{"a fault with two errors", `{"faults": {"example.com": "servfail timeout"}}`},
		{"a delay into the past", `{"faults": {"example.com": "-3s"}}`},
		{"no object", `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Sidecar{Zone: resolver.Zone{}}
			if s.parse([]byte(tt.text), true) == nil {
				t.Errorf("read as %+v", s)
			}
		})
	}
	if (&Sidecar{}).parse([]byte(`{"faults": {"example.com": "servfail"}}`), true) == nil {
		t.Error("faults without a zone are taken")
	}
}

func FuzzSidecar(f *testing.F) {
	f.Add([]byte(`{"ip": "192.0.2.1", "now": "2026-01-31T12:00:00Z", "faults": {"a TXT": "3s timeout"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := Sidecar{Zone: resolver.Zone{}}
		if s.parse(text, true) == nil && s.IP.IsValid() && s.IP.Zone() != "" {
			t.Errorf("%+v", s)
		}
	})
}
