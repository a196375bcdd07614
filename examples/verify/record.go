package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

// A recording writes a message as a fixture, while it is read: NAME.eml has its octets as the
// verifier got them, NAME.zone the DNS answers that it needed, and NAME.json the envelope, the
// time, DNS failures, and the verdict. Package dmarctest makes a test of them.
type recording struct {
	base string // path of the files without extension
	eml  *os.File
	err  error // of the first write that failed
}

// record begins a recording in a directory.
func record(dir, file string) (*recording, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	name := fixtureName(file)
	for n := 1; ; n++ {
		base := filepath.Join(dir, name)
		if n > 1 {
			base = fmt.Sprintf("%s-%d", base, n)
		}
		// What was recorded before may have been edited.
		eml, err := os.OpenFile(base+".eml", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return &recording{base: base, eml: eml}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

// fixtureName returns the name of a fixture for a message, as the output calls it: "archive-3"
// for archive.mbox#3.
func fixtureName(file string) string {
	base, number, _ := strings.Cut(filepath.Base(file), "#")
	base = strings.TrimSuffix(base, ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if number != "" {
		base += "-" + number
	}
	name := strings.Map(func(c rune) rune {
		if c > '~' || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", c) {
			return '-'
		}
		return c
	}, base)
	if strings.Trim(name, "-.") == "" {
		return "message"
	}
	return name
}

// Write takes octets of the message. It does not fail: finish says what went wrong.
func (r *recording) Write(p []byte) (int, error) {
	if r.err == nil {
		_, r.err = r.eml.Write(p)
	}
	return len(p), nil
}

// abandon removes what was written of a message without a result.
func (r *recording) abandon() {
	r.eml.Close()
	os.Remove(r.base + ".eml")
}

// finish writes the rest of the fixture.
func (r *recording) finish(result *dmarc.Result, events []trace.Event) error {
	err := errors.Join(r.err, r.eml.Close())
	if err != nil {
		return err
	}
	zone := zoneText(events)
	faults, err := faultsOf(zone, events)
	if err != nil {
		return err
	}
	sidecar, err := json.MarshalIndent(newFixtureSidecar(result, faults), "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(r.base+".zone", []byte(zone), 0o666),
		os.WriteFile(r.base+".json", append(sidecar, '\n'), 0o666))
}

// A fixtureSidecar is the content of NAME.json: see package dmarctest.
type fixtureSidecar struct {
	IP       string            `json:"ip,omitempty"`
	HELO     *string           `json:"helo,omitempty"`
	MailFrom *string           `json:"mail_from,omitempty"`
	Now      time.Time         `json:"now"`
	Faults   map[string]string `json:"faults,omitempty"`
	Want     fixtureWant       `json:"want"`
}

type fixtureWant struct {
	Verdict     dmarc.Status      `json:"verdict"`
	Disposition dmarc.Disposition `json:"disposition"`
	SPF         string            `json:"spf"`
	DKIM        []string          `json:"dkim"`
}

func newFixtureSidecar(r *dmarc.Result, faults map[string]string) fixtureSidecar {
	s := fixtureSidecar{
		Now:    r.Time.UTC().Truncate(time.Second),
		Faults: faults,
		Want:   fixtureWant{Verdict: r.DMARC.Status, Disposition: r.DMARC.Disposition, SPF: spfWord(r.SPF), DKIM: []string{}},
	}
	if r.Envelope.IP.IsValid() {
		s.IP = r.Envelope.IP.String()
	}
	// Without a MAIL FROM the HELO name would speak for the null sender, which nobody knows
	// this to be.
	if !r.Envelope.MailFromUnknown {
		s.HELO, s.MailFrom = &r.Envelope.HELO, &r.Envelope.MailFrom
	}
	for _, d := range r.DKIM {
		s.Want.DKIM = append(s.Want.DKIM, d.Status.String())
	}
	return s
}

// faultsOf returns what has to be planted in a zone so that it answers every question as it
// was answered: DNS failures, and names of which the zone cannot tell whether they exist.
func faultsOf(text string, events []trace.Event) (map[string]string, error) {
	zone, err := resolver.ParseZone(strings.NewReader(text), "the answers")
	if err != nil {
		return nil, err
	}
	faults := map[string]string{}
	for _, e := range events {
		// A question that was given up is not needed. A name with an escape is none that a
		// fault can be planted at.
		if e.Err == nil || errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, resolver.ErrLimit) ||
			presentation(e.Question.Name) != e.Question.Name {
			continue
		}
		word := faultWord(e.Err)
		if _, err := zone.Resolve(context.Background(), e.Question); err == nil || faultWord(err) != word {
			faults[e.Question.String()] = word
		}
	}
	return faults, nil
}

// faultWord returns the word of a sidecar for an error. ErrNotFound, which does not say how it
// is not found, is nxdomain; what else has no word is servfail.
func faultWord(err error) string {
	for _, f := range sidecar.FaultWords() {
		if errors.Is(err, f.Err) {
			return f.Word
		}
	}
	switch {
	case errors.Is(err, resolver.ErrNotFound):
		return "nxdomain"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "servfail"
}
