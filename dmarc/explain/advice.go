package explain

import (
	"slices"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// advice is on what is wrong, or risky, and did not decide.
func advice(r *dmarc.Result) []Fix {
	var list []Fix
	list = append(list, rewrittenFrom(&r.DMARC)...)
	list = append(list, fromAdvice(r)...)
	list = append(list, recordAdvice(&r.DMARC)...)
	list = append(list, spfAdvice(r)...)
	return append(list, keyAdvice(r)...)
}

// rewrittenFrom is for a provider that has put an address of its own into From.
func rewrittenFrom(v *dmarc.Verdict) []Fix {
	p := provider.OfFrom(v.AuthorDomain)
	if p == nil || v.Status != dmarc.StatusPass {
		return nil
	}
	f := Fix{
		Text:     "Your customers see an address of " + p.Name + " in From, not yours. Set up your own domain in " + p.Console + ".",
		Provider: p.ID,
	}
	return []Fix{f}
}

// fromAdvice is on a From field that was taken in spite of what is wrong with it.
func fromAdvice(r *dmarc.Result) []Fix {
	var list []Fix
	for _, p := range r.Author.Problems {
		list = append(list, Fix{Text: "Mend the From line: " + p.Detail + "."})
	}
	return list
}

// recordAdvice is on faults of the DMARC record that applies.
func recordAdvice(v *dmarc.Verdict) []Fix {
	r := published(v)
	if r == nil || len(r.Problems) == 0 || !ownedBy(v.AuthorDomain, v.PolicyDomain) {
		return nil
	}
	f := remedy.DMARC(v.PolicyDomain, v.Record)
	if len(f.Broken.Faults) == 0 {
		return nil
	}
	return []Fix{f}
}

// spfAdvice is on the SPF record of the sender's own domain, where SPF did not decide.
func spfAdvice(r *dmarc.Result) []Fix {
	if r.SPF == nil || !r.Envelope.IP.IsValid() || !slices.ContainsFunc(r.DMARC.Identifiers, func(i dmarc.Identifier) bool {
		return i.Method == dmarc.MethodSPF && i.Alignment == discovery.Aligned
	}) {
		return nil
	}
	switch {
	case r.SPF.Status == spf.StatusPass:
		return openToAll(r.SPF)
	case r.SPF.Status == spf.StatusPermError && r.DMARC.Status == dmarc.StatusPass:
		return []Fix{remedy.SPF(r.SPF)}
	case r.SPF.Status == spf.StatusNone && r.DMARC.Status == dmarc.StatusPass:
		if f, ok := remedy.NearlySPF(r.SPF); ok {
			return []Fix{f}
		}
	}
	return nil
}

// openToAll is for an SPF record that lets everybody pass.
func openToAll(res *spf.Result) []Fix {
	if f, open := remedy.CloseSPF(visible.Domain(or(res.RecordDomain, res.Domain)), res.Record); open {
		return []Fix{f}
	}
	return nil
}

// keyAdvice is on signatures of the sender's own whose keys are weak or wrong, where the
// message passes all the same.
func keyAdvice(r *dmarc.Result) []Fix {
	var list []Fix
	seen := make(map[string]bool)
	for _, i := range r.DMARC.Identifiers {
		d := signature(r, i)
		if d == nil || i.Alignment != discovery.Aligned || r.DMARC.Status != dmarc.StatusPass || len(list) == 3 {
			continue
		}
		key := visible.Domain(d.Selector + "._domainkey." + d.Domain)
		if domain.Check(key) != nil || seen[key] {
			continue
		}
		seen[key] = true
		switch {
		case d.Status == dkim.StatusPermError:
			list = append(list, fixSignature(d))
		case slices.Contains(d.Warnings, dkim.WarningShortKey):
			list = append(list, remedy.ShortKey(key))
		case slices.Contains(d.Warnings, dkim.WarningTesting):
			list = append(list, remedy.TestingKey(key))
		}
	}
	return list
}
