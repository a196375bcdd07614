package main

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/received"
)

// Origins say where the parts of an envelope were taken from.
type origins struct {
	IP       string `json:"ip"`
	HELO     string `json:"helo"`
	MailFrom string `json:"mail_from"`

	// Doubts say why the client may be another one, in a sentence each.
	Doubts []string `json:"doubts,omitempty"`
}

const (
	fromFlag       = "flags"
	fromSidecar    = "sidecar file"
	fromReturnPath = "Return-Path field"
	fromNowhere    = "not known"
)

// envelope finds out what the SMTP session knew: what flags say goes before the sidecar, and
// that before the header.
func (o *options) envelope(s *sidecar, header []received.Field) (dmarc.Envelope, origins) {
	if s == nil {
		s = &sidecar{}
	}
	var e dmarc.Envelope
	from := origins{IP: fromNowhere, HELO: fromNowhere, MailFrom: fromNowhere}
	client := received.Find(header)

	switch {
	case o.ip.IsValid():
		e.IP, from.IP = o.ip, fromFlag
	case s.ip.IsValid():
		e.IP, from.IP = s.ip, fromSidecar
	case client.IP.IsValid():
		e.IP, from.IP, from.Doubts = client.IP, client.IPField, client.Doubts
	default:
		from.Doubts = client.Doubts
	}
	switch {
	case o.helo != nil:
		e.HELO, from.HELO = *o.helo, fromFlag
	case s.helo != nil:
		e.HELO, from.HELO = *s.helo, fromSidecar
	case client.HELO != "" && client.IP == e.IP:
		// A name that another host gave is not that of this one.
		e.HELO, from.HELO = client.HELO, client.HELOField
	}
	path, found := returnPath(header)
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
	if missing := from.missing(); missing != "" {
		from.Doubts = append(from.Doubts, "SPF could not be checked, and the verdict rests on DKIM alone: "+missing)
	}
	return e, from
}

// missing says what SPF would need, or is empty.
func (o origins) missing() string {
	switch {
	case o.IP == fromNowhere && o.MailFrom == fromNowhere:
		return "the message names neither its client nor its MAIL FROM. Give -ip and -from if you know them."
	case o.IP == fromNowhere:
		return "no field of the message names its client. Give -ip if you know the address."
	case o.MailFrom == fromNowhere:
		return "no Return-Path field tells its MAIL FROM. Give -from if you know it."
	}
	return ""
}

// returnPath returns the address of the topmost Return-Path field.
func returnPath(header []received.Field) (string, bool) {
	for _, f := range header {
		if f.Is("Return-Path") {
			return reversePath(f.Body), true
		}
	}
	return "", false
}
