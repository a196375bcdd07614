package explain

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/spf"
)

// recordFixes are for a domain without a policy.
func recordFixes(v *dmarc.Verdict, res *spf.Result) []Fix {
	if v.Discovery == nil {
		return nil
	}
	if q := severalRecords(v); q != nil {
		return []Fix{keepOne(q)}
	}
	for _, q := range v.Discovery.Queries {
		if q.Record != nil && q.Domain == v.Discovery.PolicyDomain {
			return []Fix{mendDMARC(q.Domain, q.Text)}
		}
		if text := nearlyDMARC(v, q); text != "" {
			return []Fix{mendDMARC(q.Domain, text)}
		}
	}
	if f, ok := misplaced(v, res); ok {
		return []Fix{f}
	}
	name := organizationOf(v)
	if domain.Check(name) != nil || (alignment.PublicSuffix{}).Is(name) {
		return []Fix{{Text: "Send from an address whose domain is yours. Nobody can publish a policy for " + name + "."}}
	}
	return []Fix{{
		Text:    "Publish a DMARC record for " + name + ". It says what to do with mail that nothing proves.",
		Changes: []Change{change(ActionAdd, "_dmarc."+name, "TXT", "v=DMARC1; p=none")},
		Note:    "p=none asks for nothing yet. When all your mail passes, quarantine and then reject protect your name.",
	}}
}

// misplaced is for a DMARC record that stands at the domain itself, where nobody looks for it.
func misplaced(v *dmarc.Verdict, res *spf.Result) (Fix, bool) {
	if res == nil || !ownedBy(v.AuthorDomain, res.RejectedDomain) {
		return Fix{}, false
	}
	for _, text := range res.Rejected {
		r, meant := mend.DMARC(text)
		if !meant {
			continue
		}
		at := plainDomain(res.RejectedDomain)
		f := Fix{
			Text:    "Move the DMARC record of " + at + " to _dmarc." + at + ". Nobody looks for it where it stands now.",
			Changes: []Change{change(ActionAdd, "_dmarc."+at, "TXT", or(r.Mended, text)), change(ActionDelete, at, "TXT", text)},
		}
		if len(r.Faults) > 0 {
			f.Broken = show(at, r)
		}
		return f, true
	}
	return Fix{}, false
}

// organizationOf returns the Organizational Domain of the Author Domain, or else that itself.
func organizationOf(v *dmarc.Verdict) string {
	if v.Discovery != nil {
		if o := v.Discovery.Organization(v.AuthorDomain); domain.Check(o.Organizational) == nil {
			return plainDomain(o.Organizational)
		}
	}
	return plainDomain(v.AuthorDomain)
}

// ownedBy reports whether a record at name would be for the Author Domain's owner to publish:
// at the Author Domain itself, or above it but not at a public suffix.
func ownedBy(author, name string) bool {
	return name == author || domain.Within(author, name) && !alignment.PublicSuffix{}.Is(name)
}

// keepOne is for several DMARC records at one name.
func keepOne(q *discovery.Query) Fix {
	name := plainDomain(q.Domain)
	f := Fix{Text: "Keep one DMARC record for " + name + " and delete the others. Several count as none."}
	mildest, policy := -1, record.Policy(0)
	var texts []string
	for _, d := range q.Discarded {
		if d.Reason != discovery.Several {
			continue
		}
		texts = append(texts, d.Text)
		if r, ok, err := record.Parse(d.Text, record.RFC9989); ok && err == nil && (mildest < 0 || r.Policy < policy) {
			mildest, policy = len(texts)-1, r.Policy
		}
	}
	for i, text := range texts {
		if i != mildest {
			f.Changes = append(f.Changes, change(ActionDelete, "_dmarc."+name, "TXT", text))
		}
	}
	if mildest >= 0 {
		f.Note = "Here the mildest of them stays."
	}
	return f
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

// mendDMARC is for a DMARC record that says nothing, or not what was meant.
func mendDMARC(at, text string) Fix {
	name := "_dmarc." + plainDomain(at)
	f := Fix{Text: "Correct the DMARC record of " + plainDomain(at) + "."}
	r, meant := mend.DMARC(text)
	if !meant {
		f.Broken = whole(name, text)
		return f
	}
	f.Broken = show(name, r)
	if r.Mended != "" {
		f.Changes = []Change{replace(name, r.Mended, text)}
		f.Note = "This is what was probably meant. Compare it before you publish it."
	}
	return f
}

// exactFixes are for what passed and would count if the DMARC record did not ask for the exact
// name.
func exactFixes(v *dmarc.Verdict) []Fix {
	name := plainDomain(v.AuthorDomain)
	looser := Fix{Text: "Let names below " + organizationOf(v) + " count: take adkim=s and aspf=s out of its DMARC record."}
	if r := published(v); r != nil {
		looser.Changes = []Change{replace("_dmarc."+plainDomain(v.PolicyDomain), withoutTags(r, "adkim", "aspf"), v.Record)}
	}
	return []Fix{
		{Text: "Sign with " + name + " itself (DKIM, d=" + name + ")."},
		{Text: "Let bounces go to an address at " + name + " itself, and allow the server there (SPF)."},
		looser,
	}
}

// withoutTags returns a DMARC record without some of its tags.
func withoutTags(r *record.Record, names ...string) string {
	var list []string
	for _, tag := range r.Tags {
		if tag.Kind != record.TagBroken && !slices.Contains(names, domain.ToLower(tag.Name)) {
			list = append(list, tag.Name+"="+tag.Value)
		}
	}
	return strings.Join(list, "; ")
}
