package dmarctest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

// Load reads the fixtures of a directory, in the order of their names: see [Read]. One that
// cannot be read fails the test that verifies or checks it, and no other. To verify them
// otherwise than [Run] does, go through them:
//
//	for _, f := range dmarctest.Load(t, "testdata") {
//		f.Configure = func(v *dmarc.Verifier) { v.Discovery.Mode = discovery.PublicSuffix }
//		t.Run(f.Name, func(t *testing.T) { f.Check(t) })
//	}
func Load(t testing.TB, dir string) []*Fixture {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []*Fixture
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".eml" {
			continue
		}
		f, err := Read(filepath.Join(dir, e.Name()))
		if err != nil {
			f = &Fixture{Name: strings.TrimSuffix(e.Name(), ".eml"), broken: err}
		}
		list = append(list, f)
	}
	if len(list) == 0 {
		t.Fatalf("no .eml file in %s", dir)
	}
	return list
}

// Read reads a fixture: the file NAME.eml at path, and two files beside it, which have to be
// there:
//
//   - NAME.zone is all of DNS, in the format of RFC 1035: see [resolver.ParseZone].
//   - NAME.json is the sidecar, as below.
//
// The sidecar is the envelope, the time, what is wrong with DNS, and what is expected. Each
// key may be left out, and others are an error, which names the line:
//
//	{
//	  "ip": "192.0.2.1",
//	  "helo": "mail.example.com",
//	  "mail_from": "bounces@example.com",
//	  "now": "2026-01-31T12:00:00Z",
//	  "faults": {"_dmarc.example.com TXT": "servfail", "example.com": "3s"},
//	  "want": {"verdict": "pass", "disposition": "none", "spf": "pass", "dkim": ["pass", "fail"]}
//	}
//
// A fault is planted at a question, as by [Plant]. It is an error (nxdomain, nodata,
// servfail, refused, formerr, timeout, unreachable, malformed), a delay, or a delay and
// then an error: "3s timeout".
func Read(path string) (*Fixture, error) {
	base := strings.TrimSuffix(path, ".eml")
	if base == path {
		return nil, fmt.Errorf("%s is not called NAME.eml", path)
	}
	f := &Fixture{Name: filepath.Base(base), sidecar: base + ".json"}
	var err error
	if f.Message, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	zone, err := os.ReadFile(base + ".zone")
	if err != nil {
		return nil, err
	}
	if f.Zone, err = resolver.ParseZone(bytes.NewReader(zone), base+".zone"); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.sidecar)
	if err != nil {
		return nil, err
	}
	if err := f.readSidecar(text); err != nil {
		return nil, err
	}
	return f, nil
}
