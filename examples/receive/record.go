package main

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

// record tells the operator of a message that came by SMTP: it is counted for aggregate reports, and its
// JSON is written, where the options ask for that. It was refused, or else taken whatever the verdict is.
func (s *server) record(r *dmarc.Result, recipient string, refused bool, json []byte) {
	d := aggregate.Delivery{Recipients: []string{recipient}}
	switch {
	case refused:
		d.Disposition = r.DMARC.Disposition
	case r.DMARC.Disposition != dmarc.DispositionNone:
		d.Reasons = []aggregate.Reason{{Type: dmarc.OverrideLocal, Comment: "all mail is taken"}}
	}
	s.counter.Add(r, d)
	if s.json != nil {
		s.jsonMu.Lock()
		defer s.jsonMu.Unlock()
		_, _ = s.json.Write(json)
	}
}
