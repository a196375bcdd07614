package inspect

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/figure"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file says in lines what a domain publishes, for text and for HTML.

// A fact is a line of what a domain publishes. Those without a label belong to the line above.
type fact struct{ Label, Text string }

// facts are what the domain publishes.
func (r *Report) facts() []fact {
	var list []fact
	add := func(label, text string) {
		if text != "" {
			list = append(list, fact{label, visible.Value(text)})
		}
	}
	if s := r.SPF; s != nil {
		add("SPF", cmp.Or(s.Record, missing(s.Status == "temperror")))
		if s.Record != "" && (s.Status == "valid" || s.Lookups > 0) {
			add("", costOf(s))
			add("", whoMaySend(s))
		}
		if s.Record != "" && s.Status != "valid" {
			add("", s.Status+": "+s.Reason)
		}
	}
	add("sent by", r.companies())
	list = append(list, dmarcFacts(r.DMARC)...)
	if r.Mail == nil {
		return list // it does not exist
	}
	for i, k := range r.DKIM {
		add(unless(i > 0, "DKIM"), k.String())
	}
	switch {
	case len(r.DKIM) > 0:
	case slices.ContainsFunc(r.Unanswered, func(u Unanswered) bool { return strings.Contains(u.Name, "._domainkey.") }):
		add("DKIM", noAnswer)
	default:
		add("DKIM", "no key found at the selectors that were tried")
	}
	return append(list, mailFacts(r.Mail)...)
}

// noAnswer is said of what DNS failed to tell, which is never "none".
const noAnswer = "DNS gave no answer"

// missing says that there is no record, or that DNS failed.
func missing(failed bool) string {
	if failed {
		return noAnswer
	}
	return "none"
}

// companies are those that send for the domain.
func (r *Report) companies() string {
	var names []string
	for _, s := range r.Setup {
		names = append(names, s.Name)
	}
	return remedy.List(names)
}

// unless returns text, or "" if a condition holds.
func unless(condition bool, text string) string {
	if condition {
		return ""
	}
	return text
}

// costOf says what the record costs.
func costOf(s *published.SPF) string {
	text := strconv.Itoa(s.Lookups) + " of 10 look-ups"
	if s.VoidLookups > 0 {
		text += ", " + strconv.Itoa(s.VoidLookups) + " of 2 that find nothing"
	}
	if s.Tree != nil && unknownCost(s.Tree) {
		text += ", and those of names with macros, which depend on the message"
	}
	return text
}

// unknownCost reports whether an include or redirect has a macro in its name.
func unknownCost(r *published.SPFRecord) bool {
	return slices.ContainsFunc(r.Terms, func(t published.SPFTerm) bool {
		leads := strings.Contains(t.Text, "include:") || strings.Contains(t.Text, "redirect=")
		return leads && t.Include == nil && strings.Contains(t.Text, "%") || t.Include != nil && unknownCost(t.Include)
	})
}

// whoMaySend says how many may send.
func whoMaySend(s *published.SPF) string {
	var list []string
	if s.IPv4Addresses > 0 {
		list = append(list, figure.Of(s.IPv4Addresses)+" IPv4 "+either(s.IPv4Addresses == 1, "address", "addresses"))
	}
	if s.IPv6Networks > 0 {
		list = append(list, figure.Of(s.IPv6Networks)+" IPv6 "+either(s.IPv6Networks == 1, "network", "networks")+" (/64)")
	}
	text := cmp.Or(remedy.List(list), "nobody") + " may send"
	if len(s.Unknown) > 0 {
		text += "; and whom " + remedy.List(s.Unknown) + " let pass, which only a message tells"
	}
	return text
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func dmarcFacts(d *published.DMARC) []fact {
	list := []fact{{"DMARC", visible.Value(cmp.Or(d.Record, missing(d.Unknown)))}}
	add := func(label, text string) { list = append(list, fact{label, visible.Value(text)}) }
	if d.FoundAt != "" {
		add("", sentence(&d.Applied))
	}
	if d.Differ {
		add("", "by the public suffix list (RFC 7489): "+short(&d.BySuffixList))
	}
	switch n := d.Nonexistent; {
	case n == nil || n.Applies == "":
	case d.Wildcard:
		add("", n.Applies+"="+n.Policy+" for every name below it, since a wildcard makes all exist: "+effectWords(n.Effect))
	case n.Effect == d.Effect && n.FoundAt == d.FoundAt:
		add("", "the same for names below it that do not exist")
	default:
		add("", n.Applies+"="+n.Policy+" for names below it that do not exist: "+effectWords(n.Effect))
	}
	for i, dest := range d.Destinations {
		add(unless(i > 0, "reports"), dest.Tag+" "+dest.Address+": "+destinationWords[dest.Status])
	}
	return list
}

var destinationWords = map[string]string{
	destinationOK:           "takes them",
	destinationMalformed:    "cannot be used",
	destinationUnauthorized: "has not agreed to take them",
	destinationNoMX:         "takes no mail",
	destinationUnknown:      "could not be asked",
}

// effectWords say what becomes of mail that fails.
func effectWords(effect string) string {
	switch effect {
	case "none":
		return "nothing is done about mail that fails"
	case "quarantine":
		return "mail that fails is to be set aside (spam)"
	case "reject":
		return "mail that fails is to be refused"
	}
	return "mail that fails gets " + effect
}

// sentence says which policy applies, where from.
func sentence(a *published.Applied) string {
	if a.Applies == "" {
		return "at _dmarc." + a.FoundAt + ": it states no policy that can be followed"
	}
	text := "at _dmarc." + a.FoundAt + ", " + a.Applies + "=" + a.Policy
	if a.Effect != a.Policy {
		text += ", for now applied as " + a.Effect
	}
	text += ": " + effectWords(a.Effect)
	if a.Organizational != "" && a.Organizational != a.Name {
		text += "; Organizational Domain " + a.Organizational
	}
	return text
}

// unnamed says which addresses of a mail server have no name that leads back.
func unnamed(m *published.Mail, host string) string {
	for _, s := range m.Servers {
		if s.Host == host && len(s.Unnamed) > 0 {
			var list []string
			for _, addr := range s.Unnamed {
				list = append(list, addr.String())
			}
			return " (" + strings.Join(list, ", ") + ": no name in DNS that leads back; receivers refuse mail that comes from there)"
		}
	}
	return ""
}

func mailFacts(m *published.Mail) []fact {
	var list []fact
	for i, mx := range m.MX {
		list = append(list, fact{unless(i > 0, "MX"), mx.String() + unnamed(m, mx.Host)})
	}
	switch {
	case m.NullMX:
		list = append(list, fact{unless(len(m.MX) > 0, "MX"), "null: it takes no mail"})
	case len(m.MX) == 0:
		list = append(list, fact{"MX", missing(m.Unknown)})
	}
	for _, f := range []fact{{"MTA-STS", m.MTASTS}, {"TLS-RPT", m.TLSRPT}, {"BIMI", m.BIMI}} {
		if f.Text != "" {
			list = append(list, fact{f.Label, visible.Value(f.Text)})
		}
	}
	return list
}
