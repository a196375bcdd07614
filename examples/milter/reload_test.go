package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/d--j/go-milter"

	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
)

// headerOf returns the fields that were added, each with its name.
func headerOf(changes []milter.ModifyAction) string {
	var b strings.Builder
	for _, c := range changes {
		if c.Type == milter.ActionInsertHeader {
			b.WriteString(c.HeaderName + ":" + c.HeaderValue + "\n")
		}
	}
	return b.String()
}

func TestEachListenerHasItsAuthservID(t *testing.T) {
	second := filepath.Join(t.TempDir(), "second")
	d := testDaemon(t, "max_connections = 1\n[[listener]]\nlisten = \"unix:"+second+"\"\nauthserv_id = \"mx2.example.net\"")
	defer d.drain()
	forged := []string{"Authentication-Results: mx.example.com; dmarc=pass", "Authentication-Results: mx2.example.net; dmarc=pass", "From: a@bank.test"}
	for _, tt := range []struct {
		socket, id string
		removed    int
	}{{socketOf(d), "mx.example.com", 1}, {second, "mx2.example.net", 2}} {
		m := connectTo(t, tt.socket, "192.0.2.7")
		changes, _ := m.send("a@bank.test", forged, "u@example.com")
		_ = m.session.Close()
		if got := headerOf(changes); !strings.HasPrefix(got, "Authentication-Results: "+tt.id+";") {
			t.Errorf("%s wrote %s", tt.id, got)
		}
		i := slices.IndexFunc(changes, func(c milter.ModifyAction) bool { return c.Type == milter.ActionChangeHeader })
		if len(changes) != 2 || changes[i].HeaderIndex != uint32(tt.removed) {
			t.Errorf("%s: changes %v", tt.id, changes)
		}
	}
}

func TestAReloadTakesWhatItCanAndSaysWhatTakesARestart(t *testing.T) {
	var log bytes.Buffer
	d := loggingDaemon(t, "", &log)
	dns := d.setup.Load().dns
	file := filepath.Join(t.TempDir(), "milter.toml")
	from := source{file: file, listen: "unix:" + socketOf(d)}
	reload := func(text string) string {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		d.reload(from)
		return log.String()
	}
	m := connect(t, d, "192.0.2.7")

	if got := reload("authserv_id = \"other.example.com\"\nlisten = [\"unix:/elsewhere\"]"); !strings.Contains(got, "configuration reloaded") || strings.Contains(got, "restart") {
		t.Errorf("log: %s", got)
	}
	useDNS(d, dns)
	if changes, _ := m.send("a@bank.test", fromBank, "u@example.com"); !strings.Contains(headerOf(changes), "Authentication-Results: other.example.com;") {
		t.Errorf("the next message of an open connection: %v", changes)
	}
	if got := reload("metrics = \"127.0.0.1:1\"\nmax_connections = 7"); !strings.Contains(got, `"keys":["max_connections","metrics"]`) {
		t.Errorf("log: %s", got)
	}
	if got := reload("rejct = \"never\""); !strings.Contains(got, "the old one stays") || !strings.Contains(got, "did you mean") {
		t.Errorf("log: %s", got)
	}
	if d.setup.Load().MaxConnections != 7 {
		t.Error("the old configuration is gone")
	}
	d.drain()
}

func TestAMessageUnderWayEndsWithTheConfigurationThatItBeganWith(t *testing.T) {
	d := testDaemon(t, `reject = "always"`)
	defer d.drain()
	m := connect(t, d, "198.51.100.9")
	m.mail("a@bank.test")
	c, err := parseConfig(`reject = "never"`)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSetup(c, "host.example.com", d.setup.Load(), d.metrics)
	if err != nil {
		t.Fatal(err)
	}
	d.setup.Store(s)
	if _, a := m.finish(fromBank, "u@example.com"); a.SMTPCode != 550 {
		t.Errorf("%v", a)
	}
}

func TestFlagsStandInPlaceOfKeys(t *testing.T) {
	dir := t.TempDir()
	zone := filepath.Join(dir, "bank.zone")
	if err := os.WriteFile(zone, []byte("bank.test. TXT \"v=spf1 ip4:192.0.2.7 -all\"\n_dmarc.bank.test. TXT \"v=DMARC1; p=reject\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "milter.toml")
	if err := os.WriteFile(file, []byte("log = \"text\"\ndns_servers = [\"192.0.2.53:53\"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d := loggingDaemon(t, "", &log)
	d.reload(source{file: file, listen: "unix:" + socketOf(d), dns: dnsflags.Flags{Zones: []string{zone}}})
	changes, _ := connect(t, d, "192.0.2.7").send("a@bank.test", fromBank, "u@example.com")
	if got := headerOf(changes); !strings.Contains(got, "dmarc=pass") {
		t.Errorf("by the zone: %s; log: %s", got, log.String())
	}
	d.drain()

	c, err := source{file: file, json: true, dns: dnsflags.Flags{Server: "192.0.2.99:53"}}.read()
	if err != nil || c.Log != "json" || !slices.Equal(c.DNSServers, []string{"192.0.2.99:53"}) {
		t.Errorf("%v: log %s, servers %q", err, c.Log, c.DNSServers)
	}
	if _, err := (source{dns: dnsflags.Flags{Zones: []string{filepath.Join(dir, "absent")}}}).read(); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a zone that is not there: %v", err)
	}
}
