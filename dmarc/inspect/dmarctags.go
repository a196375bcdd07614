package inspect

import (
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file looks at the tags of the DMARC record that applies, if the owner of the domain can
// change it.

// dmarcRecord looks at the record.
func (in *inspection) dmarcRecord(q *discovery.Query) {
	c := &policyCheck{in, q, q.Record, visible.Domain(q.Domain), "_dmarc." + visible.Domain(q.Domain)}
	if !c.syntax() {
		return
	}
	c.strength()
	c.tags()
	c.values()
	c.reports()
	c.alignment()
	c.psd()
	c.people()
}

// A policyCheck is a record that is looked at.
type policyCheck struct {
	*inspection
	query  *discovery.Query
	record *record.Record
	at     string // the domain of the record
	name   string // where it stands
}

// replaced returns the fix that sets some tags: see withTags.
func (c *policyCheck) replaced(text, note string, pairs ...string) Fix {
	return Fix{Text: text, Note: note, Changes: []Change{remedy.Replace(c.name, withTags(c.record, pairs...), c.query.Text)}}
}

func (c *policyCheck) add(id, message string, fix Fix) {
	c.found.add(id, message, c.query.Text, fix)
}

// syntax reports whether the record states a policy.
func (c *policyCheck) syntax() bool {
	r := c.record
	if r.Policy != record.PolicyUnset && !r.PolicyAssumed {
		return true
	}
	why := "it states no policy"
	for _, p := range r.Problems {
		if p.Kind != record.ProblemAssumed && (p.Tag == "p" || p.Tag == "sp" || p.Tag == "np" || p.Kind == record.ProblemConflict || p.Kind == record.ProblemRecordLimit) {
			why = p.Tag + ": " + p.Text
			break
		}
	}
	message := "The DMARC record of " + c.at + " states no valid policy (" + why + "). It counts as none at all."
	if r.PolicyAssumed {
		message = "The DMARC record of " + c.at + " states no valid policy (" + why + "). Since it asks for reports it counts as p=none."
	}
	c.add("dmarc-syntax", message, remedy.DMARC(c.query.Domain, c.query.Text))
	return false
}

// strength is on what the policy protects.
func (c *policyCheck) strength() {
	r := c.record
	if r.Policy == record.PolicyNone {
		message := "The policy of " + c.at + " is p=none: forged mail is let through."
		fix := c.replaced("When the reports show that all your mail passes, ask for quarantine, and after some weeks for reject.", "", "p", "quarantine")
		if !hasReports(r) {
			message = "The policy of " + c.at + " is p=none, and no reports are asked for. So it does nothing at all."
			fix = c.replaced("Ask for reports first. They show who sends in your name.", "Then ask for quarantine, and after some weeks for reject.", "rua", c.reportURI(c.at))
		}
		c.add("dmarc-none", message, fix)
	}
	var weak []string
	pairs := []string{}
	if r.Stated("sp") && r.SubdomainPolicy < r.Policy {
		weak, pairs = append(weak, "sp="+r.SubdomainPolicy.String()), append(pairs, "sp", "")
	}
	if r.Stated("np") && r.NonexistentPolicy < r.Policy {
		weak, pairs = append(weak, "np="+r.NonexistentPolicy.String()), append(pairs, "np", "")
	}
	if len(weak) > 0 {
		c.add("dmarc-weak-subdomains", "Names below "+c.at+" have a weaker policy than "+c.at+" itself: "+remedy.List(weak)+". Forgers use such names.",
			c.replaced("Take "+remedy.List(weak)+" out of the DMARC record, once mail from these names passes.", "Without it they have p="+r.Policy.String()+" too.", pairs...))
	}
	if r.Testing {
		c.add("dmarc-testing", "The DMARC record of "+c.at+" says t=y, only testing: p="+r.Policy.String()+" is applied as "+r.Policy.Lower().String()+".",
			c.replaced("Take t=y out of the DMARC record when your tests are done.", "", "t", ""))
	}
}

// tags is on tags that mean nothing.
func (c *policyCheck) tags() {
	var removed, unknown, repeated []string
	sizes := []string{}
	for _, tag := range c.record.Tags {
		switch text := tag.Name + "=" + tag.Value; tag.Kind {
		case record.TagRemoved:
			removed = append(removed, text)
		case record.TagUnknown:
			unknown = append(unknown, text)
		case record.TagBroken:
			unknown = append(unknown, tag.Name)
		}
	}
	for _, p := range c.record.Problems {
		if p.Kind == record.ProblemRepeated {
			repeated = append(repeated, p.Tag)
		}
	}
	for _, uri := range append(append([]record.URI(nil), c.record.AggregateReports...), c.record.FailureReports...) {
		if uri.Size != "" {
			removed = append(removed, "!"+uri.Size+" behind "+uri.Text)
			sizes = []string{"rua", uris(c.record.AggregateReports), "ruf", uris(c.record.FailureReports)}
		}
	}
	if len(removed) > 0 {
		text := "The DMARC record of " + c.at + " has what RFC 9989 removed: " + remedy.List(removed) + "."
		if c.record.Percent < 100 {
			text += " Receivers that follow it apply the policy to all mail."
		}
		c.add("dmarc-removed-tag", text, c.replaced("Take "+remedy.List(removed)+" out of the DMARC record.", "", sizes...))
	}
	if len(unknown) > 0 {
		c.add("dmarc-unknown-tag", "The DMARC record of "+c.at+" has what no standard knows: "+remedy.List(unknown)+". It is ignored.", c.mended())
	}
	if len(repeated) > 0 {
		c.add("dmarc-duplicate-tag", "The DMARC record of "+c.at+" has a tag twice: "+remedy.List(repeated)+".", c.mended())
	}
}

// mended is what was meant, as package explain says it; or the record without what is not known.
func (c *policyCheck) mended() Fix {
	f := remedy.DMARC(c.query.Domain, c.query.Text)
	if len(f.Changes) > 0 {
		return f
	}
	return c.replaced(f.Text, "")
}

// uris returns URIs without sizes as a tag has them.
func uris(list []record.URI) string {
	var texts []string
	for _, uri := range list {
		texts = append(texts, uri.Text)
	}
	return strings.Join(texts, ",")
}

// values is on optional tags with values that they cannot have.
func (c *policyCheck) values() {
	var wrong []string
	for _, p := range c.record.Problems {
		if p.Kind == record.ProblemValue || p.Kind == record.ProblemList {
			wrong = append(wrong, p.Tag+": "+p.Text)
		}
	}
	if len(wrong) > 0 {
		c.add("dmarc-bad-value", "The DMARC record of "+c.at+" has a value that a tag cannot have ("+strings.Join(wrong, "; ")+"). It is ignored.", c.mended())
	}
}

// reports is on who is told what is done in the name of the domain.
func (c *policyCheck) reports() {
	r := c.record
	parked := c.withoutMail() && c.silent()
	if len(r.AggregateReports) == 0 && !parked {
		c.add("dmarc-rua-missing", "The DMARC record of "+c.at+" names no address for reports. Nobody tells you who sends in your name.",
			c.replaced("Ask for reports, at an address that takes some mails a day.", "", "rua", c.reportURI(c.at)))
	}
	if len(r.FailureReports) > 0 {
		c.add("dmarc-ruf", "The DMARC record of "+c.at+" asks for failure reports (ruf). Few receivers send them, since they hold private mail.",
			Fix{Text: "Nothing has to be done. Rely on rua."})
	} else if r.Stated("fo") {
		c.add("dmarc-fo-without-ruf", "The DMARC record of "+c.at+" says for what failure reports are wanted (fo), and has no address for them (ruf).",
			c.replaced("Take fo out of the DMARC record.", "", "fo", ""))
	}
}

// hasReports reports whether some address may get reports.
func hasReports(r *record.Record) bool {
	for _, uri := range r.AggregateReports {
		if uri.Err == nil {
			return true
		}
	}
	return false
}

// alignment is on strict alignment.
func (c *policyCheck) alignment() {
	var strict, fails []string
	if c.record.DKIMAlignment == alignment.Strict {
		strict, fails = append(strict, "adkim=s"), append(fails, "signatures of names below "+c.at)
	}
	if c.record.SPFAlignment == alignment.Strict {
		strict, fails = append(strict, "aspf=s"), append(fails, "return addresses below "+c.at+", such as bounce."+c.at)
	}
	if len(strict) > 0 {
		c.add("dmarc-strict", "The DMARC record of "+c.at+" lets only the exact name count ("+remedy.List(strict)+"). These do not count: "+remedy.List(fails)+".",
			c.replaced("If a company sends for you by such a name, take "+remedy.List(strict)+" out.", "", "adkim", "", "aspf", ""))
	}
}

// psd is on psd=y.
func (c *policyCheck) psd() {
	if c.record.PSD == record.PSDYes && !(alignment.PublicSuffix{}).Is(c.query.Domain) {
		c.add("dmarc-psd", "The DMARC record of "+c.at+" says psd=y: that names below it belong to strangers. It is on no list of such domains.",
			c.replaced("Take psd=y out of the DMARC record, unless others register names below "+c.at+".", "", "psd", ""))
	}
}

// people is on p=reject for a domain that people write from: RFC 9989, section 7.4.
func (c *policyCheck) people() {
	if c.record.Policy != record.PolicyReject {
		return
	}
	for _, mx := range c.mx {
		if p := providerOfHost(mx.Host); p != nil && includeOf(p) != "" {
			c.add("dmarc-reject-users", "The policy is p=reject, and people at "+c.at+" write by "+p.Name+
				". Mailing lists that change their mails may lose them (RFC 9989, section 7.4).",
				Fix{Text: "Nothing has to be done. If people miss mails on lists, let them use a name of their own with p=quarantine."})
			return
		}
	}
}
