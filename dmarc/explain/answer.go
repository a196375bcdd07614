package explain

import (
	"errors"
	"slices"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// An Answer is what somebody wants to know who knows nothing of mail. It has no words of the
// trade but the names SPF, DKIM and DMARC, and no sentence of more than 25 words.
type Answer struct {
	// Verdict is one line: "FAIL: nothing proves that this message is from shop.example."
	Verdict string `json:"verdict"`
	Tone    Tone   `json:"tone,omitempty"`

	// Sentences are one or two more, on why. Asked is what the domain in From asks to be
	// done with such a message, if it fails.
	Sentences []string `json:"sentences,omitempty"`
	Asked     string   `json:"asked,omitempty"`

	// Unless is what to ask oneself before anything of Fixes is done: nothing is wrong
	// where the message is a forgery.
	Unless string `json:"unless,omitempty"`

	// Fixes are what the sender can do so that such a message passes: each alone may be
	// enough. The first is the best.
	Fixes []Fix `json:"fixes,omitempty"`

	// Advice is what is wrong, or risky, and did not decide this time.
	Advice []Fix `json:"advice,omitempty"`
}

// answer makes the answer to a result.
func answer(r *dmarc.Result) Answer {
	v := &r.DMARC
	name := visible.Domain(v.AuthorDomain)
	a := Answer{Tone: verdictTone(v.Status)}
	switch v.Status {
	case dmarc.StatusPass:
		a.Verdict = "PASS: this message is from " + name + "."
		a.Sentences = []string{passSentence(v, name)}
	case dmarc.StatusFail:
		a.Verdict = "FAIL: nothing proves that this message is from " + name + "."
		a.Sentences = failSentences(r, name)
		a.Asked = asked(v, visible.Domain(v.PolicyDomain))
		a.Unless = unlessForged(r, name)
	case dmarc.StatusTempError:
		a.Verdict = "NOT KNOWN YET: whether this message is from " + name + "."
		a.Sentences = []string{openSentence(r)}
	case dmarc.StatusPermError:
		a.Verdict = "REFUSED: this message does not say clearly whom it is from."
		a.Sentences = []string{capital(authorFault(v.Err)) + "."}
	default:
		a.Verdict = "NO POLICY: " + name + " does not say how to tell its mail and forgeries apart."
		a.Sentences = noneSentences(v, name)
	}
	a.Fixes = fixes(r)
	for _, f := range advice(r) {
		// What decided is a fix already.
		if !slices.ContainsFunc(a.Fixes, func(fixed Fix) bool {
			return fixed.Text == f.Text && slices.EqualFunc(fixed.Changes, f.Changes, sameChange)
		}) {
			a.Advice = append(a.Advice, f)
		}
	}
	return a
}

func sameChange(a, b Change) bool {
	return a.Action == b.Action && a.Name == b.Name && a.Type == b.Type && a.Value == b.Value
}

func passSentence(v *dmarc.Verdict, name string) string {
	switch {
	case v.SPFAligned && v.DKIMAligned:
		return "Its server and its signature both prove it."
	case v.DKIMAligned:
		return "It is signed in the name of " + name + ", and what was signed has not changed."
	}
	return "It came from a server that " + name + " allows to send its mail."
}

// failSentences say what is known of a message that fails.
func failSentences(r *dmarc.Result, name string) []string {
	if s := forwardedSentences(r); s != nil {
		return s
	}
	d := broken(r)
	switch {
	case notExisting(&r.DMARC):
		return []string{"There is no such domain as " + name + ". No mail can be from it."}
	case d != nil && d.HeaderVerified && has(r, indirect.KindList) && errors.Is(d.Err, dkim.ErrBodyHashMismatch):
		return []string{"This message was signed in the name of " + name + ".",
			"It looks as if a mailing list changed the text afterwards, but anybody else can have done that too."}
	case d != nil && d.HeaderVerified:
		return []string{"This message was signed in the name of " + name + ".", brokenSentence(d)}
	case d != nil && changed(d):
		return []string{"It has a signature in the name of " + name + " that does not match.", "It was changed on the way, or forged."}
	}
	claim := "This message claims to be from " + name + "."
	who := senders(&r.DMARC)
	switch {
	case exactOnly(&r.DMARC):
		return []string{claim, who + " sent it, and " + name + " lets only its exact name count."}
	case who != "":
		return []string{claim, who + " sent it, and nothing proves that " + name + " asked for that."}
	}
	if d != nil {
		return []string{claim, "It has a signature in the name of " + name + ", which does not count."}
	}
	return []string{claim, "Neither its server nor a signature proves that."}
}

func notExisting(v *dmarc.Verdict) bool {
	return v.Discovery != nil && v.Discovery.Exists == discovery.ExistenceNo
}

// exactOnly reports whether something passed that would count if the DMARC record did not ask
// for the exact name.
func exactOnly(v *dmarc.Verdict) bool {
	return slices.ContainsFunc(v.Identifiers, func(i dmarc.Identifier) bool {
		return i.Authenticated && i.Mode == alignment.Strict && domain.Within(i.Domain, v.OrganizationalDomain)
	})
}

// evaluated reports whether it is known what is aligned: there is a policy.
func evaluated(v *dmarc.Verdict) bool { return v.Policy != record.PolicyUnset }

// changed reports whether a message is not what was signed.
func changed(d *dkim.Result) bool {
	return errors.Is(d.Err, dkim.ErrBodyHashMismatch) || errors.Is(d.Err, dkim.ErrSignatureMismatch)
}

// senders names those for whom SPF or a signature passes, each company once and by its name
// where it is known, or returns "".
func senders(v *dmarc.Verdict) string {
	var names []string
	for _, i := range proven(v) {
		name := visible.Domain(i.Domain)
		if p := provider.OfDomain(name); p != nil {
			name = p.Name
		}
		names = append(names, name)
	}
	return remedy.List(names)
}

// proven returns the identifiers that pass, one for each company, at most three.
func proven(v *dmarc.Verdict) []dmarc.Identifier {
	var list []dmarc.Identifier
	seen := make(map[string]bool)
	for _, i := range v.Identifiers {
		if !i.Authenticated || len(list) == 3 {
			continue
		}
		company := alignment.PublicSuffix{}.Of(i.Domain).Organizational
		if p := provider.OfDomain(i.Domain); p != nil {
			company = p.ID
		}
		if !seen[company] {
			seen[company] = true
			list = append(list, i)
		}
	}
	return list
}

// brokenSentence says why a signature does not count although its header is good.
func brokenSentence(d *dkim.Result) string {
	switch {
	case errors.Is(d.Err, dkim.ErrBodyHashMismatch), errors.Is(d.Err, dkim.ErrBodyLength):
		return "But its text was changed afterwards, so nothing proves where the text is from."
	case errors.Is(d.Err, dkim.ErrExpired):
		return "But the signature had expired when the message came."
	case errors.Is(d.Err, dkim.ErrBodyUnsigned):
		return "But not all of it was signed: somebody else can have written the end of the text."
	case errors.Is(d.Err, dkim.ErrFieldAdded):
		return "But a line was put on top of it afterwards."
	}
	return "But in a way that is not to be relied on."
}

// asked says what the owner of a domain asks to be done with a message that fails.
func asked(v *dmarc.Verdict, name string) string {
	switch o := v.Override; {
	case o != nil && o.Type == dmarc.OverrideTestMode && v.Applied == record.PolicyNone:
		return name + " only tests its policy (t=y). Handle the message as any other."
	case o != nil && o.Type == dmarc.OverrideTestMode:
		return name + " asks to refuse such mail, but only tests that (t=y). Treat it as suspicious."
	case o != nil && o.Type == dmarc.OverrideSampledOut && v.Disposition == dmarc.DispositionQuarantine:
		return name + " asks to refuse a share of such mail (pct), and this is not in it. Treat it as suspicious."
	case o != nil && o.Type == dmarc.OverrideSampledOut:
		return name + " asks for a share of such mail to be stopped (pct), and this is not in it."
	case v.PolicyAssumed:
		return "The DMARC record of " + name + " has no valid policy. So nothing is done about the message."
	}
	switch v.Policy {
	case record.PolicyReject:
		return name + " asks to refuse such mail."
	case record.PolicyQuarantine:
		return name + " asks to treat such mail as suspicious: in most mailboxes it goes to spam."
	}
	return name + " asks to do nothing about such mail (" + policyTag(v) + "=none). Receivers then go by their own rules."
}

// unlessForged is for fixes that only help a message which is no forgery.
func unlessForged(r *dmarc.Result, name string) string {
	d := broken(r)
	if d != nil && d.HeaderVerified || notExisting(&r.DMARC) || exactOnly(&r.DMARC) {
		return ""
	}
	if who := senders(&r.DMARC); who != "" && d == nil {
		return "If " + name + " does not send through " + who + ", this is a forgery, and there is nothing to fix."
	}
	return "If " + name + " did not send this, it is a forgery, and there is nothing to fix."
}

func noneSentences(v *dmarc.Verdict, name string) []string {
	text := name + " publishes no DMARC record, so receivers cannot tell."
	switch {
	case errors.Is(v.Err, dmarc.ErrNoPolicy):
		text = "The DMARC record of " + name + " cannot be read, so receivers cannot tell."
	case nearly(v):
		text = "What " + name + " publishes does not count as a DMARC record, as it is written."
	case severalRecords(v) != nil:
		text = "There is more than one DMARC record for " + name + ", and so none counts."
	}
	switch others := passing(v); {
	case slices.Contains(others, name):
		return []string{text, "This message itself is proven to be from " + name + "."}
	case len(others) > 0:
		return []string{text, "All that is proven is that " + senders(v) + " sent this message."}
	}
	return []string{text}
}

// severalRecords returns the question that found more than one DMARC record where the owner of
// the Author Domain could have published one, or nil.
func severalRecords(v *dmarc.Verdict) *discovery.Query {
	if v.Discovery == nil || v.Discovery.Query() != nil {
		return nil
	}
	for _, q := range v.Discovery.Queries {
		if q.Several() && ownedBy(v.AuthorDomain, q.Domain) {
			return q
		}
	}
	return nil
}

// passing returns the domains for which SPF or a signature passes, each once, at most
// three.
func passing(v *dmarc.Verdict) []string {
	var names []string
	for _, i := range v.Identifiers {
		if name := visible.Domain(i.Domain); i.Authenticated && !slices.Contains(names, name) && len(names) < 3 {
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
		d := signature(r, i)
		if d == nil || i.Alignment != discovery.Aligned || i.Authenticated {
			continue
		}
		if best == nil || d.HeaderVerified && !best.HeaderVerified {
			best = d
		}
	}
	return best
}

// signature returns the result of the signature that an identifier is from, or nil.
func signature(r *dmarc.Result, i dmarc.Identifier) *dkim.Result {
	if i.Method != dmarc.MethodDKIM || i.Signature < 0 || i.Signature >= len(r.DKIM) {
		return nil
	}
	return r.DKIM[i.Signature]
}
