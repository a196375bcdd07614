package explain

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
)

// maxSignatures is how many signatures have steps of their own.
const maxSignatures = 10

// dkimSteps are the signatures, each with its alignment.
func dkimSteps(r *dmarc.Result) []Step {
	shown := shownSignatures(r.DKIM)
	if len(shown) == 0 {
		return []Step{{
			Kind:        KindDKIM,
			Title:       "DKIM",
			Input:       "Is the message signed?",
			Outcome:     "none",
			Tone:        ToneOpen,
			Consequence: "There is no DKIM signature: nothing shows who wrote the message, or whether it was changed.",
		}}
	}
	var steps []Step
	for _, n := range shown {
		steps = append(steps, signatureStep(r, n))
		for _, i := range r.DMARC.Identifiers {
			if i.Method == dmarc.MethodDKIM && i.Signature == n {
				steps = append(steps, alignmentSteps(&r.DMARC, i)...)
			}
		}
	}
	if left := len(r.DKIM) - len(shown); left > 0 {
		steps = append(steps, Step{
			Kind:        KindDKIM,
			Title:       "DKIM",
			Input:       count(int64(left), "more signature") + ", not shown here.",
			Consequence: "None of them is a pass that counts.",
		})
	}
	return steps
}

// shownSignatures returns which signatures have steps, those that pass and then those that
// were verified before others, in the order of the message.
func shownSignatures(results []*dkim.Result) []int {
	rank := func(n int) int {
		switch d := results[n]; {
		case d.Status == dkim.StatusPass:
			return 0
		case errors.Is(d.Err, dkim.ErrLimit):
			return 2
		}
		return 1
	}
	order := make([]int, 0, len(results))
	for n, d := range results {
		if d != nil {
			order = append(order, n)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })
	order = order[:min(len(order), maxSignatures)]
	slices.Sort(order)
	return order
}

// signatureStep is one signature.
func signatureStep(r *dmarc.Result, n int) Step {
	d := r.DKIM[n]
	s := Step{
		Kind:    KindDKIM,
		Title:   "DKIM",
		Input:   "Did " + or(d.Domain, "somebody") + " sign this, and is it unchanged?",
		Outcome: d.Status.String(),
		Tone:    dkimTone(d.Status),
		Rule:    "The hash of the body and the signature over the header have to match.",
		Section: "RFC 6376, section 6.1.3",
	}
	if len(r.DKIM) > 1 {
		s.Title = fmt.Sprintf("DKIM signature %d of %d", n+1, len(r.DKIM))
	}
	if d.Signature != nil {
		signatureFacts(&s, r, d)
	} else if d.Selector != "" {
		s.add("selector", d.Selector)
	}
	s.add("warning", warnings(d.Warnings))
	if d.Err != nil {
		s.add("reason", d.Err.Error())
	}
	s.Consequence = dkimConsequence(d)
	return s
}

func signatureFacts(s *Step, r *dmarc.Result, d *dkim.Result) {
	sig := d.Signature
	text := sig.Algorithm + ", " + sig.HeaderCanonicalization.String() + "/" + sig.BodyCanonicalization.String()
	if sig.AUID != "@"+sig.Domain {
		text += ", i=" + sig.AUID
	}
	s.add("signature", text)
	s.add("key", keyText(d))
	if !sig.Time.IsZero() {
		s.add("signed", moment(sig.Time))
	}
	if !sig.Expires.IsZero() {
		text := moment(sig.Expires)
		if !r.Time.IsZero() && r.Time.After(sig.Expires) {
			text += ", which is over"
		}
		s.add("expires", text)
	}
	s.add("body", bodyText(d))
	if d.BodyHash != nil && !bytes.Equal(d.BodyHash, sig.BodyHash) {
		s.add("bh= says", base64.StdEncoding.EncodeToString(sig.BodyHash))
		s.add("body has", base64.StdEncoding.EncodeToString(d.BodyHash))
	}
	if len(d.Signed) > 0 {
		s.add("header", map[bool]string{true: "the signature matches", false: "not verified"}[d.HeaderVerified])
		s.add("covers", names(d.Signed))
	}
	s.add("not signed", names(d.NotSigned))
	s.add("locked out", names(slices.Concat(d.Absent, d.OverSigned)))
}

func keyText(d *dkim.Result) string {
	if d.Key == nil {
		if d.Selector == "" || d.Domain == "" {
			return ""
		}
		return d.Selector + "._domainkey." + d.Domain
	}
	text := d.Key.Name + ": " + d.Key.Type
	if d.Key.Bits > 0 {
		text += fmt.Sprintf(", %d bits", d.Key.Bits)
	}
	if d.Key.Testing {
		text += ", in testing mode (t=y)"
	}
	if d.Key.Strict {
		text += ", strict (t=s)"
	}
	return text
}

func bodyText(d *dkim.Result) string {
	if d.BodyHash == nil {
		return ""
	}
	text := count(d.BodySigned, "octet") + " signed"
	if d.BodyUnsigned > 0 {
		text += ", " + count(d.BodyUnsigned, "octet") + " behind them not (l=)"
	}
	if bytes.Equal(d.BodyHash, d.Signature.BodyHash) {
		return text + "; the hash matches"
	}
	return text + "; the hash does not match"
}

// names lists the names of header fields, each once, with how often it stands there.
func names(fields []string) string {
	var list []string
	times := make(map[string]int)
	for _, name := range fields {
		key := strings.ToLower(name)
		if times[key]++; times[key] == 1 {
			list = append(list, name)
		}
	}
	for n, name := range list {
		if k := times[strings.ToLower(name)]; k > 1 {
			list[n] = fmt.Sprintf("%s (%d)", name, k)
		}
	}
	return strings.Join(list, ", ")
}

func warnings(list []dkim.Warning) string {
	texts := map[dkim.Warning]string{
		dkim.WarningShortKey:             "the key is shorter than 2048 bits",
		dkim.WarningTesting:              "the key is in testing mode",
		dkim.WarningSeveralKeys:          "DNS has more than one key at this name",
		dkim.WarningBodyUnsigned:         "text could have been appended to the body",
		dkim.WarningSubjectNotSigned:     "the Subject is not signed and could have been changed",
		dkim.WarningContentTypeNotSigned: "the Content-Type is not signed: the body could be shown as something else",
		dkim.WarningFieldAdded:           "a field was added after signing",
	}
	var words []string
	for _, w := range list {
		words = append(words, or(texts[w], string(w)))
	}
	return strings.Join(words, "; ")
}

func dkimTone(status dkim.Status) Tone {
	switch status {
	case dkim.StatusPass:
		return ToneGood
	case dkim.StatusFail, dkim.StatusPermError, dkim.StatusPolicy:
		return ToneBad
	}
	return ToneOpen
}

func dkimConsequence(d *dkim.Result) string {
	name := or(d.Domain, "the signer")
	switch {
	case d.Status == dkim.StatusPass:
		return name + " signed this message, and what it signed has not changed since."
	case d.Status == dkim.StatusTempError:
		return openText(d.Err)
	case d.HeaderVerified && errors.Is(d.Err, dkim.ErrBodyHashMismatch):
		return name + " did sign the header, but the body was changed since: the signature no longer counts."
	case errors.Is(d.Err, dkim.ErrBodyHashMismatch):
		return "The body is not the one that was signed."
	case errors.Is(d.Err, dkim.ErrSignatureMismatch):
		return "Either the header was changed since, or " + name + " did not sign it."
	case errors.Is(d.Err, dkim.ErrLimit):
		return "It was not verified."
	case d.Status == dkim.StatusPolicy:
		return "The signature is valid, but not one to rely on."
	}
	return "It cannot be verified, so it counts as no signature."
}
