package inspect

import (
	"errors"
	"strconv"

	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file says which policy applies to a name, and why.

// probe is a label that no domain has.
const probe = "no-such-name-mv7b"

// applied says what applies to the domain, given what the Tree Walk found.
func (in *inspection) applied(walk *discovery.Result) *published.DMARC {
	list := in.discover(in.name, discovery.PublicSuffix)
	d := &published.DMARC{Applied: appliedBy(walk), BySuffixList: appliedBy(list)}
	a, b := d.Applied, d.BySuffixList
	d.Differ = !a.Unknown && !b.Unknown && (a.FoundAt != b.FoundAt || a.Applies != b.Applies || a.Policy != b.Policy || a.Organizational != b.Organizational)
	below := probe + "." + in.name
	if len(below) > domain.MaxLength-len("_dmarc.") || walk.Query() == nil {
		return d
	}
	if _, err := in.dns.txt(below, false); err != nil {
		return d
	}
	d.Wildcard = !in.dns.missing(below)
	nonexistent := appliedBy(in.discover(below, discovery.TreeWalk))
	d.Nonexistent = &nonexistent
	return d
}

// appliedBy returns what a result says.
func appliedBy(r *discovery.Result) published.Applied {
	a := published.Applied{Name: r.AuthorDomain, Organizational: r.Organization(r.AuthorDomain).Organizational, Why: why(r)}
	q := r.Query()
	if q == nil {
		a.Unknown = errors.Is(r.Err, discovery.ErrPolicyUnknown)
		return a
	}
	p, tag := r.Policy()
	a.Record, a.FoundAt, a.Applies, a.Policy, a.Effect = q.Text, q.Domain, tag, p.String(), p.String()
	switch {
	case p == record.PolicyUnset:
	case q.Record.Testing:
		a.Effect = p.Lower().String()
	case q.Record.Standard == record.RFC7489 && q.Record.Percent < 100 && p > record.PolicyNone:
		a.Effect = p.String() + " for " + strconv.Itoa(q.Record.Percent) + " of 100, else " + p.Lower().String()
	}
	return a
}

// why says in a sentence why that record applies.
func why(r *discovery.Result) string {
	o := r.Organization(r.AuthorDomain)
	name, at := visible.Domain(r.AuthorDomain), visible.Domain(r.PolicyDomain)
	switch {
	case r.Unanswered != "":
		return "DNS gave no answer for _dmarc." + visible.Domain(r.Unanswered) + ", and without it nobody can tell."
	case r.Query() == nil:
		return "There is no record for " + name + ", nor for a domain above it that counts."
	case r.Source == discovery.SourceAuthor:
		return name + " has a record of its own."
	}
	text := name + " has no record of its own. "
	if r.Source == discovery.SourcePublicSuffix {
		return text + at + " stands above it, and is a domain below which strangers register names."
	}
	switch o.Rule {
	case discovery.RulePSDNo:
		return text + at + " says psd=n, so that it is the Organizational Domain."
	case discovery.RulePSDYes:
		return text + at + " is the Organizational Domain: it stands one label below a domain that says psd=y."
	case discovery.RuleFloor, discovery.RuleList:
		return text + at + " is the Organizational Domain: it stands one label below the public suffix " + visible.Domain(o.Suffix) + "."
	}
	return text + at + " is the Organizational Domain: of the names above that have a record, it is the highest."
}

// dmarcInherited is on a record of a domain above, and on ways to look for it that differ.
func (in *inspection) dmarcInherited() {
	d := in.report.DMARC
	if d.FoundAt == "" || d.FoundAt == in.name && !d.Differ {
		return
	}
	message := d.Why
	if d.FoundAt != in.name && d.Policy != "" {
		message = "The DMARC record of " + visible.Domain(d.FoundAt) + " applies, by its " + d.Applies + "=" + d.Policy + ". " + d.Why
	}
	if d.Differ {
		message += " By the public suffix list, as older receivers look for it: " + short(&d.BySuffixList) + "."
	}
	in.found.add("dmarc-inherited", message, d.Record, Fix{})
}

// short says what applies in a few words.
func short(a *published.Applied) string {
	switch {
	case a.Unknown:
		return noAnswer
	case a.FoundAt == "":
		return "no record"
	}
	text := "the record of " + visible.Domain(a.FoundAt)
	if a.Applies != "" {
		text += ", " + a.Applies + "=" + a.Policy
	}
	return text + ", Organizational Domain " + visible.Domain(a.Organizational)
}
