package authres

import (
	"cmp"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// spfResults returns the result for MAIL FROM and, where it says something of its own, that
// for HELO: RFC 8601, section 2.7.2.
//
// A HELO pass is not printed beside a MAIL FROM result: it says nothing of the sender's
// domain, and a program that looks for any "spf=pass" would take it for one.
func spfResults(r *dmarc.Result) []Result {
	var list []Result
	if r.SPF != nil {
		name := "mailfrom"
		if ofHELO(r) {
			name = "helo"
		}
		list = append(list, spfEntry(r.SPF, name, stranger(r, dmarc.MethodSPF, 0)))
	}
	if r.HELO != nil && r.HELO.Status == spf.StatusFail && (r.SPF == nil || !ofHELO(r)) {
		list = append(list, spfEntry(r.HELO, "helo", false))
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
	if r.Envelope.MailFromUnknown {
		return false
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

func spfEntry(r *spf.Result, name string, notAligned bool) Result {
	e := Result{Method: "spf", Value: r.Status.String(), Reason: reasonOf(r.Err)}
	if notAligned && r.Status == spf.StatusPass {
		e.Comments = []string{"not aligned"}
	}
	add(&e, "smtp", name, checkedDomain(r))
	return e
}

// add adds a property, unless it has no value. The value has to be safe.
func add(r *Result, ptype, name, value string) {
	if value != "" {
		r.Properties = append(r.Properties, Property{Type: ptype, Name: name, Value: value})
	}
}

// checkedDomain returns the domain that was checked, or "" where what the client gave has
// none, whatever it looks like.
func checkedDomain(r *spf.Result) string {
	if errors.Is(r.Err, spf.ErrNoDomain) || errors.Is(r.Err, spf.ErrBadDomain) {
		return ""
	}
	return safeDomain(r.Domain)
}

// stranger reports whether an identifier is known not to be aligned with the Author Domain.
func stranger(r *dmarc.Result, m dmarc.Method, signature int) bool {
	if r.DMARC.Policy == record.PolicyUnset {
		return false // alignment was not evaluated
	}
	return slices.ContainsFunc(r.DMARC.Identifiers, func(i dmarc.Identifier) bool {
		return i.Method == m && i.Alignment == discovery.NotAligned && (m == dmarc.MethodSPF || i.Signature == signature)
	})
}

// dkimResults returns a result for every signature, topmost first, or that there is none.
func (f Formatter) dkimResults(r *dmarc.Result) []Result {
	var list []Result
	signatures := signatureValues(r.DKIM)
	for i, d := range r.DKIM {
		if d != nil {
			list = append(list, f.dkimResult(d, signatures[i], stranger(r, dmarc.MethodDKIM, i)))
		}
	}
	if len(list) == 0 {
		return []Result{{Method: "dkim", Value: dkim.StatusNone.String()}}
	}
	return list
}

func (f Formatter) dkimResult(d *dkim.Result, b string, notAligned bool) Result {
	e := Result{Method: "dkim", Value: d.Status.String(), Reason: reasonOf(d.Err)}
	add(&e, "header", "a", safeWord(d.Algorithm))
	add(&e, "header", "d", safeDomain(d.Domain))
	if d.Signature != nil && !errors.Is(d.Err, dkim.ErrIdentity) {
		add(&e, "header", "i", safeAddress(d.Signature.AUID))
	}
	add(&e, "header", "s", safeDomain(d.Selector))
	add(&e, "header", "b", b)
	if notAligned && d.Status == dkim.StatusPass {
		e.Comments = append(e.Comments, "not aligned")
	}
	if d.KeyBits > 0 {
		e.Comments = append(e.Comments, strconv.Itoa(d.KeyBits)+"-bit key")
	}
	if d.Key != nil && d.Key.Testing {
		e.Comments = append(e.Comments, "test key")
	}
	if d.BodyUnsigned > 0 {
		e.Comments = append(e.Comments, strconv.FormatInt(d.BodyUnsigned, 10)+" octets unsigned")
	}
	e.Comments = append(e.Comments, f.unicode(d.Domain)...)
	return e
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
		if d != nil && d.Signature != nil {
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
func fitting(list []Result, room int) []Result {
	keep := make([]bool, len(list))
	left := len(list)
	for _, passing := range []bool{true, false} {
		for i := range list {
			if (list[i].Value == dkim.StatusPass.String()) != passing {
				continue
			}
			if n := list[i].Octets(); n <= room {
				room -= n
				keep[i] = true
				left--
			}
		}
	}
	var kept []Result
	for i := range list {
		if keep[i] {
			kept = append(kept, list[i])
		}
	}
	if left > 0 && len(kept) > 0 {
		last := &kept[len(kept)-1]
		last.Comments = append(last.Comments, strconv.Itoa(left)+" more signatures")
	}
	return kept
}

// dmarcResult returns the result of DMARC.
func (f Formatter) dmarcResult(r *dmarc.Result) Result {
	v := &r.DMARC
	e := Result{Method: "dmarc", Value: v.Status.String()}
	if v.Status != dmarc.StatusFail { // a fail has its reason in a comment
		e.Reason = reasonOf(v.Err)
	}
	add(&e, "header", "from", safeDomain(v.AuthorDomain))
	if v.Status != dmarc.StatusNone {
		add(&e, "policy", "applied-disposition", v.Disposition.String())
	}
	if v.Policy != record.PolicyUnset {
		add(&e, "policy", "dmarc", cmp.Or(v.Applied, v.Policy).String())
		add(&e, "policy", "published-domain-policy", v.Policy.String())
	}
	if v.Status == dmarc.StatusFail {
		for _, name := range notAligned(v) {
			e.Comments = append(e.Comments, "not aligned: "+name)
		}
	}
	e.Comments = append(e.Comments, f.unicode(v.AuthorDomain)...)
	return e
}

// notAligned returns the domains that passed without being aligned, each once, at most
// three.
func notAligned(v *dmarc.Verdict) []string {
	var names []string
	seen := make(map[string]bool)
	for _, i := range v.Identifiers {
		name := safeDomain(i.Domain)
		if !i.Authenticated || i.Alignment == discovery.Aligned || name == "" || seen[name] {
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
	return []string{rfc8601.SafeText(shown)}
}
