package dmarctest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// Load reads the fixtures of a directory, in the order of their names: see [Read]. To
// verify them otherwise than [Run] does, go through them:
//
//	for _, f := range dmarctest.Load(t, "testdata") {
//		f.Configure = func(v *dmarc.Verifier) { v.Discovery = dmarc.PublicSuffix{} }
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
			t.Fatal(err)
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
// key may be left out, and others are an error:
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
		return nil, fmt.Errorf("%s: %w", f.sidecar, err)
	}
	return f, nil
}

// readSidecar sets what the sidecar says.
func (f *Fixture) readSidecar(text []byte) error {
	var s struct {
		IP       netip.Addr        `json:"ip"`
		HELO     string            `json:"helo"`
		MailFrom string            `json:"mail_from"`
		Now      time.Time         `json:"now"`
		Faults   map[string]string `json:"faults"`
		Want     Want              `json:"want"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after the object")
	}
	if err := s.Want.check(); err != nil {
		return err
	}
	f.Envelope = dmarc.Envelope{IP: s.IP, HELO: s.HELO, MailFrom: s.MailFrom}
	f.Now = s.Now
	f.Want = s.Want
	for question, word := range s.Faults {
		fault, err := parseFault(word)
		if err == nil {
			err = plant(f.Zone, question, fault)
		}
		if err != nil {
			return fmt.Errorf("fault at %q: %w", question, err)
		}
	}
	return nil
}
