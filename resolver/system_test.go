package resolver

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestResolvConfIsReadAgainWhenItChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	write := func(text string, modified time.Time) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	day := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	c := &Client{system: systemServers{path: file}}
	for i, tt := range []struct {
		text string
		want []string
	}{
		{"search example.com\nnameserver 192.0.2.1\nnameserver 2001:db8::1\noptions ndots:5\n", []string{"192.0.2.1:53", "[2001:db8::1]:53"}},
		{"nameserver 192.0.2.2\n", []string{"192.0.2.2:53"}},
		{"nameserver 192.0.2.3\n", []string{"192.0.2.3:53"}}, // of the same size
		{"nameserver dns.example\n# nameserver 192.0.2.4\n", []string{"127.0.0.1:53", "[::1]:53"}},
		{"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", []string{"192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"}},
	} {
		write(tt.text, day.Add(time.Duration(i)*time.Second))
		if got := c.order(); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	write("nameserver 192.0.2.77 \n", day) // of another size, with an earlier time
	if got := c.order(); !slices.Equal(got, []string{"192.0.2.77:53"}) {
		t.Errorf("%q", got)
	}
	if got := c.system.list(true); !slices.Equal(got, []string{"192.0.2.77:853"}) {
		t.Errorf("over TLS: %q", got)
	}
}

func TestWithoutResolvConfTheStandardLibraryKnowsTheServers(t *testing.T) {
	c := &Client{system: systemServers{path: filepath.Join(t.TempDir(), "none")}}
	if got := c.order(); len(got) == 0 {
		t.Error("no servers")
	}
}
