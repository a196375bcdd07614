package explain

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// forwardingSteps says by whom a message may have come, if something shows that somebody
// forwarded or changed it.
func forwardingSteps(r *dmarc.Result) []Step {
	if r.ARC == nil && len(r.Indirect) == 0 {
		return nil
	}
	s := Step{
		Kind:        KindForwarding,
		Title:       "The way it came",
		Input:       "Did somebody forward or change it?",
		Outcome:     "nothing certain",
		Tone:        ToneOpen,
		Rule:        "A forwarder breaks SPF, and who changes the text breaks a signature. Only what nobody else can make counts.",
		Section:     "RFC 9989, section 7.4",
		Consequence: "Anybody can write what is found here. It changes nothing.",
	}
	chainFacts(&s, r)
	for _, e := range r.Indirect {
		s.add(evidenceLabel(e), evidenceText(e))
		if e.Strong {
			s.Outcome = "shown"
			s.Consequence = "A receiver may take this into account. The verdict stays as it is."
		}
	}
	if r.DMARC.Status == dmarc.StatusPass {
		s.Consequence = "It does not matter, since the message passes."
	}
	return []Step{s}
}

// chainFacts tells of the chain of seals: RFC 8617.
func chainFacts(s *Step, r *dmarc.Result) {
	if r.ARC == nil {
		return
	}
	text := r.ARC.Status.String()
	if r.ARC.Err != nil {
		text += ": " + r.ARC.Err.Error()
	}
	s.add("seals", text+" (ARC, RFC 8617)")
	for _, set := range r.ARC.Sets {
		s.add("sealed by", set.Seal.Domain+" (i="+strconv.Itoa(set.Instance)+"), which saw "+orNothing(set.AuthenticationResults))
	}
}

func orNothing(text string) string {
	if strings.TrimSpace(text) == "" {
		return "nothing"
	}
	return text
}

func evidenceLabel(e indirect.Evidence) string {
	if e.Strong {
		return "shown"
	}
	return "hint"
}

// evidenceText says in words what shows that a message came another way.
func evidenceText(e indirect.Evidence) string {
	switch e.Kind {
	case indirect.KindTrustedSealer:
		return "a forwarder that this receiver trusts says that the message passed when it came there: " + e.Detail
	case indirect.KindBodyChanged:
		text := "somebody changed the text below what " + visible.Domain(e.Detail) + " signed; the signed header is as it was"
		if !e.Strong {
			text += ", but the signature is not known to be recent: anybody can have put another text below an old header"
		}
		return text
	case indirect.KindKnownForwarder:
		return e.Detail + " is a forwarder or list that this receiver knows"
	case indirect.KindUntrustedSealer:
		return "the seals are good, but their word is not taken: this receiver does not list " + e.Detail
	case indirect.KindRewrittenSender:
		return e.Detail + " put its own address in place of the sender's, as forwarders do (SRS)"
	case indirect.KindList:
		return "it has a field of mailing lists: " + e.Detail
	case indirect.KindResent:
		return "it has the fields of a message that somebody sent again (Resent)"
	case indirect.KindSubjectPrefix:
		return "\"" + e.Detail + "\" was put before the Subject after it was signed"
	}
	return string(e.Kind)
}

// has reports whether a result has evidence of a kind.
func has(r *dmarc.Result, kind indirect.Kind) bool {
	for _, e := range r.Indirect {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

// forwardedSentences are the plain words for a message whose forwarder is trusted, nil for others.
func forwardedSentences(r *dmarc.Result) []string {
	if !has(r, indirect.KindTrustedSealer) || r.ARC == nil || len(r.ARC.Sets) == 0 {
		return nil
	}
	name := visible.Domain(r.ARC.Sets[len(r.ARC.Sets)-1].Seal.Domain)
	return []string{"It was forwarded by " + name + ", which this receiver trusts.", name + " says that it was genuine when it came there."}
}
