package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestBadInputIsOneLineEachAndTheRestIsDone(t *testing.T) {
	dir := write(t, map[string]string{
		"empty.eml":       "",
		"binary.eml":      "\x00\x01\x02\xff no field here\n",
		"badzone.eml":     "From: a@example.com\n\nHello\n",
		"badzone.zone":    "example.com. TXT \"ok\"\nexample.com. A 192.0.2.300\n",
		"badip.eml":       "From: a@example.com\n\nHello\n",
		"badip.json":      `{"ip": "192.0.2.300"}`,
		"badjson.eml":     "From: a@example.com\n\nHello\n",
		"badjson.json":    `{"ip": `,
		"badfault.eml":    "From: a@example.com\n\nHello\n",
		"badfault.zone":   "example.com. TXT \"ok\"\n",
		"badfault.json":   `{"faults": {"example.com TXT": "sleepy"}}`,
		"badkey.eml":      "From: a@example.com\n\nHello\n",
		"badkey.json":     `{"mailfrom": "a@example.com"}`,
		"\x1b[31mred.eml": "",
	})
	empty := t.TempDir()
	f := verify(t, "", "-json", dir, empty, filepath.Join(dir, "nowhere.eml"), fixture("forwarded.eml"))
	if f.code != exitUsage || len(f.objects(t)) != 1 {
		t.Errorf("exit %d, %d messages done", f.code, len(f.objects(t)))
	}
	want := []string{
		`\x1b[31mred.eml: an empty file`,
		`badfault.eml: badfault.json: fault at "example.com TXT": "sleepy" is not a fault such as servfail, timeout or 3s`,
		`badip.eml: badip.json: ip "192.0.2.300" is not an IP address`,
		`badjson.eml: badjson.json: unexpected end of JSON input`,
		`badkey.eml: badkey.json: unknown key "mailfrom"`,
		`badzone.eml: badzone.zone: `,
		`binary.eml: not a message: it has no header field`,
		`empty.eml: an empty file`,
		filepath.Base(empty) + `: no messages in it`,
		`nowhere.eml: no such file or directory`,
	}
	lines := strings.Split(strings.TrimSuffix(f.stderr, "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), f.stderr)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "verify: ") || !strings.Contains(line, want[i]) {
			t.Errorf("line is %q, want it to have %q", line, want[i])
		}
	}
}

func TestWrongUsageIsOneLine(t *testing.T) {
	bad := write(t, map[string]string{"bad.zone": "example.com. A 192.0.2.300\n"})
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"an IP that does not parse", []string{"-ip", "192.0.2.300"}, "not an IP address"},
		{"an unknown flag", []string{"-loud"}, "-loud"},
		{"a flag without a value", []string{"-ip"}, "-ip"},
		{"a time that does not parse", []string{"-now", "yesterday"}, "neither RFC 3339 nor Unix seconds"},
		{"a timeout of nothing", []string{"-timeout", "0s"}, "not a duration"},
		{"no workers", []string{"-j", "0"}, "not a number from 1 to 256"},
		{"a server without a port", []string{"-dns", "192.0.2.53"}, "not HOST:PORT"},
		{"an id that forges a field", []string{"-authserv-id", "mx\r\nX: y"}, "not a host name"},
		{"a zone file and a server", []string{"-zone", "a", "-dns", "192.0.2.53:53"}, "exclude each other"},
		{"a zone file that is not there", []string{"-zone", "/nowhere.zone"}, "no such file"},
		{"a zone file with an error", []string{"-zone", filepath.Join(bad, "bad.zone")}, "line: 1"},
		{"an address alone", []string{"-ip", "192.0.2.1"}, "needs -ip and one of -from and -helo"},
		{"a name alone", []string{"-helo", "mx.example.com"}, "needs -ip and one of -from and -helo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := verify(t, "", tt.args...)
			if f.code != exitUsage || f.stdout != "" || strings.Count(f.stderr, "\n") != 1 || !strings.Contains(f.stderr, tt.want) {
				t.Errorf("exit %d, stdout %q, stderr %q", f.code, f.stdout, f.stderr)
			}
		})
	}
}

func TestAZoneThatTheFlagReplacesMayBeBroken(t *testing.T) {
	dir := write(t, map[string]string{
		"a.eml":  "From: a@example.com\n\nHello\n",
		"a.zone": "example.com. A 192.0.2.300\n",
		"a.json": `{"mail_from": "a@example.com", "faults": {"example.com": "servfail"}}`,
	})
	f := verify(t, "", "-json", "-zone", fixture("forwarded.zone"), dir)
	if f.code != exitFailed || f.stderr != "" {
		t.Errorf("exit %d, stderr %q", f.code, f.stderr)
	}
}
