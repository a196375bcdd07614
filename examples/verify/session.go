package main

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/examples/received"
)

// session finds out what the SMTP session knew: what flags say goes before the sidecar, and
// that before the header.
func (o *options) session(s *sidecar.Sidecar, header []received.Field) (dmarc.Envelope, envelope.Origins) {
	if s == nil {
		s = &sidecar.Sidecar{}
	}
	e, from := envelope.Find(header,
		envelope.Known{Origin: "flags", IP: o.ip, HELO: o.helo, MailFrom: o.from},
		envelope.Known{Origin: "sidecar file", IP: s.IP, HELO: s.HELO, MailFrom: s.MailFrom})
	if missing := from.Missing(); missing != "" {
		from.Doubts = append(from.Doubts, "SPF could not be checked, and the verdict rests on DKIM alone: "+missing+" "+give(from))
	}
	return e, from
}

// give says which flags tell what is missing.
func give(from envelope.Origins) string {
	switch {
	case from.IP == envelope.FromNowhere && from.MailFrom == envelope.FromNowhere:
		return "Give -ip and -from if you know them."
	case from.IP == envelope.FromNowhere:
		return "Give -ip if you know the address."
	}
	return "Give -from if you know it."
}
