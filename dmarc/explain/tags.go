package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// byList reports whether the policy was looked for by the public suffix list, and so by the
// rules of RFC 7489.
func byList(d *dmarc.Discovery) bool {
	return d != nil && strings.HasPrefix(d.Method, "public-suffix")
}

// notInRFC7489 are the tags that only RFC 9989 has.
func notInRFC7489(tag string) bool { return tag == "np" || tag == "psd" || tag == "t" }

// tags says which tags that decide are stated, as far as they can be read, and which have
// their defaults.
func tags(s *Step, d *dmarc.Discovery, r *dmarc.Record) {
	list := []struct{ name, value string }{
		{"p", r.Policy.String()},
		{"sp", r.SubdomainPolicy.String()},
		{"np", r.NonexistentPolicy.String()},
		{"adkim", r.DKIMAlignment.String()},
		{"aspf", r.SPFAlignment.String()},
		{"psd", r.PSD.String()},
	}
	if byList(d) {
		list = append(list, struct{ name, value string }{"pct", strconv.Itoa(r.Percent)})
	}
	assumed := assumesNone(r)
	readable := r.Policy != dmarc.PolicyUnset && !assumed
	var stated, defaults, taken []string
	for _, t := range list {
		text := t.name + "=" + t.value
		isPolicy := t.name == "p" || t.name == "sp" || t.name == "np"
		switch {
		case byList(d) && notInRFC7489(t.name):
			continue
		case r.Stated(t.name) && (isPolicy && !readable || faulty(r, t.name)):
			stated = append(stated, asWritten(r, t.name))
		case r.Stated(t.name):
			stated = append(stated, text)
		case t.value != "" && !(assumed && isPolicy):
			defaults = append(defaults, text)
		}
		if assumed && isPolicy {
			taken = append(taken, text)
		}
	}
	s.add("stated", strings.Join(stated, ", "))
	s.add("assumed", strings.Join(taken, ", "))
	s.add("default", strings.Join(defaults, ", "))
}

// ignoredTags says which tags do not count, and why.
func ignoredTags(s *Step, d *dmarc.Discovery, r *dmarc.Record) {
	for _, tag := range r.Tags {
		text := tag.Name + "=" + tag.Value
		switch {
		case tag.Kind == dmarc.TagKnown && byList(d) && notInRFC7489(domain.ToLower(tag.Name)):
			s.add("ignored", text+", which RFC 7489 does not have")
		case tag.Kind == dmarc.TagRemoved && !byList(d):
			s.add("ignored", text+", which RFC 9989 removed")
		case tag.Kind == dmarc.TagUnknown:
			s.add("ignored", text+", which is not known")
		}
	}
}

// asWritten returns tags as they stand in a record, all of those names.
func asWritten(r *dmarc.Record, names ...string) string {
	var list []string
	for _, tag := range r.Tags {
		if tag.Kind != dmarc.TagBroken && slices.Contains(names, domain.ToLower(tag.Name)) {
			list = append(list, tag.Name+"="+tag.Value)
		}
	}
	return strings.Join(list, ", ")
}

// faulty reports whether something is wrong with a tag.
func faulty(r *dmarc.Record, tag string) bool {
	return slices.ContainsFunc(r.Problems, func(p dmarc.Problem) bool { return p.Tag == tag })
}

// assumesNone reports whether a record states no valid policy, and p=none is assumed for the
// sake of the reports that it asks for: RFC 9989, section 4.10.1.
func assumesNone(r *dmarc.Record) bool {
	return slices.ContainsFunc(r.Problems, func(p dmarc.Problem) bool { return p.Tag == "p" && p.Assumed == "p=none" })
}

// record returns the record that applies, or nil.
func record(v *dmarc.Verdict) *dmarc.Record {
	if v.Discovery == nil || v.Discovery.Query() == nil {
		return nil
	}
	return v.Discovery.Query().Record
}

// policyAssumed reports whether the policy is not what the record states.
func policyAssumed(v *dmarc.Verdict) bool {
	r := record(v)
	return r != nil && assumesNone(r)
}

// policyTag returns the tag that applies to the message: p, sp or np.
func policyTag(v *dmarc.Verdict) string {
	if v.PolicyTag == "sp" || v.PolicyTag == "np" {
		return v.PolicyTag
	}
	return "p"
}

// stricter says what a record would have to state so that a policy applies in full:
// "sp=reject and no t=y".
func stricter(v *dmarc.Verdict, p dmarc.Policy) string {
	text := policyTag(v) + "=" + p.String()
	if policyAssumed(v) {
		text = "a valid policy of " + p.String()
	}
	switch r := record(v); {
	case r == nil:
	case byList(v.Discovery) && r.Percent < 100:
		text += " and pct=100"
	case !byList(v.Discovery) && r.Testing:
		text += " and no t=y"
	}
	return text
}
