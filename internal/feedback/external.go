package feedback

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

var causes cause.Table

// Why reports do not go to an address.
var (
	// ErrNotConfirmed says that an address outside of the organization whose record names it
	// did not agree to get reports about it, or has them go where they must not.
	ErrNotConfirmed = causes.New("not-confirmed", "the destination has not agreed to get reports about the domain")

	// ErrUnconfirmed says that DNS did not tell whether it agreed.
	ErrUnconfirmed = causes.New("unconfirmed", "whether the destination agrees to get reports could not be found out")
)

// Confirm says where reports about a policy domain go that its record has go to an address: there,
// or, where a domain that takes reports for others says so, to other addresses at the same host:
// RFC 9990, section 4. Nil as a Resolver means resolver.Default.
//
// The error wraps ErrNotConfirmed where they must not go there, and ErrUnconfirmed where a failure
// of DNS left that open, which is no agreement either.
func Confirm(ctx context.Context, r resolver.Resolver, policyDomain, address string) ([]string, error) {
	host, err := domain.CanonicalMail(address[strings.LastIndexByte(address, '@')+1:])
	if err != nil {
		return nil, cause.Wrap(ErrNotConfirmed, "", err)
	}
	policyDomain, err = domain.Canonical(policyDomain)
	if err != nil {
		return nil, cause.Wrap(ErrNotConfirmed, "", err)
	}
	if r == nil {
		r = resolver.Default()
	}
	switch same, err := sameOrganization(ctx, r, policyDomain, host); {
	case err != nil:
		return nil, err
	case same:
		return []string{address}, nil
	}
	name := policyDomain + "._report._dmarc." + host
	if len(name) > domain.MaxLength {
		return nil, cause.Wrap(ErrNotConfirmed, "the name to ask for is too long", nil)
	}
	answer, err := r.Resolve(ctx, resolver.Question{Name: name, Type: resolver.TypeTXT})
	switch {
	case errors.Is(err, resolver.ErrNotFound):
		return nil, cause.Wrap(ErrNotConfirmed, "", err)
	case err != nil:
		return nil, cause.Wrap(ErrUnconfirmed, "", err)
	}
	return confirmed(answer.TXT, address, host)
}

// sameOrganization reports whether two names have one Organizational Domain. That stands at or above
// both of them, and is no top level: names that share less are not asked for.
func sameOrganization(ctx context.Context, r resolver.Resolver, a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	if domain.Last(a, 2) != domain.Last(b, 2) {
		return false, nil
	}
	var organizations [2]string
	for i, name := range []string{a, b} {
		result := discovery.Discover(ctx, r, name, discovery.Options{})
		o := result.Organization(result.AuthorDomain)
		if o.Open || o.Organizational == "" {
			return false, cause.Wrap(ErrUnconfirmed, "the Organizational Domain of "+name, result.Err)
		}
		organizations[i] = o.Organizational
	}
	return organizations[0] == organizations[1], nil
}

// confirmed reads the records by which a host agrees to get reports: RFC 9990, section 4, from step
// 6 on. Only that a record is one of DMARC is asked of it.
func confirmed(txt []string, address, host string) ([]string, error) {
	txt = slices.DeleteFunc(slices.Clone(txt), func(text string) bool { return !record.IsDMARC(text) })
	if len(txt) == 0 {
		return nil, cause.Wrap(ErrNotConfirmed, "none of its records is one of DMARC", nil)
	}
	slices.Sort(txt) // the order of an answer means nothing
	var uris []record.URI
	stated := false
	for _, text := range txt {
		rec, _, _ := record.Parse(text, record.RFC9989) // it has no policy, which is an error
		if rec != nil && rec.Stated("rua") {
			stated = true
			uris = append(uris, rec.AggregateReports...)
		}
	}
	if !stated {
		return []string{address}, nil
	}
	list := Addresses(uris)
	for _, instead := range list {
		if name, err := domain.CanonicalMail(instead[strings.LastIndexByte(instead, '@')+1:]); err != nil || name != host {
			return nil, cause.Wrap(ErrNotConfirmed, "it names another host", nil)
		}
	}
	if len(list) == 0 {
		return nil, cause.Wrap(ErrNotConfirmed, "it names no address that can be used", nil)
	}
	return list, nil
}
