package main

import (
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc"
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

// envelope finds out what the SMTP session knew: what flags say goes before the sidecar, and
// that before the header.
func (o *options) envelope(s *sidecar, fields []field) (dmarc.Envelope, origins) {
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
func returnPath(fields []field) (string, bool) {
	for _, f := range fields {
		if f.is("Return-Path") {
			return reversePath(f.body), true
		}
	}
	return "", false
}
