package explain

import (
	"slices"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// recordFixes are for a domain without a policy.
func recordFixes(v *dmarc.Verdict, res *spf.Result) []Fix {
	if v.Discovery == nil {
		return nil
	}
	if q := severalRecords(v); q != nil {
		return []Fix{remedy.KeepOne(q)}
	}
	for _, q := range v.Discovery.Queries {
		if q.Record != nil && q.Domain == v.Discovery.PolicyDomain {
			return []Fix{remedy.DMARC(q.Domain, q.Text)}
		}
		if text := nearlyDMARC(v, q); text != "" {
			return []Fix{remedy.DMARC(q.Domain, text)}
		}
	}
	if f, ok := misplaced(v, res); ok {
		return []Fix{f}
	}
	name := organizationOf(v)
	if domain.Check(name) != nil || (alignment.PublicSuffix{}).Is(name) {
		return []Fix{{Text: "Send from an address whose domain is yours. Nobody can publish a policy for " + name + "."}}
	}
	return []Fix{remedy.PublishDMARC(name, "v=DMARC1; p=none")}
}

// misplaced is for a DMARC record that stands at the domain itself, where nobody looks for it.
func misplaced(v *dmarc.Verdict, res *spf.Result) (Fix, bool) {
	if res == nil || !ownedBy(v.AuthorDomain, res.RejectedDomain) {
		return Fix{}, false
	}
	at := visible.Domain(res.RejectedDomain)
	for _, text := range res.Rejected {
		if f, meant := remedy.MoveDMARC(at, at, text); meant {
			return f, true
		}
	}
	return Fix{}, false
}

// organizationOf returns the Organizational Domain of the Author Domain, or else that itself.
func organizationOf(v *dmarc.Verdict) string {
	if v.Discovery != nil {
		if o := v.Discovery.Organization(v.AuthorDomain); domain.Check(o.Organizational) == nil {
			return visible.Domain(o.Organizational)
		}
	}
	return visible.Domain(v.AuthorDomain)
}

// ownedBy reports whether a record at name would be for the Author Domain's owner to publish:
// at the Author Domain itself, or above it but not at a public suffix.
func ownedBy(author, name string) bool {
	return name == author || domain.Within(author, name) && !alignment.PublicSuffix{}.Is(name)
}

// nearlyDMARC returns a TXT record that was meant to be a DMARC record of the Author Domain's
// owner, but is none; or "".
func nearlyDMARC(v *dmarc.Verdict, q *discovery.Query) string {
	if q.Record != nil || !ownedBy(v.AuthorDomain, q.Domain) {
		return ""
	}
	for _, d := range q.Discarded {
		if _, meant := mend.DMARC(d.Text); meant && d.Reason == discovery.NotDMARC {
			return d.Text
		}
	}
	return ""
}

// nearly reports whether there is such a record.
func nearly(v *dmarc.Verdict) bool {
	return v.Discovery != nil && slices.ContainsFunc(v.Discovery.Queries, func(q *discovery.Query) bool {
		return nearlyDMARC(v, q) != ""
	})
}

// exactFixes are for what passed and would count if the DMARC record did not ask for the exact
// name.
func exactFixes(v *dmarc.Verdict) []Fix {
	name := visible.Domain(v.AuthorDomain)
	looser := Fix{Text: "Let names below " + organizationOf(v) + " count: take adkim=s and aspf=s out of its DMARC record."}
	if r := published(v); r != nil {
		looser.Changes = []Change{remedy.Replace("_dmarc."+visible.Domain(v.PolicyDomain), remedy.WithoutTags(r, "adkim", "aspf"), v.Record)}
	}
	return []Fix{
		{Text: "Sign with " + name + " itself (DKIM, d=" + name + ")."},
		{Text: "Let bounces go to an address at " + name + " itself, and allow the server there (SPF)."},
		looser,
	}
}
