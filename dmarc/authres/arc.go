package authres

import (
	"strconv"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc"
)

// arcResults returns the result for the chain of seals, if there is one. RFC 8617, section 7,
// knows none, pass and fail only: what DNS left open is a fail to others.
func arcResults(r *dmarc.Result) []Result {
	if r.ARC == nil || r.ARC.Status == arc.StatusNone {
		return nil
	}
	e := Result{Method: "arc", Value: arc.StatusFail.String()}
	if r.Envelope.IP.IsValid() {
		add(&e, "smtp", "remote-ip", r.Envelope.IP.Unmap().WithZone("").String())
	}
	if r.ARC.Status == arc.StatusPass {
		e.Value = arc.StatusPass.String()
		add(&e, "header", "oldest-pass", strconv.Itoa(r.ARC.OldestPass))
	}
	return []Result{e}
}
