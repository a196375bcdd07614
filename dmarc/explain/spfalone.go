package explain

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// ExplainSPF explains a check of SPF alone, as of a session whose message has not come yet. The
// result is for MAIL FROM; helo, that for HELO, may be nil.
func ExplainSPF(e dmarc.Envelope, result, helo *spf.Result) *Explanation {
	r := &dmarc.Result{Envelope: e, SPF: result, HELO: helo}
	explained := &Explanation{Answer: spfAnswer(r)}
	explained.Answer.escape()
	explained.Steps = []Step{sessionStep(r)}
	for _, s := range spfSteps(r) {
		if s.Kind != KindHELO || helo != nil {
			explained.Steps = append(explained.Steps, s)
		}
	}
	for i := range explained.Steps {
		explained.Steps[i].escape()
	}
	return explained
}

// spfAnswer is the answer to the question whether a server may send mail for a domain.
func spfAnswer(r *dmarc.Result) Answer {
	res := r.SPF
	if res == nil {
		return Answer{}
	}
	name, ip := visible.Domain(res.Domain), client(&r.Envelope)
	a := Answer{Tone: spfTone(res.Status)}
	say := func(verdict, sentence string) { a.Verdict, a.Sentences = verdict, []string{sentence} }
	known := r.Envelope.IP.IsValid()
	switch res.Status {
	case spf.StatusPass:
		say("PASS: "+name+" lets "+ip+" send its mail.", "Its SPF record lists this server.")
		a.Advice = openToAll(res)
	case spf.StatusFail:
		say("FAIL: "+name+" says that "+ip+" may not send its mail.", "Forgers fail like this, and so do forwarders.")
		a.Fixes = []Fix{allow(r)}
	case spf.StatusSoftFail:
		say("MILD FAIL: "+name+" says that "+ip+" is probably none of its servers.", "Forgers fail like this, and so do forwarders.")
		a.Fixes = []Fix{allow(r)}
	case spf.StatusNeutral:
		say("NO ANSWER: "+name+" says nothing about "+ip+".", "Its SPF record leaves open whether this server may send its mail.")
		a.Fixes = []Fix{allow(r)}
	case spf.StatusTempError:
		say("NOT KNOWN YET: whether "+name+" lets "+ip+" send its mail.", openText(res.Err))
		a.Fixes = openFixes(&dmarc.Result{DMARC: dmarc.Verdict{Err: res.Err}})
	case spf.StatusPermError:
		say("NO ANSWER: the SPF record of "+name+" cannot be used.", capital(remedy.SPFFault(res))+".")
		a.Fixes = []Fix{remedy.SPF(res)}
	default:
		say("NO ANSWER: there is nothing to check by.", capital(remedy.SPFFault(res))+".")
		switch f, ok := remedy.NearlySPF(res); {
		case ok:
			a.Fixes = []Fix{f}
		case known && name != visible.Domain(""):
			a.Fixes = []Fix{allow(r)}
		}
	}
	if !known {
		a.Fixes = nil
	}
	return a
}
