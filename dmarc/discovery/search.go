package discovery

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/kept"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/resolver"
)

// A method is what the modes differ in.
type method interface {
	// These append the names to ask for the author's policy, and for an identifier's
	// Organizational Domain.
	policyNames(list []string, author string) []string
	identifierNames(list []string, identifier string) []string

	policy(author string, f findings) choice
	organization(name string, f findings) Organization
	aligned(author, identifier Organization, f findings) Alignment

	isFloor(name string) bool // whether a name is a public suffix, where that is the floor
}

// compare is relaxed alignment of names whose Organizational Domains are known.
func compare(author, identifier Organization) Alignment {
	if alignment.Relaxed.Aligned(author.name(), identifier.name()) {
		return Aligned
	}
	return NotAligned
}

func (o *Organization) name() alignment.Domain {
	return alignment.Domain{Name: o.Domain, Organizational: o.Organizational}
}

// method returns the method of the search.
func (s *Search) method() method {
	switch s.mode {
	case TreeWalkLiteral:
		return treeWalk{}
	case PublicSuffix:
		return byList{}
	case PublicSuffixICANN:
		return byList{alignment.PublicSuffix{ICANNOnly: true}}
	}
	s.floor = floor{s.author, s.records.publicSuffix(s.author)}
	return treeWalk{&s.floor}
}

// A choice is the record that a method selects for an Author Domain.
type choice struct {
	source Source
	query  *Query // where it was found; nil where there is none
	open   *Query // the nearest question without an answer, where that leaves it open
}

// Records keeps policy records that were parsed, and the public suffixes of names. The zero
// Records is empty and ready; one serves all messages.
type Records struct {
	byText   [2]kept.Map[parsed] // by standard
	suffixes kept.Map[string]
}

// publicSuffix returns the public suffix of a name, unless r is not nil and has it. Finding it
// in the list takes ten times as long.
func (r *Records) publicSuffix(name string) string {
	find := alignment.PublicSuffix{}.Suffix
	if r == nil {
		return find(name)
	}
	return r.suffixes.Get(name, find)
}

type parsed struct {
	record *record.Record
	err    error
}

// parse parses a record, unless r is not nil and has it.
func (r *Records) parse(text string, s record.Standard) parsed {
	parse := func(text string) parsed {
		r, _, err := record.Parse(text, s)
		return parsed{r, err}
	}
	if r == nil {
		return parse(text)
	}
	return r.byText[s].Get(text, parse)
}

// A Search finds what DNS says about one Author Domain. It is used by one goroutine, and
// must not be copied after Begin. What its Result refers to is not part of it: after End its
// memory may serve another Search.
type Search struct {
	mode    Mode
	how     method
	author  string
	ahead   int // Expect asks for no more names once so many were asked in all
	group   *ask.Group
	records *Records // or nil
	asked   findings
	pending sync.WaitGroup // of asked
	floor   floor          // of a Tree Walk
	found   *found         // the result

	ofAuthor  findings     // those of asked that the policy takes
	left      atomic.Int32 // how many of them have no outcome yet
	existence existence

	// Memory of what most searches need.
	names   [8]string
	lookups [3]lookup
}

// found is the result, and memory of what most results refer to, in one piece.
type found struct {
	result        Result
	organizations [1]Organization
	queries       [3]Query
	asked         [3]*Query
}

// Begin asks for all that finding the policy of an Author Domain will take. The name is in
// canonical form. The questions go to g, which bounds them and outlives the Search. Records
// may be nil.
func (s *Search) Begin(g *ask.Group, o Options, records *Records, author string) {
	s.mode, s.author, s.group, s.records = o.Mode, author, g, records
	s.ahead = limit.Of(o.Questions, DefaultQuestions) / 2
	s.how, s.found = s.method(), new(found)
	lookups := s.add(s.how.policyNames(s.names[:0], author))
	s.ofAuthor = s.asked
	s.left.Store(int32(len(lookups)))
	for i := range lookups {
		lookups[i].ofAuthor = true
	}
	s.ask(lookups)
}

// Expect asks for what the Organizational Domain of an identifier takes before it is known
// whether it will matter, so that nobody waits for it later. A name that shares no more than
// the top label with the Author Domain will hardly matter. Half of the questions are kept
// for the identifiers that do.
func (s *Search) Expect(name string) {
	if name == s.author { // as most often
		return
	}
	name, err := domain.Canonical(name)
	if err != nil || name == s.author || domain.Labels(commonSuffix(s.author, name)) < 2 {
		return
	}
	names := s.unknown(s.how.identifierNames(s.names[:0], name))
	if len(s.asked)+len(names) <= s.ahead {
		s.ask(s.add(names))
	}
}

// unknown returns those of names that were not asked for yet, in their memory.
func (s *Search) unknown(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return s.asked.find(name) != nil })
}

// End waits for what is under way, which takes no time once the Group of Begin is closed.
func (s *Search) End() {
	s.pending.Wait()
	s.existence.wait()
}

// Finish waits for the answers, asks for what the identifiers take that turned out to
// matter, and says what was found.
func (s *Search) Finish(identifiers []Identifier) *Result {
	s.pending.Wait()
	r := &s.found.result
	r.Mode, r.AuthorDomain, r.Organizations = s.mode, s.author, s.found.organizations[:0]
	c := s.how.policy(s.author, s.asked)
	switch {
	case c.open != nil:
		r.Err, r.Unanswered = cause.Wrap(ErrPolicyUnknown, "", c.open.Err), c.open.Domain
	case c.query == nil:
		r.Err = ErrNoRecord
	default:
		r.Source, r.PolicyDomain, r.Err = c.source, c.query.Domain, c.query.noPolicy
	}
	r.Organizations = append(r.Organizations, s.how.organization(s.author, s.asked))
	r.Organizations[0].Alignment = Aligned
	if r.Err == nil {
		s.organizations(r, identifiers, c.query.Record)
	}
	r.Queries = s.asked
	// A message that passes needs no policy, and the record alone may tell which one it is.
	if q := r.Query(); s.existence.asked() && (!r.passes(identifiers) || q.Record.NonexistentPolicy != q.Record.SubdomainPolicy) {
		r.Exists, r.ExistsAuthentic = s.existence.wait()
	}
	return r
}

// organizations finds the Organizational Domains of those identifiers for which they
// decide: authenticated or still able to be, not the Author Domain itself, not held to
// strict alignment, and where the Author Domain's Organizational Domain is possible.
func (s *Search) organizations(r *Result, identifiers []Identifier, policy *record.Record) {
	var names []string
	for _, i := range identifiers {
		if i.Domain == s.author || !i.Authenticated && !i.Open || i.Tag.mode(policy) == alignment.Strict {
			continue
		}
		name, err := domain.Canonical(i.Domain)
		if err != nil || name == s.author {
			continue
		}
		if r.Organizations[0].mayBe(name) && !slices.Contains(names, name) {
			names = append(names, name)
			s.ask(s.add(s.unknown(s.how.identifierNames(s.names[:0], name))))
		}
	}
	s.pending.Wait()
	for _, name := range names {
		o := s.how.organization(name, s.asked)
		o.Alignment = s.how.aligned(r.Organizations[0], o, s.asked)
		r.Organizations = append(r.Organizations, o)
	}
}

// passes reports whether an identifier is authenticated and aligned, so that no policy is
// going to be applied.
func (r *Result) passes(identifiers []Identifier) bool {
	return r.Err == nil && slices.ContainsFunc(identifiers, func(i Identifier) bool {
		_, a := r.Align(i)
		return i.Authenticated && a == Aligned
	})
}

// A lookup is the question for the record of one name. It is not the Query itself, which is
// part of the Result and must not keep the Search.
type lookup struct {
	query    *Query
	question resolver.Question
	search   *Search
	ofAuthor bool
}

// add adds a lookup for each of names, which were not asked for yet.
func (s *Search) add(names []string) []lookup {
	if len(names) == 0 {
		return nil
	}
	// What is referred to while questions are under way never moves.
	var queries []Query
	var lookups []lookup
	if s.asked == nil && len(names) <= len(s.lookups) {
		queries, lookups, s.asked = s.found.queries[:], s.lookups[:0], s.found.asked[:0]
	} else {
		queries, lookups, s.asked = make([]Query, len(names)), make([]lookup, 0, len(names)), slices.Grow(s.asked, len(names))
	}
	octets := 0
	for _, name := range names {
		octets += len(prefix) + len(name)
	}
	var questions strings.Builder // the names of all in one piece of memory
	questions.Grow(octets)
	for i, name := range names {
		start := questions.Len()
		questions.WriteString(prefix)
		questions.WriteString(name)
		queries[i].Domain = name
		question := resolver.Question{Name: questions.String()[start:], Type: resolver.TypeTXT}
		lookups = append(lookups, lookup{query: &queries[i], question: question, search: s})
		s.asked = append(s.asked, &queries[i])
	}
	return lookups
}

// prefix, before a domain, is the name of its DMARC record: RFC 9989, section 4.5.
const prefix = "_dmarc."

func (s *Search) ask(lookups []lookup) {
	s.pending.Add(len(lookups))
	var now clock.Moment
	for i := range lookups {
		s.group.AskAt(&now, lookups[i].question, &lookups[i])
	}
}

// Take takes the outcome of the question. Whoever takes the last one that the policy depends
// on asks whether the Author Domain exists.
func (l *lookup) Take(answer *resolver.Answer, err error) {
	defer l.search.pending.Done()
	q := l.query
	q.Authentic = answer.Authentic
	switch {
	case err == nil:
		q.read(answer.TXT, l.search.records, l.search.mode.Standard())
		q.PublicSuffix = q.Record != nil && q.Record.PSD == record.PSDUnknown && l.search.how.isFloor(q.Domain)
	case resolver.Temporary(err):
		q.Err = err
	default:
		// Proven absent, or a name too long to hold a record.
		q.Authentic = ask.Authentic(answer, err)
	}
	if l.ofAuthor && l.search.left.Add(-1) == 0 {
		l.search.askExistence()
	}
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
