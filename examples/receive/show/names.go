package show

import (
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
)

// Names are two names that are held against each other.
type Names struct {
	From, Other Name
	Sign        string // "=", "≠" or "?"
	Aligned     bool
}

// A Name is a name in two parts: that at its end which the other name has too, and what is before it.
type Name struct {
	Of             string // "From", "MAIL FROM", "d="
	Rest, Common   string
	Organizational string // empty where it is not known, or is the name itself
}

// newNames holds an identifier against the Author Domain.
func newNames(v *dmarc.Verdict, i dmarc.Identifier) *Names {
	n := &Names{Sign: "≠", From: Name{Of: "From"}, Other: Name{Of: "MAIL FROM"}}
	if i.Method == dmarc.MethodDKIM {
		n.Other.Of = "signature, d="
	}
	switch i.Alignment {
	case discovery.Aligned:
		n.Sign, n.Aligned = "=", true
	case discovery.AlignmentOpen:
		n.Sign = "?"
	}
	n.From.Rest, n.Other.Rest, n.From.Common = common(v.AuthorDomain, i.Domain)
	n.Other.Common = n.From.Common
	if i.Mode == alignment.Relaxed {
		n.From.Organizational = organization(v.AuthorDomain, v.OrganizationalDomain)
		n.Other.Organizational = organization(i.Domain, i.Organizational)
	}
	return n
}

func organization(name, organizational string) string {
	if name == organizational {
		return ""
	}
	return organizational
}

// common parts two names at the labels at their ends that are the same.
func common(a, b string) (restA, restB, end string) {
	la, lb := strings.Split(a, "."), strings.Split(b, ".")
	n := 0
	for n < len(la) && n < len(lb) && la[len(la)-1-n] == lb[len(lb)-1-n] {
		n++
	}
	part := func(labels []string) string {
		rest := strings.Join(labels[:len(labels)-n], ".")
		if rest != "" && n > 0 {
			rest += "."
		}
		return rest
	}
	return part(la), part(lb), strings.Join(la[len(la)-n:], ".")
}
