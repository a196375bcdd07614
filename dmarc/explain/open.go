package explain

import (
	"context"
	"errors"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// whyOpen says of a temperror what stands behind it: not DNS where somebody here did not
// wait for it.
func whyOpen(err error) string {
	for _, ended := range []error{spf.ErrCanceled, spf.ErrTimeLimit, resolver.ErrLimit, context.Canceled} {
		if errors.Is(err, ended) {
			return "The check was ended before DNS had answered. It may do so later."
		}
	}
	return "DNS did not answer. It may do so later."
}

// unanswered names the domain whose missing answer left the verdict open, with a space
// behind it, or returns "" where that cannot be told.
func unanswered(r *dmarc.Result) string {
	if name := openDomain(r); name != "" {
		return "of " + plainDomain(name) + " "
	}
	return ""
}

// openDomain follows dmarc.Evaluate: first the policy, then an identifier that could have
// made a pass, then whether the Author Domain exists.
func openDomain(r *dmarc.Result) string {
	v := &r.DMARC
	d := v.Discovery
	switch {
	case errors.Is(v.Err, dmarc.ErrExistenceUnknown):
		return v.AuthorDomain
	case d == nil:
		return ""
	case errors.Is(d.Err, dmarc.ErrPolicyUnknown):
		return failedQuery(d, v.AuthorDomain)
	}
	for _, i := range v.Identifiers {
		switch {
		case i.Alignment == dmarc.NotAligned:
		case i.Open:
			return openCheck(r, i)
		case i.Authenticated && i.Alignment == dmarc.AlignmentOpen:
			return openAlignment(v, i)
		}
	}
	return ""
}

// failedQuery returns the domain nearest to name, of those on the way up from it, whose
// question for a DMARC record has no answer.
func failedQuery(d *dmarc.Discovery, name string) string {
	nearest := ""
	for _, q := range d.Queries {
		if q.Err != nil && domain.Within(name, q.Domain) && len(q.Domain) > len(nearest) {
			nearest = q.Domain
		}
	}
	return nearest
}

// openCheck returns the domain that left SPF or a signature open. For SPF that may be a
// domain which the record names, such as one that it includes.
func openCheck(r *dmarc.Result, i dmarc.Identifier) string {
	var failed *resolver.Error
	if i.Method == dmarc.MethodSPF && r.SPF != nil && errors.As(r.SPF.Err, &failed) && domain.Check(failed.Question.Name) == nil {
		return failed.Question.Name
	}
	return i.Domain
}

// openAlignment returns the domain that left the Organizational Domain of an identifier
// open, or else that of the Author Domain.
func openAlignment(v *dmarc.Verdict, i dmarc.Identifier) string {
	for _, name := range []string{i.Domain, v.AuthorDomain} {
		if v.Discovery.Organization(name).Open {
			return failedQuery(v.Discovery, name)
		}
	}
	return ""
}
