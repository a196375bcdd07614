package explain

import (
	"errors"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// maxReasons is how many signatures have a reason each.
const maxReasons = 4

// reasons say what each check found. Words of the trade are explained where they are met.
func reasons(r *dmarc.Result) []string {
	list := []string{spfReason(r)}
	if len(r.DKIM) == 0 {
		list = append(list, "DKIM: none, which means that the message has no signature.")
	}
	for n, d := range r.DKIM {
		if n == maxReasons {
			list = append(list, "DKIM: "+count(int64(len(r.DKIM)-n), "more signature")+". See the steps.")
			break
		}
		if d != nil {
			list = append(list, dkimReason(r, n, d))
		}
	}
	return append(list, dmarcReason(&r.DMARC))
}

// spfReason is on SPF for MAIL FROM.
func spfReason(r *dmarc.Result) string {
	res := r.SPF
	if res == nil || !r.Envelope.IP.IsValid() {
		return "SPF: not checked, since the address of the server that sent the message is not known."
	}
	if r.Envelope.MailFromUnknown {
		return "SPF: not checked, since the address that bounces go to (MAIL FROM) is not known."
	}
	name, ip := visible.Domain(res.Domain), client(&r.Envelope)
	switch res.Status {
	case spf.StatusPass:
		return spfPass(r, name)
	case spf.StatusFail:
		return "SPF: fail. " + name + " says that " + ip + " may not send its mail. Forgers fail like this, and so do forwarders."
	case spf.StatusSoftFail:
		return "SPF: softfail, a mild no. " + name + " says that " + ip + " is probably none of its servers."
	case spf.StatusNeutral:
		return "SPF: neutral. " + name + " says nothing about " + ip + "."
	case spf.StatusTempError:
		return "SPF: not known (temperror). " + openText(res.Err)
	case spf.StatusPermError:
		return "SPF: the record of " + name + " cannot be used (permerror): " + remedy.SPFFault(res) + "."
	}
	if errors.Is(res.Err, spf.ErrNoRecord) {
		return "SPF: none, which means that " + name + " has no SPF record to check by."
	}
	return "SPF: none, which means that there is nothing to check by: " + remedy.SPFFault(res) + "."
}

// spfPass is the first of all explanations to get right: SPF passed, and yet DMARC fails.
func spfPass(r *dmarc.Result, name string) string {
	ip, author := client(&r.Envelope), visible.Domain(r.DMARC.AuthorDomain)
	for _, i := range r.DMARC.Identifiers {
		if i.Method != dmarc.MethodSPF || !evaluated(&r.DMARC) {
			continue
		}
		switch i.Alignment {
		case discovery.Aligned:
			return "SPF: pass, and it counts. " + name + " lists " + ip + " as its server, and belongs to the domain in From (aligned)."
		case discovery.AlignmentOpen:
			return "SPF: pass for " + name + ". DNS did not say whether that name belongs to " + author + "."
		}
		if i.Mode == alignment.Strict && exactOnly(&r.DMARC) {
			return "SPF: pass for " + name + ", and yet it does not count (not aligned). Only the exact name in From does (aspf=s)."
		}
		return "SPF: pass, and yet it does not count (not aligned). It is about " + name +
			", where bounces go (MAIL FROM). The From line says " + author + ", and about that SPF said nothing."
	}
	return "SPF: pass. " + name + " lists " + ip + " as its server."
}

// dkimReason is on one signature.
func dkimReason(r *dmarc.Result, n int, d *dkim.Result) string {
	name := or(d.Domain, "an unknown signer")
	switch d.Status {
	case dkim.StatusPass:
		for _, i := range r.DMARC.Identifiers {
			switch {
			case i.Method != dmarc.MethodDKIM || i.Signature != n || !evaluated(&r.DMARC):
			case i.Alignment == discovery.Aligned:
				return "DKIM: pass, and it counts. The signature is good, and that of " + name + ", which belongs to the domain in From (aligned)."
			case i.Alignment == discovery.NotAligned && i.Mode == alignment.Strict && exactOnly(&r.DMARC):
				return "DKIM: pass for " + name + ", and yet it does not count (not aligned). Only the exact name in From does (adkim=s)."
			case i.Alignment == discovery.NotAligned:
				return "DKIM: pass, and yet it does not count (not aligned). " + name + " signed this, which says nothing about " +
					visible.Domain(r.DMARC.AuthorDomain) + "."
			}
		}
		return "DKIM: pass for " + name + "."
	case dkim.StatusTempError:
		return "DKIM: the signature of " + name + " could not be checked (temperror). " + openText(d.Err)
	}
	return "DKIM: the signature of " + name + " does not count (" + d.Status.String() + "): " + dkimFault(d) + "."
}

// dmarcReason is on the policy.
func dmarcReason(v *dmarc.Verdict) string {
	name := visible.Domain(v.AuthorDomain)
	switch {
	case v.Status == dmarc.StatusPermError:
		return "DMARC: not evaluated (permerror), since " + authorFault(v.Err) + "."
	case v.Status == dmarc.StatusTempError:
		return "DMARC: not known (temperror), since " + remedy.Cause(dmarcWords, v.Err, "DNS gave no answer") + "."
	case v.Status == dmarc.StatusNone:
		return "DMARC: none, which means that " + name + " publishes no policy: " + remedy.Cause(dmarcWords, v.Err, "there is no DMARC record") + "."
	case v.PolicyAssumed:
		return "DMARC: " + v.Status.String() + ". The record of " + visible.Domain(v.PolicyDomain) + " states no valid policy, so p=none is assumed: nothing is asked for."
	}
	policy := policyTag(v) + "=" + v.Policy.String()
	text := "DMARC: " + v.Status.String() + ". " + visible.Domain(v.PolicyDomain) + " publishes " + policy + ": "
	switch v.Policy {
	case record.PolicyReject:
		text += "refuse what nothing proves."
	case record.PolicyQuarantine:
		text += "treat what nothing proves as suspicious."
	default:
		text += "do nothing about what nothing proves."
	}
	if v.Override != nil {
		text += " " + capital(overrideText(v.Override)) + "."
	}
	if v.Status == dmarc.StatusFail && len(passing(v)) > 0 {
		text += " What passed is not about " + name + "."
	}
	return text
}

// openText says why a check is open.
func openText(err error) string {
	switch whyOpen(err) {
	case openEnded:
		return "The check was ended before DNS had answered. It may do so later."
	case openRefused:
		return "The DNS server that was asked here did not want to answer."
	}
	return "DNS did not answer. It may do so later."
}
