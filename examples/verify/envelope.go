package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/header"
)

// Origins say where the parts of an envelope were taken from.
type origins struct {
	IP       string `json:"ip"`
	HELO     string `json:"helo"`
	MailFrom string `json:"mail_from"`
}

const (
	fromFlag       = "flags"
	fromSidecar    = "sidecar file"
	fromReturnPath = "Return-Path field"
	fromNowhere    = "not known"
)

// errNotAMessage is what is wrong with a file that has nothing in it that could be a header.
var errNotAMessage = errors.New("not a message: it has no header field")

// readHeader reads a message up to the end of its header, and returns the fields and a
// reader for all of the message. A header beyond the limits of package header has no fields
// here: the verifier will say what is wrong with it.
func readHeader(r io.Reader) ([]header.Field, io.Reader, error) {
	var splitter header.Splitter
	var head bytes.Buffer
	chunk := make([]byte, 8<<10)
	for {
		n, err := r.Read(chunk)
		head.Write(chunk[:n])
		if err != nil && err != io.EOF {
			return nil, nil, cause(err)
		}
		_, _, limit := splitter.Next(chunk[:n])
		if err == io.EOF && limit == nil {
			limit = splitter.End()
		}
		block, done := splitter.Header()
		if !done && limit == nil {
			continue
		}
		fields := header.Parse(block).Fields
		if !hasField(block, fields) {
			return nil, nil, errNotAMessage
		}
		if limit != nil {
			fields = nil
		}
		return fields, io.MultiReader(&head, r), nil
	}
}

// hasField reports whether a header has a field, or a line that looks like one when white
// space before it is left aside: that is a fault, on which the verifier has a verdict.
func hasField(block []byte, fields []header.Field) bool {
	for _, f := range fields {
		if len(f.Name()) > 0 {
			return true
		}
	}
	for line := range bytes.Lines(block) {
		name, _, colon := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if colon && len(name) > 0 && header.IsName(name) {
			return true
		}
	}
	return false
}

// envelope finds out what the SMTP session knew: what flags say goes before the sidecar, and
// that before the header.
func (o *options) envelope(s *sidecar, fields []header.Field) (dmarc.Envelope, origins) {
	if s == nil {
		s = &sidecar{}
	}
	var e dmarc.Envelope
	from := origins{fromNowhere, fromNowhere, fromNowhere}
	client, number, traced := topmostClient(fields)
	received := fmt.Sprintf("Received field %d", number)

	switch {
	case o.ip.IsValid():
		e.IP, from.IP = o.ip, fromFlag
	case s.ip.IsValid():
		e.IP, from.IP = s.ip, fromSidecar
	case traced:
		e.IP, from.IP = client.ip, received
	}
	switch {
	case o.helo != nil:
		e.HELO, from.HELO = *o.helo, fromFlag
	case s.helo != nil:
		e.HELO, from.HELO = *s.helo, fromSidecar
	case traced && client.ip == e.IP && client.helo != "":
		// A name that another host gave is not that of this one.
		e.HELO, from.HELO = client.helo, received
	}
	path, found := returnPath(fields)
	switch {
	case o.from != nil:
		e.MailFrom, from.MailFrom = *o.from, fromFlag
	case s.mailFrom != nil:
		e.MailFrom, from.MailFrom = *s.mailFrom, fromSidecar
	case found:
		e.MailFrom, from.MailFrom = path, fromReturnPath
	default:
		// Empty would be the null sender, for whom the HELO name speaks.
		e.MailFromUnknown = true
	}
	return e, from
}

// returnPath returns the address of the topmost Return-Path field.
func returnPath(fields []header.Field) (string, bool) {
	for _, f := range fields {
		if f.Is("return-path") {
			return reversePath(header.Unfold(f.Body())), true
		}
	}
	return "", false
}
