package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSPFAlone(t *testing.T) {
	zone := fixture("shop-through-provider.zone")
	for _, tt := range []struct {
		name   string
		args   []string
		domain string
		status string
		helo   any
		code   int
	}{
		{"MAIL FROM", []string{"-ip", "192.0.2.25", "-from", "a@em.parcelpost.example"}, "em.parcelpost.example", "pass", nil, exitOK},
		{"MAIL FROM and HELO", []string{"-ip", "198.51.100.10", "-from", "a@tulips.example", "-helo", "out7.parcelpost.example"}, "tulips.example", "pass", "fail", exitOK},
		{"the null sender", []string{"-ip", "192.0.2.25", "-from", "", "-helo", "out7.parcelpost.example"}, "out7.parcelpost.example", "pass", "pass", exitOK},
		{"HELO alone", []string{"-ip", "192.0.2.9", "-helo", "out7.parcelpost.example"}, "out7.parcelpost.example", "fail", "fail", exitFailed},
		{"IPv6", []string{"-ip", "2001:db8:25::1", "-from", "a@em.parcelpost.example"}, "em.parcelpost.example", "pass", nil, exitOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := verify(t, "", append([]string{"-json", "-zone", zone}, tt.args...)...)
			o := one(t, f)
			var helo any
			if o["helo"] != nil {
				helo = at(o, "helo", "status")
			}
			if f.code != tt.code || at(o, "spf", "domain") != tt.domain || at(o, "spf", "status") != tt.status || helo != tt.helo {
				t.Errorf("exit %d, %v", f.code, o)
			}
			f = verify(t, "", append([]string{"-v", "-zone", zone}, tt.args...)...)
			if f.code != tt.code || !strings.Contains(f.stdout, "DNS questions: ") {
				t.Errorf("exit %d:\n%s", f.code, f.stdout)
			}
		})
	}
}

func TestAMessageThatIsNotReadIsNotTakenForOneThatPasses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(name, []byte("From: a@example.com\n\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	message, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	zone := write(t, map[string]string{"dns.zone": "example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"})
	args := []string{"-zone", filepath.Join(zone, "dns.zone"), "-ip", "192.0.2.1", "-from", "a@example.com"}
	for stdin, want := range map[io.Reader]bool{message: true, strings.NewReader(""): false} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, stdin, &out, &errs); code != exitOK || strings.Contains(errs.String(), "standard input is not read") != want {
			t.Errorf("status %d, %q, want a word: %v", code, &errs, want)
		}
	}
}
