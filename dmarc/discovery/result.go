package discovery

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/authordomain"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

var causes cause.Table

// Why there is no policy. Result.Err wraps one of them, or record.ErrNoPolicy.
var (
	ErrNoRecord      = causes.New("no-record", "no DMARC record is published for the Author Domain")
	ErrPolicyUnknown = causes.New("policy-unknown", "the policy could not be found out")
	ErrAuthorDomain  = causes.Adopt(authordomain.Err) // it is not a domain name

	_ = causes.Adopt(record.ErrRecordLimit)
	_ = causes.Adopt(record.ErrNoPolicy)
)

// A Result is what DNS says about an Author Domain: its policy, and the Organizational
// Domains that identifiers are held against.
type Result struct {
	Mode         Mode   `json:"method"`        // how it was found
	AuthorDomain string `json:"author_domain"` // A-labels; empty where Err is ErrAuthorDomain

	// Exists says whether the Author Domain exists, where the policy depends on it and
	// RFC 9989 is followed.
	Exists          Existence          `json:"exists,omitempty"`
	ExistsAuthentic resolver.Authentic `json:"exists_authentic,omitempty"` // of the answer that says so

	// Queries are all names asked for DMARC records, in the order of asking.
	Queries []*Query `json:"queries"`

	// Whose record the policy comes from, and the domain where it stands.
	Source       Source `json:"source,omitempty"`
	PolicyDomain string `json:"policy_domain,omitempty"`

	// Organizations holds the Organizational Domain of the Author Domain, and then
	// of every identifier that could have the same.
	Organizations []Organization `json:"organizations"`

	// Unanswered is the domain whose question for a DMARC record has no answer, where
	// Err is ErrPolicyUnknown: of several, the one nearest to the Author Domain.
	Unanswered string `json:"unanswered,omitempty"`

	// Err says why there is no policy: it wraps ErrNoRecord, ErrPolicyUnknown,
	// ErrAuthorDomain or record.ErrNoPolicy.
	Err error `json:"-"`
}

// An Organization is the Organizational Domain of a name, how it was found, and what that
// makes of the name's relaxed alignment with the Author Domain.
type Organization struct {
	Domain         string    `json:"domain"`
	Organizational string    `json:"organizational"` // empty where it is Open
	Rule           Rule      `json:"rule"`
	Alignment      Alignment `json:"alignment"`

	// Suffix is the public suffix that decided, where Rule is RuleFloor or RuleList.
	Suffix string `json:"suffix,omitempty"`

	// Open says that questions were left without an answer, and that more than one
	// Organizational Domain is possible: those of Possible. Rule and Suffix say nothing
	// then. Unanswered is the domain whose question it was: of several, the one nearest
	// to Domain.
	Open       bool     `json:"open,omitempty"`
	Possible   []string `json:"possible,omitempty"`
	Unanswered string   `json:"unanswered,omitempty"`
}

// mayBe reports whether name stands where its Organizational Domain could be that of o.
// An Organizational Domain always stands at or above its name.
func (o *Organization) mayBe(name string) bool {
	if !o.Open {
		return domain.Within(name, o.Organizational)
	}
	return slices.ContainsFunc(o.Possible, func(possible string) bool { return domain.Within(name, possible) })
}

// An Identifier is a domain that authenticates a message, or may do so.
type Identifier struct {
	Domain string
	Tag    Tag // which tag of the policy record applies to it

	// Authenticated says that it does, and Open that DNS left it open whether it does.
	// One that is neither is not looked for: nothing depends on it.
	Authenticated, Open bool
}

// Query returns the query that found the policy record, or nil.
func (r *Result) Query() *Query {
	for _, q := range r.Queries {
		if q.Record != nil && q.Domain == r.PolicyDomain {
			return q
		}
	}
	return nil
}

// Organization returns what was found for a name, or the zero Organization, which is not
// aligned.
func (r *Result) Organization(name string) Organization {
	return *r.organization(name)
}

// organization is Organization without the copy.
func (r *Result) organization(name string) *Organization {
	for i := range r.Organizations {
		if o := &r.Organizations[i]; o.Domain == name {
			return o
		}
	}
	return new(Organization)
}

// Policy returns the policy for the Author Domain as it is published, before t and pct, and
// the tag that it comes from: RFC 9989, sections 4.7 and 4.10.1. The tag is the one that is
// stated, so "p" for a subdomain where the record has no sp. Both are empty where there is
// no policy, or where DNS left open which of sp and np it is.
func (r *Result) Policy() (record.Policy, string) {
	q := r.Query()
	switch {
	case r.Err != nil || q == nil:
		return record.PolicyUnset, ""
	case r.Source == SourceAuthor:
		return q.Record.Policy, "p"
	case r.Exists == ExistenceOpen && q.Record.NonexistentPolicy != q.Record.SubdomainPolicy:
		return record.PolicyUnset, ""
	case r.Exists == ExistenceNo && q.Record.Stated("np"):
		return q.Record.NonexistentPolicy, "np"
	case q.Record.Stated("sp"):
		return q.Record.SubdomainPolicy, "sp"
	}
	return q.Record.SubdomainPolicy, "p"
}

// Align says how an identifier stands to the Author Domain: by which mode it was held
// against it, and whether it is aligned. An identifier that could have the same
// Organizational Domain and was not looked for is AlignmentOpen if it counts, and otherwise
// what its name suggests.
func (r *Result) Align(i Identifier) (alignment.Mode, Alignment) {
	mode := alignment.Relaxed
	if q := r.Query(); q != nil {
		mode = i.Tag.mode(q.Record)
	}
	if alignment.Strict.Aligned(alignment.Domain{Name: r.AuthorDomain}, alignment.Domain{Name: i.Domain}) {
		return mode, Aligned
	}
	name, err := domain.Canonical(i.Domain)
	if mode == alignment.Strict || err != nil {
		return mode, NotAligned
	}
	o, author := r.organization(name), r.organization(r.AuthorDomain)
	switch {
	case o.Domain != "":
		return mode, o.Alignment
	case !author.mayBe(name):
		return mode, NotAligned
	case i.Authenticated || i.Open || author.Open:
		return mode, AlignmentOpen
	}
	return mode, Aligned
}

// mode returns what a record says by the tag.
func (t Tag) mode(r *record.Record) alignment.Mode {
	if t == TagSPF {
		return r.SPFAlignment
	}
	return r.DKIMAlignment
}

// Authentic says whether DNSSEC vouches for all answers that the result depends on.
func (r *Result) Authentic() resolver.Authentic {
	all := resolver.AuthenticYes
	for _, q := range r.Queries {
		all = all.And(q.Authentic)
	}
	if r.Exists != ExistenceNotAsked {
		all = all.And(r.ExistsAuthentic)
	}
	if len(r.Queries) == 0 {
		return resolver.AuthenticUnknown
	}
	return all
}

// String returns the result as one line of printable ASCII.
func (r *Result) String() string {
	text := r.Mode.String()
	if r.AuthorDomain != "" {
		text += " for " + r.AuthorDomain
	}
	if r.Err != nil {
		return text + ": " + r.Err.Error()
	}
	p, tag := r.Policy()
	if tag == "" {
		return text + ": sp or np of " + r.PolicyDomain
	}
	return text + ": " + tag + "=" + p.String() + " of " + r.PolicyDomain
}

// LogValue implements [slog.LogValuer].
func (r *Result) LogValue() slog.Value {
	p, tag := r.Policy()
	list := []slog.Attr{
		slog.String("method", r.Mode.String()),
		slog.String("author_domain", r.AuthorDomain),
		slog.String("organizational_domain", r.Organization(r.AuthorDomain).Organizational),
		slog.String("policy_domain", r.PolicyDomain),
		slog.String("policy", strings.Trim(tag+"="+p.String(), "=")),
	}
	if r.Err != nil {
		list = append(list, slog.String("reason", r.Err.Error()))
	}
	return slog.GroupValue(list...)
}

// MarshalJSON writes the result, with Err as "reason" and "cause".
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(r), causes.JSON(r.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(text []byte) error {
	type plain Result
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*r = Result(in.plain)
	r.Queries = slices.DeleteFunc(r.Queries, func(q *Query) bool { return q == nil })
	r.Err = causes.Error(in.JSON)
	return err
}
