package discovery

import "github.com/mailverdict/mailverdict/alignment"

// byList goes by the public suffix list: RFC 7489.
type byList struct {
	list alignment.PublicSuffix
}

func (l byList) policyNames(list []string, author string) []string {
	list = append(list, author)
	if org := l.list.Of(author).Organizational; org != author {
		list = append(list, org)
	}
	return list
}

func (byList) identifierNames(list []string, _ string) []string { return list }

func (l byList) organization(name string, _ findings) Organization {
	return Organization{Domain: name, Organizational: l.list.Of(name).Organizational, Rule: RuleList, Suffix: l.list.Suffix(name)}
}

func (byList) aligned(author, identifier Organization, _ findings) Alignment {
	return compare(author, identifier)
}

func (byList) isFloor(string) bool { return false }

// policy selects the policy of an Author Domain: RFC 7489, section 6.6.3. Several records at
// a name end the search there, where the Tree Walk goes on.
func (l byList) policy(author string, f findings) choice {
	source := SourceAuthor
	for _, name := range l.policyNames(nil, author) {
		q := f.at(name)
		switch {
		case q.Err != nil:
			return choice{open: q}
		case q.Record != nil:
			return choice{source: source, query: q}
		case q.Several():
			return choice{}
		}
		source = SourceOrganizational
	}
	return choice{}
}
