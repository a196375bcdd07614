package explain

import (
	"context"
	"errors"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// fixes say what the sender can do so that such a message passes.
func fixes(r *dmarc.Result) []Fix {
	v := &r.DMARC
	switch v.Status {
	case dmarc.StatusFail:
		return failFixes(r)
	case dmarc.StatusNone:
		return recordFixes(v, r.SPF)
	case dmarc.StatusTempError:
		return openFixes(r)
	case dmarc.StatusPermError:
		return []Fix{{Text: "Write one From line, with addresses of one domain, in a header without faults."}}
	}
	return nil
}

// failFixes are for a message that nothing proves. What came closest is said first.
func failFixes(r *dmarc.Result) []Fix {
	v := &r.DMARC
	name := visible.Domain(v.AuthorDomain)
	if notExisting(v) {
		return []Fix{{Text: "Write an address into From whose domain exists."}}
	}
	d := broken(r)
	if d != nil && d.HeaderVerified {
		return []Fix{fixSignature(d)}
	}
	if exactOnly(v) {
		return exactFixes(v)
	}
	var list []Fix
	if d != nil {
		list = append(list, fixSignature(d))
	} else if list = senderFixes(r, name); len(list) > 0 {
		return list
	} else {
		list = append(list, Fix{
			Text: "Sign your mail in the name of " + name + " (DKIM). The program or company that sends it says how.",
		})
	}
	// A server that changed the message on its way is nobody's to put into SPF.
	if d != nil && errors.Is(d.Err, dkim.ErrBodyHashMismatch) {
		return list
	}
	bySPF, wrong := fixSPF(r)
	if wrong {
		return append(bySPF, list...)
	}
	return append(list, bySPF...)
}

// senderFixes are for those who sent the message and prove themselves, but not the domain in
// From: "SPF passed, and yet DMARC fails".
func senderFixes(r *dmarc.Result, name string) []Fix {
	var list []Fix
	for _, i := range proven(&r.DMARC) {
		who := visible.Domain(i.Domain)
		if p := provider.OfDomain(who); p != nil {
			list = append(list, providerFixes(p, name, &r.DMARC)...)
			continue
		}
		list = append(list, Fix{
			Text: "Ask " + who + ", which sent this, to sign your mail in the name of " + name + " (DKIM). It says which records to publish.",
		})
		if i.Method == dmarc.MethodSPF && r.Envelope.IP.IsValid() {
			list = append(list, ownReturnAddress(r, i)...)
		}
	}
	return list
}

// providerFixes are how a domain is set up with a provider.
func providerFixes(p *provider.Provider, name string, v *dmarc.Verdict) []Fix {
	r := published(v)
	var list []Fix
	for _, fix := range p.Fixes {
		if fix.Kind == provider.KindInclude || fix.Kind == provider.KindSPF && r != nil && r.SPFAlignment == alignment.Strict {
			continue // a name below the domain would not count
		}
		list = append(list, remedy.SetUp(p, fix, name))
	}
	return list
}

// openWhy is why a verdict is open.
type openWhy uint8

const (
	openSilent  openWhy = iota // the name servers of the sender did not answer
	openRefused                // the server that was asked would not
	openEnded                  // nobody waited for the answer
)

// whyOpen says of a temperror what stands behind it: not the sender's DNS where somebody here
// did not wait for it, or where our own DNS server refused the question.
func whyOpen(err error) openWhy {
	for _, ended := range []error{spf.ErrCanceled, spf.ErrTimeLimit, dmarc.ErrInterrupted, dkim.ErrInterrupted, resolver.ErrLimit, context.Canceled} {
		if errors.Is(err, ended) {
			return openEnded
		}
	}
	for _, refused := range []error{resolver.ErrRefused, resolver.ErrUnreachable, resolver.ErrFormat} {
		if errors.Is(err, refused) {
			return openRefused
		}
	}
	return openSilent
}

// openError returns the error that stands behind a verdict of temperror, as far as it can be
// told.
func openError(r *dmarc.Result) error {
	v := &r.DMARC
	if d := v.Discovery; d != nil {
		for _, q := range d.Queries {
			if q.Err != nil && (v.Unanswered == "" || q.Domain == v.Unanswered) {
				return q.Err
			}
		}
	}
	for _, i := range v.Identifiers {
		switch d := signature(r, i); {
		case !i.Open:
		case d != nil && d.Err != nil:
			return d.Err
		case i.Method == dmarc.MethodSPF && r.SPF != nil && r.SPF.Err != nil:
			return r.SPF.Err
		}
	}
	return v.Err
}

// openSentence says why the verdict is open.
func openSentence(r *dmarc.Result) string {
	switch whyOpen(openError(r)) {
	case openEnded:
		return "The check was ended before DNS had answered."
	case openRefused:
		return "The DNS server that was asked here did not want to answer. That is not the sender's fault."
	}
	if name := r.DMARC.Unanswered; name != "" {
		return "The name servers of " + visible.Domain(name) + " did not answer, and without the answer nobody can tell."
	}
	return "DNS did not answer, and without the answer nobody can tell."
}

func openFixes(r *dmarc.Result) []Fix {
	switch whyOpen(openError(r)) {
	case openEnded:
		return []Fix{{Text: "Check the message again, with more time."}}
	case openRefused:
		return []Fix{{Text: "Check the message again, with another DNS server."}}
	}
	f := Fix{Text: "Send it again later."}
	if name := r.DMARC.Unanswered; name != "" {
		f.Text += " If that does not help, see that the name servers of " + visible.Domain(name) + " answer."
	}
	return []Fix{f}
}
