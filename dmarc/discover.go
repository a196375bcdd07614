package dmarc

import (
	"slices"
	"strings"
	"sync"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/enum"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Discoverer is a way to find policies and Organizational Domains: TreeWalk or
// PublicSuffix.
type Discoverer interface {
	policyNames(author string) []string         // to ask for the author's policy
	identifierNames(identifier string) []string // to ask for an identifier's Organizational Domain

	policy(author string, f findings) (Source, *Query, error)
	organization(name string, f findings) Organization
	aligned(author, identifier string, f findings) Alignment
}

// Source says whose record a policy comes from: RFC 9989, section 4.10.1.
type Source uint8

const (
	SourceNone           Source = iota // there is none
	SourceAuthor                       // the Author Domain's own
	SourceOrganizational               // its Organizational Domain's
	SourcePublicSuffix                 // its Public Suffix Domain's
)

var sourceWords = []string{"", "author", "organizational", "public-suffix"}

// String returns "author", "organizational", "public-suffix" or "".
func (s Source) String() string { return enum.String(sourceWords, s) }

// MarshalText returns the word of String.
func (s Source) MarshalText() ([]byte, error) { return enum.MarshalText(sourceWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *Source) UnmarshalText(text []byte) error { return enum.UnmarshalText(sourceWords, s, text) }

// Rule says why a name is an Organizational Domain: RFC 9989, section 4.10.2.
type Rule uint8

const (
	RuleSelf     Rule = iota // no record was found: the name is its own
	RulePSDNo                // its record says psd=n
	RulePSDYes               // it is one label below a Public Suffix Domain (psd=y)
	RuleShortest             // of the names with a record it has the fewest labels
	RuleList                 // the public suffix list (RFC 7489, section 3.2)
)

var ruleWords = []string{"self", "psd=n", "psd=y", "shortest", "list"}

// String returns a word for the rule.
func (r Rule) String() string { return enum.String(ruleWords, r) }

// MarshalText returns the word of String.
func (r Rule) MarshalText() ([]byte, error) { return enum.MarshalText(ruleWords, r) }

// UnmarshalText reads a word that MarshalText wrote.
func (r *Rule) UnmarshalText(text []byte) error { return enum.UnmarshalText(ruleWords, r, text) }

// An Organization is the Organizational Domain of a name, how it was found, and what that
// makes of the name's relaxed alignment with the Author Domain.
type Organization struct {
	Domain         string    `json:"domain"`
	Organizational string    `json:"organizational"`
	Rule           Rule      `json:"rule"`
	Alignment      Alignment `json:"alignment"`

	// Open says that a question on the way was left without an answer, and that
	// another Organizational Domain is possible.
	Open bool `json:"open,omitempty"`
}

// Alignment says whether an identifier is in alignment with the Author Domain.
type Alignment uint8

const (
	NotAligned    Alignment = iota
	Aligned                 // RFC 9989, section 4.10.2
	AlignmentOpen           // DNS did not answer what would decide it
)

var alignmentWords = []string{"no", "yes", "open"}

// String returns "no", "yes" or "open".
func (a Alignment) String() string { return enum.String(alignmentWords, a) }

// MarshalText returns the word of String.
func (a Alignment) MarshalText() ([]byte, error) { return enum.MarshalText(alignmentWords, a) }

// UnmarshalText reads a word that MarshalText wrote.
func (a *Alignment) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(alignmentWords, a, text)
}

// Existence says whether the Author Domain exists, where that mattered.
type Existence uint8

const (
	ExistenceNotAsked Existence = iota
	ExistenceYes
	ExistenceNo   // NXDOMAIN: RFC 9989, section 3.2.13
	ExistenceOpen // DNS did not say
)

var existenceWords = []string{"", "yes", "no", "open"}

// String returns "yes", "no", "open", or "" for ExistenceNotAsked.
func (e Existence) String() string { return enum.String(existenceWords, e) }

// MarshalText returns the word of String.
func (e Existence) MarshalText() ([]byte, error) { return enum.MarshalText(existenceWords, e) }

// UnmarshalText reads a word that MarshalText wrote.
func (e *Existence) UnmarshalText(text []byte) error {
	return enum.UnmarshalText(existenceWords, e, text)
}

// A Discovery is what DNS says about an Author Domain: its policy, and the
// Organizational Domains that identifiers are held against.
type Discovery struct {
	// Method is "tree-walk", "tree-walk-literal", "public-suffix" or
	// "public-suffix-icann".
	Method string `json:"method"`

	AuthorDomain string    `json:"author_domain"`
	Exists       Existence `json:"exists,omitempty"`

	// Queries are all names asked for DMARC records, in the order of asking.
	Queries []*Query `json:"queries"`

	// Whose record the policy comes from, and the domain where it stands.
	Source       Source `json:"source,omitempty"`
	PolicyDomain string `json:"policy_domain,omitempty"`

	// Organizations holds the Organizational Domain of the Author Domain, and then
	// of every identifier that could have the same.
	Organizations []Organization `json:"organizations"`

	// Err says why there is no policy: it wraps ErrNoRecord, ErrNoPolicy,
	// ErrPolicyUnknown, or, where AuthorDomain is empty, ErrFromDomain.
	Err error `json:"-"`

	existsAuthentic resolver.Authentic // of the answer that says Exists
}

// Query returns the query that found the policy record, or nil.
func (d *Discovery) Query() *Query {
	for _, q := range d.Queries {
		if q.Record != nil && q.Domain == d.PolicyDomain {
			return q
		}
	}
	return nil
}

// Organization returns what was found for a name, or the zero Organization, which is not
// aligned.
func (d *Discovery) Organization(name string) Organization {
	for _, o := range d.Organizations {
		if o.Domain == name {
			return o
		}
	}
	return Organization{}
}

// discovery is a Discovery while it is made.
type discovery struct {
	how       Discoverer
	author    string
	queries   queries
	foresight int // how many names may be asked with what foresee asks

	// Whether the Author Domain exists, once asking is over.
	exists          Existence
	existsAuthentic resolver.Authentic
	asking          sync.WaitGroup
}

// start asks for all that finding the policy of an Author Domain will take.
func (d *discovery) start(v *Verifier, life *lifetime, r resolver.Resolver, author string) {
	d.how, d.author = v.discoverer(), author
	d.queries.life, d.queries.resolver = life, r
	d.foresight = v.Limits.withDefaults().PolicyQuestions / 2
	if walk, ok := d.how.(TreeWalk); ok {
		d.queries.suffix = walk.suffix
	} else {
		d.queries.standard = record.RFC7489
	}
	d.queries.askThen(d.how.policyNames(author), d.askExistence)
}

// askExistence asks whether the Author Domain exists, where the policy depends on it: it
// comes from a name above, and has an np tag. RFC 7489 has none.
func (d *discovery) askExistence(found findings) {
	if _, walk := d.how.(TreeWalk); !walk {
		return
	}
	source, q, err := d.how.policy(d.author, found)
	if err != nil || q == nil || q.usable != nil || source == SourceAuthor || !q.Record.Stated("np") {
		return
	}
	d.exists = ExistenceOpen
	ctx := d.queries.life.context()
	d.asking.Go(func() {
		d.exists, d.existsAuthentic = exists(ctx, d.queries.resolver, d.author)
	})
}

// foresee asks for what the Organizational Domain of an identifier takes before it is
// known whether it will matter, so that nobody waits for it later. A name that shares no
// more than the top label with the Author Domain will hardly matter. Half of the questions
// are kept for those that do.
func (d *discovery) foresee(identifier string) {
	name, err := domain.Canonical(identifier)
	if err != nil || name == d.author || domain.Labels(commonSuffix(d.author, name)) < 2 {
		return
	}
	if names := d.how.identifierNames(name); d.queries.wouldAsk(names) <= d.foresight {
		d.queries.ask(names)
	}
}

// finish waits for the answers, asks for what the identifiers take that turned out to
// matter, and says what was found.
func (d *discovery) finish(identifiers []Identifier) *Discovery {
	found := d.queries.wait()
	out := &Discovery{Method: method(d.how), AuthorDomain: d.author}
	source, q, failed := d.how.policy(d.author, found)
	switch {
	case failed != nil:
		out.Err = cause.Wrap(ErrPolicyUnknown, "", failed)
	case q == nil:
		out.Err = ErrNoRecord
	default:
		out.Source, out.PolicyDomain, out.Err = source, q.Domain, q.usable
	}
	author := d.how.organization(d.author, found)
	author.Alignment = Aligned
	out.Organizations = []Organization{author}
	if out.Err == nil {
		out.Organizations = append(out.Organizations, d.organizations(author, identifiers, q.Record)...)
		if !out.proves(identifiers, q.Record) {
			d.asking.Wait()
			out.Exists, out.existsAuthentic = d.exists, d.existsAuthentic
		}
	}
	out.Queries = d.queries.asked
	return out
}

// proves reports whether an identifier is authenticated and aligned, so that no policy is
// going to be applied.
func (d *Discovery) proves(identifiers []Identifier, r *record.Record) bool {
	return slices.ContainsFunc(identifiers, func(i Identifier) bool {
		i.align(d, r)
		return i.Authenticated && i.Alignment == Aligned
	})
}

// organizations finds the Organizational Domains of those identifiers for which they
// decide: authenticated or still able to be, not the Author Domain itself, not held to
// strict alignment, and within the Author Domain's Organizational Domain, as far as that
// is known. An Organizational Domain always stands at or above its name.
func (d *discovery) organizations(author Organization, identifiers []Identifier, r *record.Record) []Organization {
	var names []string
	for _, i := range identifiers {
		if !i.Authenticated && !i.Open || i.Domain == d.author || i.mode(r) == alignment.Strict {
			continue
		}
		if domain.Within(i.Domain, author.Organizational) || author.Open && commonSuffix(i.Domain, d.author) != "" {
			names = add(names, i.Domain)
			d.queries.ask(d.how.identifierNames(i.Domain))
		}
	}
	found := d.queries.wait()
	list := make([]Organization, 0, len(names))
	for _, name := range names {
		o := d.how.organization(name, found)
		o.Alignment = d.how.aligned(d.author, name, found)
		list = append(list, o)
	}
	return list
}

// byList reports whether the public suffix list was used: RFC 7489.
func (d *Discovery) byList() bool { return strings.HasPrefix(d.Method, "public-suffix") }

// method returns the word for a way of discovery.
func method(how Discoverer) string {
	switch how {
	case TreeWalk{}:
		return "tree-walk"
	case TreeWalk{Literal: true}:
		return "tree-walk-literal"
	case PublicSuffix{}:
		return "public-suffix"
	}
	return "public-suffix-icann"
}

// commonSuffix returns the labels that two names share, from the right.
func commonSuffix(a, b string) string {
	for a != b {
		if len(a) > len(b) {
			a = domain.Parent(a)
		} else {
			b = domain.Parent(b)
		}
	}
	return a
}
