package explain

import (
	"errors"
	"slices"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
)

// Summary returns what the verdict means, in two or three short sentences for somebody who
// knows nothing of mail. Of what a sender wrote it holds only domain names, in A-labels: it
// is safe to print anywhere.
func Summary(r *dmarc.Result) string {
	v := &r.DMARC
	name := plainDomain(v.AuthorDomain)
	switch v.Status {
	case dmarc.StatusPass:
		return passSummary(v, name)
	case dmarc.StatusFail:
		return failSummary(r, name) + " " + request(v, plainDomain(v.PolicyDomain))
	case dmarc.StatusTempError:
		return "Whether this message is from " + name + " is not known yet: DNS gave no answer that the verdict needs."
	case dmarc.StatusPermError:
		return "This message does not say clearly whom it is from: " + authorFault(v.Err) + "."
	}
	return noneSummary(v, name)
}

func noneSummary(v *dmarc.Verdict, name string) string {
	text := name + " does not say in DNS how to treat mail in its name"
	if errors.Is(v.Err, dmarc.ErrNoPolicy) {
		text = "What " + name + " says in DNS of mail in its name cannot be read"
	}
	text += ", so a forgery cannot be told from the real thing by DMARC."
	switch others := passing(v); {
	case slices.Contains(others, name):
		text += " This message itself is proven to be from " + name + "."
	case len(others) > 0:
		text += " All that is proven is that " + list(others) + " sent this message."
	}
	return text
}

func passSummary(v *dmarc.Verdict, name string) string {
	switch {
	case v.SPFAligned && v.DKIMAligned:
		return "This message is from " + name + ": its server and its signature both prove it."
	case v.DKIMAligned:
		return "This message is from " + name + ": it is signed in its name, and what was signed has not changed."
	}
	return "This message is from " + name + ": it came from a server that " + name + " allows to send its mail."
}

// failSummary says what is known of a message that fails.
func failSummary(r *dmarc.Result, name string) string {
	d := broken(r)
	text := "Nothing proves that this message is from " + name + "."
	switch {
	case d != nil && d.HeaderVerified:
		return "This message was signed in the name of " + name + ", " + brokenText(d) + "."
	case r.DMARC.Discovery != nil && r.DMARC.Discovery.Exists == discovery.ExistenceNo:
		text = "There is no such domain as " + name + ": this message cannot be from it."
	case d != nil && (errors.Is(d.Err, dkim.ErrBodyHashMismatch) || errors.Is(d.Err, dkim.ErrSignatureMismatch)):
		text = "This message has a signature in the name of " + name + " that does not match: it was changed on the way, or forged."
	}
	if others := passing(&r.DMARC); len(others) > 0 {
		text += " All that is proven is that " + list(others) + " sent it."
	}
	return text
}

// brokenText says why a signature does not count although its header is good.
func brokenText(d *dkim.Result) string {
	switch {
	case errors.Is(d.Err, dkim.ErrBodyHashMismatch), errors.Is(d.Err, dkim.ErrBodyLength):
		return "but its text was changed afterwards, so nothing proves where the text is from"
	case errors.Is(d.Err, dkim.ErrExpired):
		return "but the signature had expired when the message came"
	case errors.Is(d.Err, dkim.ErrBodyUnsigned):
		return "but not all of it: somebody else can have written the end of the text"
	case errors.Is(d.Err, dkim.ErrFieldAdded):
		return "but a line was put into its header afterwards"
	}
	return "but in a way that is not to be relied on"
}

// request says what the domain owner asks to be done with it.
func request(v *dmarc.Verdict, name string) string {
	if v.Override != nil && v.Override.Type == dmarc.OverrideTestMode {
		if v.Disposition == dmarc.DispositionNone {
			return name + " is only testing its policy (t=y): handle the message as any other."
		}
		return name + " asks to reject such messages, but is only testing (t=y): treat it as suspicious."
	}
	if v.Override != nil && v.Override.Type == dmarc.OverrideSampledOut {
		text := name + " asks for only a share of such messages to be " + done(v.Policy) + " (pct), and this one is not among them: "
		if v.Disposition == dmarc.DispositionQuarantine {
			return text + "treat it as suspicious."
		}
		return text + "handle it as any other."
	}
	if policyAssumed(v) {
		return "The record of " + name + " states no valid policy, so p=none is assumed: nothing is done about it. With " +
			stricter(v, record.PolicyReject) + " this message would have been rejected."
	}
	switch v.Policy {
	case record.PolicyReject:
		return name + " asks to reject such messages."
	case record.PolicyQuarantine:
		return name + " asks to treat such messages as suspicious."
	}
	return name + " asks to do nothing about it (" + policyTag(v) + "=none). With " + stricter(v, record.PolicyReject) +
		" this message would have been rejected."
}

// passing returns the domains for which SPF or a signature passes, each once, at most
// three.
func passing(v *dmarc.Verdict) []string {
	var names []string
	for _, i := range v.Identifiers {
		if name := plainDomain(i.Domain); i.Authenticated && !slices.Contains(names, name) && len(names) < 3 {
			names = append(names, name)
		}
	}
	return names
}

// broken returns the result of a signature that would have made a pass, had it been good:
// the one that came closest to it, or nil.
func broken(r *dmarc.Result) *dkim.Result {
	var best *dkim.Result
	for _, i := range r.DMARC.Identifiers {
		if i.Method != dmarc.MethodDKIM || i.Alignment != discovery.Aligned || i.Authenticated || i.Signature >= len(r.DKIM) {
			continue
		}
		d := r.DKIM[i.Signature]
		if best == nil || d.HeaderVerified && !best.HeaderVerified {
			best = d
		}
	}
	return best
}

// authorFault says why a message has no single Author Domain.
func authorFault(err error) string {
	for _, known := range []error{
		dmarc.ErrNoFrom, dmarc.ErrSeveralFrom, dmarc.ErrNoMailbox, dmarc.ErrSeveralDomains,
		dmarc.ErrTooManyMailboxes, dmarc.ErrAddressLiteral, dmarc.ErrFromDomain,
		dmarc.ErrFromSyntax, dmarc.ErrHeaderLimit, dmarc.ErrHeader,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it has no single author"
}
