package dmarc

import "github.com/mailverdict/mailverdict/alignment"

// PublicSuffix discovers policies and Organizational Domains as RFC 7489 did: by the
// public suffix list, and at two names at most (section 6.6.3). Records are read with
// pct, and without np, psd and t. The zero value uses the whole list.
type PublicSuffix struct {
	// ICANNOnly leaves out the private section of the list, so that all customers of
	// one hosting company are one organization.
	ICANNOnly bool
}

func (p PublicSuffix) list() alignment.PublicSuffix {
	return alignment.PublicSuffix{ICANNOnly: p.ICANNOnly}
}

func (p PublicSuffix) policyNames(author string) []string {
	if org := p.list().Of(author).Organizational; org != author {
		return []string{author, org}
	}
	return []string{author}
}

func (PublicSuffix) identifierNames(string) []string { return nil }

func (p PublicSuffix) organization(name string, _ findings) Organization {
	return Organization{Domain: name, Organizational: p.list().Of(name).Organizational, Rule: RuleList}
}

func (p PublicSuffix) aligned(author, identifier string, _ findings) Alignment {
	if alignment.Relaxed.Aligned(p.list().Of(author), p.list().Of(identifier)) {
		return Aligned
	}
	return NotAligned
}

// policy selects the policy of an Author Domain. Several records at a name end the
// search there, where the Tree Walk goes on.
func (p PublicSuffix) policy(author string, f findings) (Source, *Query, error) {
	source := SourceAuthor
	for _, name := range p.policyNames(author) {
		q := f.at(name)
		switch {
		case q.Err != nil:
			return SourceNone, nil, q.Err
		case q.Record != nil:
			return source, q, nil
		case q.ambiguous():
			return SourceNone, nil, nil
		}
		source = SourceOrganizational
	}
	return SourceNone, nil, nil
}

// ambiguous reports whether several DMARC records stand at the name.
func (q *Query) ambiguous() bool {
	for _, d := range q.Discarded {
		if d.Reason == several {
			return true
		}
	}
	return false
}
