package authres

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	msgauth "github.com/emersion/go-msgauth/authres"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// An entry is one result on its way into the field. All its values are safe.
type entry struct {
	method   string
	value    string            // a word of RFC 8601
	comments []string          // with their parentheses
	props    map[string]string // and "reason"; empty ones are not printed
	b        string            // header.b
}

// words returns the result in words between which the field may be folded.
func (e entry) words() []string {
	text := msgauth.Format("", []msgauth.Result{&msgauth.GenericResult{
		Method: e.method,
		Value:  msgauth.ResultValue(e.value),
		Params: e.props,
	}})
	list := splitWords(strings.TrimPrefix(text, ";"))
	list = append(list[:1:1], append(e.comments, list[1:]...)...)
	if e.b != "" {
		// go-msgauth leaves a slash without quotes, but it can be no part of a token.
		list = append(list, `header.b="`+e.b+`"`)
	}
	return list
}

// splitWords parts text at the spaces outside of quoted strings.
func splitWords(text string) []string {
	var list []string
	start, quoted := 0, false
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] == '"':
			quoted = !quoted
		case i == len(text) || text[i] == ' ' && !quoted:
			if i > start {
				list = append(list, text[start:i])
			}
			start = i + 1
		}
	}
	return list
}

// spfResults returns the result for MAIL FROM and, where it says something of its own, that
// for HELO: RFC 8601, section 2.7.2.
//
// A HELO pass is not printed beside a MAIL FROM result: it says nothing of the sender's
// domain, and a program that looks for any "spf=pass" would take it for one.
func spfResults(r *dmarc.Result) []entry {
	var list []entry
	if r.SPF != nil {
		property := "smtp.mailfrom"
		if ofHELO(r) {
			property = "smtp.helo"
		}
		list = append(list, spfEntry(r.SPF, property))
	}
	if r.HELO != nil && r.HELO.Status == spf.StatusFail && (r.SPF == nil || !ofHELO(r)) {
		list = append(list, spfEntry(r.HELO, "smtp.helo"))
	}
	return list
}

// ofHELO reports whether the result that stands for MAIL FROM is about HELO: that of the null
// sender, whose identity is postmaster@HELO (RFC 7208, section 2.4). An envelope without a
// MAIL FROM is not enough: where the result comes from a server that handed the message on,
// the envelope may not be known.
func ofHELO(r *dmarc.Result) bool {
	if r.SPF.Identity == spf.IdentityHELO {
		return true
	}
	sender := domain.ToLower(r.SPF.Sender)
	return r.Envelope.MailFrom == "" &&
		(sender == "" || strings.HasPrefix(sender, "postmaster@")) &&
		sameName(r.SPF.Domain, r.Envelope.HELO)
}

// sameName compares what was checked with what was given, which may be no domain name.
func sameName(a, b string) bool {
	if name, err := domain.Canonical(a); err == nil {
		a = name
	}
	if name, err := domain.Canonical(b); err == nil {
		b = name
	}
	return a == b
}

func spfEntry(r *spf.Result, property string) entry {
	return entry{method: "spf", value: r.Status.String(), props: map[string]string{
		"reason": reasonOf(r.Err, spfReasons()),
		property: checkedDomain(r),
	}}
}

// checkedDomain returns the domain that was checked, or "" where what the client gave has
// none, whatever it looks like.
func checkedDomain(r *spf.Result) string {
	if errors.Is(r.Err, spf.ErrNoDomain) || errors.Is(r.Err, spf.ErrBadDomain) {
		return ""
	}
	return safeDomain(r.Domain)
}

// dkimResults returns a result for every signature, topmost first, or that there is none.
func (f Formatter) dkimResults(r *dmarc.Result) []entry {
	if len(r.DKIM) == 0 {
		return []entry{{method: "dkim", value: dkim.StatusNone.String()}}
	}
	list := make([]entry, len(r.DKIM))
	signatures := signatureValues(r.DKIM)
	for i, d := range r.DKIM {
		e := entry{method: "dkim", value: d.Status.String(), b: signatures[i], props: map[string]string{
			"reason":   reasonOf(d.Err, dkimReasons()),
			"header.a": safeWord(d.Algorithm),
			"header.d": safeDomain(d.Domain),
			"header.s": safeDomain(d.Selector),
		}}
		if d.Signature != nil && !errors.Is(d.Err, dkim.ErrIdentity) {
			e.props["header.i"] = safeAddress(d.Signature.AUID)
		}
		if d.KeyBits > 0 {
			e.comments = append(e.comments, comment(strconv.Itoa(d.KeyBits)+"-bit key"))
		}
		if d.Key != nil && d.Key.Testing {
			e.comments = append(e.comments, comment("test key"))
		}
		if d.BodyUnsigned > 0 {
			e.comments = append(e.comments, comment(strconv.FormatInt(d.BodyUnsigned, 10)+" octets unsigned"))
		}
		e.comments = append(e.comments, f.unicode(d.Domain)...)
		list[i] = e
	}
	return list
}

// Lengths of header.b in base64 characters: RFC 6008, section 4, asks for eight and for
// more where that does not tell signatures apart. Signatures that are alike for longer
// than the most were made so, by somebody who is free to make them equal.
const (
	leastB = 8
	mostB  = 512
)

// signatureValues returns header.b for each signature: as much of b= as it takes to tell
// it from the others.
func signatureValues(results []*dkim.Result) []string {
	values := make([]string, len(results))
	for i, d := range results {
		if d.Signature != nil {
			values[i] = base64.StdEncoding.EncodeToString(d.Signature.Value)
		}
	}
	// The value that has most in common with another stands beside it in order.
	distinct := slices.Compact(slices.Sorted(slices.Values(values)))
	need := make(map[string]int, len(distinct))
	for i := 1; i < len(distinct); i++ {
		a, b := distinct[i-1], distinct[i]
		n := common(a, b, mostB-1) + 1
		need[a], need[b] = max(need[a], n), n
	}
	for i, value := range values {
		values[i] = value[:min(max(need[value], leastB), len(value))]
	}
	return values
}

// common returns how many octets a and b begin with in common, at most most.
func common(a, b string, most int) int {
	n := 0
	for n < len(a) && n < len(b) && n < most && a[n] == b[n] {
		n++
	}
	return n
}

// fitting returns results that take no more than room, those that pass before others, in
// the order of the message, and says at the end how many are left out.
func fitting(list []entry, room int) [][]string {
	words := make([][]string, len(list))
	keep := make([]bool, len(list))
	left := len(list)
	for _, passing := range []bool{true, false} {
		for i, e := range list {
			if (e.value == dkim.StatusPass.String()) != passing {
				continue
			}
			words[i] = e.words()
			if n := length(words[i]); n <= room {
				room -= n
				keep[i] = true
				left--
			}
		}
	}
	var kept [][]string
	for i := range list {
		if keep[i] {
			kept = append(kept, words[i])
		}
	}
	if left > 0 && len(kept) > 0 {
		last := len(kept) - 1
		kept[last] = append(kept[last], comment(strconv.Itoa(left)+" more signatures"))
	}
	return kept
}

// dmarcResult returns the result of DMARC.
func (f Formatter) dmarcResult(r *dmarc.Result) entry {
	v := &r.DMARC
	e := entry{method: "dmarc", value: v.Status.String(), props: map[string]string{
		"reason":      reasonOf(v.Err, dmarcReasons()),
		"header.from": safeDomain(v.AuthorDomain),
	}}
	if v.Policy != record.PolicyUnset {
		e.props["policy.dmarc"] = effective(v).String()
		e.props["policy.published-domain-policy"] = v.Policy.String()
	}
	if v.Status != dmarc.StatusNone {
		e.props["policy.applied-disposition"] = v.Disposition.String()
	}
	if v.Status == dmarc.StatusFail {
		for _, name := range notAligned(v) {
			e.comments = append(e.comments, comment("not aligned: "+name))
		}
	}
	e.comments = append(e.comments, f.unicode(v.AuthorDomain)...)
	return e
}

// effective returns the policy after t or, for a message that was drawn, pct.
func effective(v *dmarc.Verdict) record.Policy {
	lower := v.Override != nil && v.Override.Type == dmarc.OverrideSampledOut
	if v.Discovery != nil && strings.HasPrefix(v.Discovery.Method, "tree-walk") {
		q := v.Discovery.Query()
		lower = q != nil && q.Record.Testing
	}
	if lower && v.Policy > record.PolicyNone {
		return v.Policy - 1
	}
	return v.Policy
}

// notAligned returns the domains that passed without being aligned, each once, at most
// three.
func notAligned(v *dmarc.Verdict) []string {
	var names []string
	seen := make(map[string]bool)
	for _, i := range v.Identifiers {
		name := safeDomain(i.Domain)
		if !i.Authenticated || i.Alignment == dmarc.Aligned || name == "" || seen[name] {
			continue
		}
		seen[name] = true
		if names = append(names, name); len(names) == 3 {
			break
		}
	}
	return names
}

// unicode returns a comment with the U-labels of a domain, where it has some and the
// field may hold them.
func (f Formatter) unicode(name string) []string {
	name = safeDomain(name)
	if !f.SMTPUTF8 || !strings.Contains(name, "xn--") {
		return nil
	}
	shown := domain.ToUnicode(name)
	if shown == name {
		return nil
	}
	return []string{comment(shown)}
}
