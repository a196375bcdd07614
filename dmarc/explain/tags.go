package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// byList reports whether the rules of RFC 7489 were followed.
func byList(v *dmarc.Verdict) bool { return v.Standard == record.RFC7489 }

// tags says which tags that decide are stated, as far as they can be read, and which have
// their defaults.
func tags(s *Step, r *record.Record) {
	list := []struct {
		name, value string
		applies     bool
	}{
		{"p", r.Policy.String(), true},
		{"sp", r.SubdomainPolicy.String(), true},
		{"np", r.NonexistentPolicy.String(), r.Standard == record.RFC9989},
		{"adkim", r.DKIMAlignment.String(), true},
		{"aspf", r.SPFAlignment.String(), true},
		{"psd", r.PSD.String(), r.Standard == record.RFC9989},
		{"pct", strconv.Itoa(r.Percent), r.Standard == record.RFC7489},
	}
	assumed := r.PolicyAssumed
	readable := r.Policy != record.PolicyUnset && !assumed
	var stated, defaults, taken []string
	for _, t := range list {
		text := t.name + "=" + t.value
		isPolicy := t.name == "p" || t.name == "sp" || t.name == "np"
		switch {
		case !t.applies:
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
func ignoredTags(s *Step, r *record.Record) {
	for _, tag := range r.Tags {
		text := tag.Name + "=" + tag.Value
		switch tag.Kind {
		case record.TagLater:
			s.add("ignored", text+", which RFC 7489 does not have")
		case record.TagRemoved:
			s.add("ignored", text+", which RFC 9989 removed")
		case record.TagUnknown:
			s.add("ignored", text+", which is not known")
		}
	}
}

// asWritten returns tags as they stand in a record, all of those names.
func asWritten(r *record.Record, names ...string) string {
	var list []string
	for _, tag := range r.Tags {
		if tag.Kind != record.TagBroken && slices.Contains(names, domain.ToLower(tag.Name)) {
			list = append(list, tag.Name+"="+tag.Value)
		}
	}
	return strings.Join(list, ", ")
}

// faulty reports whether something is wrong with a tag.
func faulty(r *record.Record, tag string) bool {
	return slices.ContainsFunc(r.Problems, func(p record.Problem) bool { return p.Tag == tag })
}

// published returns the record that applies, or nil.
func published(v *dmarc.Verdict) *record.Record {
	if v.Discovery == nil || v.Discovery.Query() == nil {
		return nil
	}
	return v.Discovery.Query().Record
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
func stricter(v *dmarc.Verdict, p record.Policy) string {
	text := policyTag(v) + "=" + p.String()
	if v.PolicyAssumed {
		text = "a valid policy of " + p.String()
	}
	switch r := published(v); {
	case r == nil:
	case r.Standard == record.RFC7489 && r.Percent < 100:
		text += " and pct=100"
	case r.Testing:
		text += " and no t=y"
	}
	return text
}
