package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/dmarc/inspect/bulk"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// A checked is the message of -message with its verdict, and the rules of large receivers.
type checked struct {
	File    string           `json:"file"`
	Verdict dmarc.Verdict    `json:"dmarc"`
	From    envelope.Origins `json:"envelope_from"`
	Notes   []string         `json:"notes,omitempty"`

	bulk   []bulk.Result
	result *dmarc.Result
}

// beside reads what stands beside the message of -message, as examples/verify does: never nil.
func (o *options) beside() (s *sidecar.Sidecar, err error) {
	base := strings.TrimSuffix(o.message, filepath.Ext(o.message))
	session, zone := sidecar.File{Name: base + ".json"}, sidecar.File{Name: base + ".zone"}
	if o.message != "-" && o.message != "" {
		for _, f := range []*sidecar.File{&session, &zone} {
			if f.Text, err = os.ReadFile(f.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	if len(o.dns.Zones) > 0 || o.dns.Server != "" {
		s, err = sidecar.ReadSession(session)
	} else {
		s, err = sidecar.Read(session, zone)
	}
	if s == nil {
		s = &sidecar.Sidecar{}
	}
	return s, err
}

// verify verifies the message of -message, and holds it against the rules.
func (o *options) verify(ctx context.Context, beside *sidecar.Sidecar, inspector *inspect.Inspector, stdin io.Reader) (*checked, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	source := stdin
	if o.message != "-" {
		f, err := os.Open(o.message)
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, fmt.Errorf("%s: %w", o.message, failed.Err)
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		source = f
	}
	c := &checked{File: o.message}
	r, err := saved.Unwrap(bufio.NewReaderSize(source, saved.ReadAhead), &c.Notes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.message, err)
	}
	m := saved.NewMessage(r)
	fields, body, err := saved.ReadHeader(m.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.message, err)
	}
	var session dmarc.Envelope
	session, c.From = envelope.Find(fields, envelope.Known{Origin: "flags", IP: o.ip, HELO: o.helo, MailFrom: o.from},
		envelope.Known{Origin: "sidecar file", IP: beside.IP, HELO: beside.HELO, MailFrom: beside.MailFrom})
	if missing := c.From.Missing(); missing != "" {
		c.From.Doubts = append(c.From.Doubts, missing+" Give -ip, -helo and -from if you know them.")
	}
	head := &headCopy{}
	verifier := dmarc.Verifier{Resolver: inspector.Resolver}
	if !beside.Now.IsZero() {
		verifier.Now = func() time.Time { return beside.Now }
	}
	verifier.SPF.Trace = true // the explanation goes through the record term by term
	result, err := verifier.Verify(ctx, session, io.TeeReader(body, head))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.message, err)
	}
	c.Notes = append(append(c.Notes, m.Notes...), m.Late()...)
	c.result, c.Verdict = result, result.DMARC
	c.bulk = bulk.Check(ctx, inspector.Resolver, bulk.Message{Result: result, Header: head.header()})
	return c, nil
}

// selectors returns the selectors of signatures that are of a domain.
func (c *checked) selectors(domain string) []string {
	var list []string
	for _, d := range c.result.DKIM {
		if d.Domain == domain && d.Selector != "" {
			list = append(list, d.Selector)
		}
	}
	return list
}

// senders returns the domains by which the message was sent.
func (c *checked) senders() []string {
	var list []string
	for _, i := range c.result.DMARC.Identifiers {
		list = append(list, i.Domain)
	}
	return list
}

// A headCopy keeps what a message begins with.
type headCopy struct{ text bytes.Buffer }

func (h *headCopy) Write(p []byte) (int, error) {
	if room := saved.MaxHeader - h.text.Len(); room > 0 {
		h.text.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// header returns the header: all up to the empty line.
func (h *headCopy) header() []byte {
	text := h.text.Bytes()
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(text, []byte(end)); i >= 0 {
			text = text[:i+len(end)/2]
		}
	}
	return text
}

// write says what came of the message, and what is to be known of how it was read.
func (c *checked) write(w io.Writer, screen terminal.Screen) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", screen.Rule(c.File, "")); err != nil {
		return err
	}
	for _, line := range c.lines() {
		if _, err := fmt.Fprintln(w, screen.Wrap(terminal.Printable(line), "  ")); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	if err := explain.Explain(c.result).Text(w, explain.TextOptions{Width: screen.Width, Color: screen.Color, Brief: true}); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := bulk.Text(w, c.bulk, bulk.TextOptions{Width: screen.Width, Color: screen.Color}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (c *checked) lines() []string {
	list := []string{"The session is taken from: " + c.From.String() + "."}
	for _, doubt := range c.From.Doubts {
		list = append(list, "Doubt: "+doubt)
	}
	for _, note := range c.Notes {
		list = append(list, "Note: "+strings.TrimSuffix(note, ".")+".")
	}
	return list
}
