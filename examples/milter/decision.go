package main

import (
	"github.com/mailverdict/mailverdict/dmarc"
)

// An action is what is done with a message. The words go into logs and metrics.
type action string

const (
	actionAccept   action = "accept"
	actionMark     action = "mark"
	actionReject   action = "reject"
	actionTempFail action = "tempfail"
	actionSkip     action = "skip"   // it was not checked
	actionShadow   action = "shadow" // it was compared
)

// Terms are what the configuration says about one message.
type terms struct {
	enforce bool // false for clients that are marked only
	exempt  bool // the sender or one of the recipients is exempt
}

// decide says what is done with a message by its result: a function of its input. The verifier of the
// configuration has made reject, unless-indirect and temperror part of the result.
//
// The verdict that it returns is that of the result, whose Disposition and Override say what is done
// in its place where that differs.
func decide(r *dmarc.Result, t terms) (action, dmarc.Verdict) {
	v := r.DMARC
	instead := func(d dmarc.Disposition, why string) {
		v.Disposition = d
		v.Override = &dmarc.Override{Type: dmarc.OverrideLocal, Comment: why}
	}
	if v.Disposition == dmarc.DispositionReject || v.Disposition == dmarc.DispositionTempFail {
		softer := dmarc.DispositionQuarantine
		if v.Disposition == dmarc.DispositionTempFail {
			softer = dmarc.DispositionNone
		}
		switch {
		case t.exempt:
			instead(softer, "exempt address")
		case !t.enforce:
			instead(softer, "known client")
		}
	}
	switch v.Disposition {
	case dmarc.DispositionReject:
		return actionReject, v
	case dmarc.DispositionTempFail:
		return actionTempFail, v
	case dmarc.DispositionQuarantine:
		return actionMark, v
	default:
		return actionAccept, v
	}
}
