package explain

import (
	"errors"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

// Fix returns what the sender can do so that such a message passes, or "" where there is
// nothing to do. It is as safe to print as Summary.
func Fix(r *dmarc.Result) string {
	v := &r.DMARC
	switch v.Status {
	case dmarc.StatusFail:
		return fixFail(r)
	case dmarc.StatusNone:
		return fixRecord(v)
	case dmarc.StatusTempError:
		return "send it again later; if that does not help, see that the name servers " + unanswered(v) + "answer."
	case dmarc.StatusPermError:
		return "write one From field, with addresses of one domain, in a header without faults."
	}
	return ""
}

// fixRecord is for a domain without a policy.
func fixRecord(v *dmarc.Verdict) string {
	name := plainDomain(v.AuthorDomain)
	if v.Discovery != nil {
		for _, q := range v.Discovery.Queries {
			at := "_dmarc." + plainDomain(q.Domain)
			switch {
			case q.Record != nil && q.Domain == v.Discovery.PolicyDomain:
				return `correct the DMARC record at ` + at + `: it needs p=none, p=quarantine or p=reject.`
			case q.Several() && ownedBy(v.AuthorDomain, q.Domain):
				return "leave only one DMARC record at " + at + ": several count as none."
			}
		}
		if o := v.Discovery.Organization(v.AuthorDomain); o.Organizational != "" {
			name = plainDomain(o.Organizational)
		}
	}
	return "publish a DMARC record: TXT at _dmarc." + name + `, to begin with "v=DMARC1; p=none".`
}

// ownedBy reports whether a record at name would be for the Author Domain's owner to publish:
// at the Author Domain itself, or above it but not at a public suffix.
func ownedBy(author, name string) bool {
	return name == author || domain.Within(author, name) && !alignment.PublicSuffix{}.Is(name)
}

// fixFail is for a message without an aligned pass. What came closest is said first.
func fixFail(r *dmarc.Result) string {
	name := plainDomain(r.DMARC.AuthorDomain)
	others, d := passing(&r.DMARC), broken(r)
	if found := r.DMARC.Discovery; found != nil && found.Exists == discovery.ExistenceNo {
		return "write a domain into From that exists. No mail can be from " + name + "."
	}
	if d != nil && d.HeaderVerified {
		return fixSignature(d) + "."
	}
	var ways []string
	switch {
	case d != nil:
		ways = append(ways, fixSignature(d))
	case len(others) == 1:
		ways = append(ways, "have "+others[0]+" sign with d="+name)
	default:
		ways = append(ways, "sign with d="+name)
	}
	// A server that changed the message on its way is nobody's to put into SPF.
	if d == nil || !errors.Is(d.Err, dkim.ErrBodyHashMismatch) {
		ways = append(ways, fixSPF(r)...)
	}
	if strictness(&r.DMARC) {
		ways = append(ways, "publish a DMARC record without adkim=s and aspf=s")
	}
	text := strings.Join(ways, ", or ") + "."
	if len(others) == 1 && d == nil {
		return text + " If " + name + " does not send through " + others[0] + ", this is a forgery, and there is nothing to fix."
	}
	return text + " If " + name + " did not send this, it is a forgery, and there is nothing to fix."
}

// strictness reports whether something passed that would be aligned if the record did not
// ask for strict alignment.
func strictness(v *dmarc.Verdict) bool {
	for _, i := range v.Identifiers {
		if i.Authenticated && i.Mode == alignment.Strict && domain.Within(i.Domain, v.OrganizationalDomain) {
			return true
		}
	}
	return false
}

// fixSignature says what is wrong with a signature that would have been aligned.
func fixSignature(d *dkim.Result) string {
	key := plainDomain(d.Selector + "._domainkey." + d.Domain)
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(d.Err, target) {
				return true
			}
		}
		return false
	}
	switch {
	case is(dkim.ErrBodyHashMismatch, dkim.ErrBodyLength):
		return "let nothing change the text after it is signed, no filter and no footer; a mailing list that does has to put its own address into From"
	case is(dkim.ErrSignatureMismatch):
		return "see that the key at " + key + " is the one that signs, and that nothing changes the header afterwards"
	case is(dkim.ErrKeyMissing):
		return "publish the DKIM key at " + key
	case is(dkim.ErrKeyRevoked):
		return "sign with another key: the one at " + key + " is revoked"
	case is(dkim.ErrKeyTooSmall):
		return "sign with an RSA key of 2048 bits: the one at " + key + " is too small"
	case is(dkim.ErrKeyTooLarge):
		return "sign with an RSA key of 2048 bits: the one at " + key + " is too large"
	case is(dkim.ErrKeyMalformed, dkim.ErrKeyType, dkim.ErrKeyHash, dkim.ErrKeyService, dkim.ErrKeyStrict, dkim.ErrKeyUnsafe):
		return "correct the DKIM key at " + key
	case is(dkim.ErrExpired, dkim.ErrExpiryBeforeTime):
		return "give signatures more time before they expire (x=), or deliver sooner"
	case is(dkim.ErrFuture):
		return "set the clock of the server that signs"
	case is(dkim.ErrSHA1):
		return "sign with rsa-sha256 instead of rsa-sha1"
	case is(dkim.ErrBodyUnsigned):
		return "sign the whole body, without l="
	case is(dkim.ErrFieldAdded, dkim.ErrFieldNotSigned, dkim.ErrFromNotSigned):
		return "sign all fields that name the author, the subject and the content, and list them in h= once more than they occur"
	}
	return "correct the signature with d=" + plainDomain(d.Domain)
}

// fixSPF says how SPF could make the pass, if that is in sight.
func fixSPF(r *dmarc.Result) []string {
	for _, i := range r.DMARC.Identifiers {
		if i.Method != dmarc.MethodSPF || r.SPF == nil {
			continue
		}
		name := plainDomain(i.Domain)
		if i.Alignment != discovery.Aligned {
			return []string{fixMailFrom(r, i)}
		}
		if r.SPF.Status == spf.StatusPermError {
			return []string{"correct the SPF record of " + name + " (" + permErrorText(r.SPF.Err) + ")"}
		}
		if !r.Envelope.IP.IsValid() {
			return nil
		}
		allow := " allow " + client(&r.Envelope) + ", if that is its server"
		if r.SPF.Status == spf.StatusNone {
			return []string{"publish an SPF record for " + name + " to" + allow}
		}
		return []string{"let the SPF record of " + name + allow}
	}
	return nil
}

// fixMailFrom is for a MAIL FROM of somebody else, such as a provider's.
func fixMailFrom(r *dmarc.Result, i dmarc.Identifier) string {
	name, server := plainDomain(r.DMARC.AuthorDomain), ""
	if r.Envelope.IP.IsValid() {
		server = ", with an SPF record that allows " + client(&r.Envelope)
	}
	if i.Mode == alignment.Strict {
		return "use a MAIL FROM address at " + name + " itself (aspf=s)" + server
	}
	org := plainDomain(r.DMARC.OrganizationalDomain)
	if domain.Check(r.DMARC.OrganizationalDomain) != nil {
		org = name
	}
	return "use a custom MAIL FROM domain below " + org + " (such as bounce." + org + ")" + server
}

// permErrorText says what is wrong with an SPF record.
func permErrorText(err error) string {
	for _, known := range []error{
		spf.ErrMultipleRecords, spf.ErrNoTarget, spf.ErrLoop, spf.ErrTermLimit, spf.ErrVoidLimit, spf.ErrMXLimit,
		spf.ErrQuestionLimit, spf.ErrRecordLimit, spf.ErrSyntax,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it cannot be evaluated"
}
