package dmarc

import (
	"iter"
	"slices"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// TreeWalk discovers policies and Organizational Domains by the DNS Tree Walk of RFC
// 9989, section 4.10: at most eight names from the domain up to its top level, asked
// side by side.
//
// The public suffix list is a floor under the walk: a record at a listed suffix that
// has no psd tag is read as if it had psd=y. Many suffixes publish such records, and
// without the floor all domains below them would be one organization (section 11.8).
// The result says where the floor decided.
type TreeWalk struct {
	// Literal turns the floor off.
	Literal bool
}

// walkLabels is how many labels are left after the first step of a long walk.
const walkLabels = 7

// walk yields the domains that a walk from start asks for: RFC 9989, section 4.10, steps 3
// to 7.
func walk(start string) iter.Seq[string] {
	return func(yield func(string) bool) {
		next := domain.Parent(start)
		if domain.Labels(start) > walkLabels {
			next = domain.Last(start, walkLabels)
		}
		for name := start; name != "" && yield(name); {
			name, next = next, domain.Parent(next)
		}
	}
}

// walkNames returns what walk yields.
func walkNames(start string) []string {
	names := make([]string, 0, min(domain.Labels(start), walkLabels+1))
	return slices.AppendSeq(names, walk(start))
}

func (TreeWalk) policyNames(author string) []string         { return walkNames(author) }
func (TreeWalk) identifierNames(identifier string) []string { return walkNames(identifier) }

// psdValue is what a name can contribute to a walk: no valid record, or one with a psd
// tag of u, y or n.
type psdValue uint8

const (
	absent psdValue = iota
	psdU
	psdY
	psdN
)

// values returns what the outcome of a query says about its name: one value, or each
// that an unanswered question might have had.
func (t TreeWalk) values(q *Query) []psdValue {
	switch {
	case q.Err != nil && t.suffix(q.Domain):
		// A suffix that would call itself an organization (psd=n) is so rare that
		// a failure is not presumed to hide one: a top-level domain with broken
		// servers must not hold up the mail of all domains below it.
		return []psdValue{absent, psdY}
	case q.Err != nil:
		return []psdValue{absent, psdU, psdY, psdN}
	case q.Record == nil:
		return []psdValue{absent}
	case q.Record.PSD == record.PSDNo:
		return []psdValue{psdN}
	case q.Record.PSD == record.PSDYes:
		return []psdValue{psdY}
	case q.PublicSuffix:
		return []psdValue{psdY}
	}
	return []psdValue{psdU}
}

// suffix reports whether the floor takes a name for a public suffix.
func (t TreeWalk) suffix(name string) bool {
	return !t.Literal && alignment.PublicSuffix{}.Is(name)
}

// walkState is how far a walk has come to an Organizational Domain: RFC 9989, section
// 4.10.2.
type walkState struct {
	org  string
	rule Rule
	done bool
}

// below returns the name below a Public Suffix Domain, on the path to start, that is an
// Organizational Domain: the one with a label more, which need have no record, nor have
// been asked. The floor holds there too: where that is a public suffix in turn, as co.uk
// below uk, it is the first name that is none.
func (t TreeWalk) below(suffix, start string) string {
	name := domain.Last(start, domain.Labels(suffix)+1)
	for name != start && t.suffix(name) {
		name = domain.Last(start, domain.Labels(name)+1)
	}
	return name
}

// step takes the value found at name into the state of a walk from start.
func (t TreeWalk) step(s walkState, start, name string, value psdValue) walkState {
	switch {
	case s.done || value == absent:
		return s
	case value == psdN:
		return walkState{name, RulePSDNo, true}
	case value == psdY && name != start:
		return walkState{t.below(name, start), RulePSDYes, true}
	}
	// Fewer labels than any before; a psd=y at the start ends the walk there.
	return walkState{name, RuleShortest, value == psdY}
}

// organization returns the Organizational Domain of a name. Where questions were left
// open, it is the one that the answered ones give.
func (t TreeWalk) organization(name string, f findings) Organization {
	state := walkState{org: name, rule: RuleSelf}
	open := false
	for step := range walk(name) {
		q := f.at(step)
		values := t.values(q)
		open = open || !state.done && len(values) > 1
		state = t.step(state, name, step, values[0])
	}
	return Organization{Domain: name, Organizational: state.org, Rule: state.rule, Open: open}
}

// policy selects the policy of an Author Domain: RFC 9989, section 4.10.1. Where
// questions were left open it considers every answer that they might have had, and
// finds a policy only if all lead to the same.
func (t TreeWalk) policy(author string, f findings) (Source, *Query, error) {
	own := f.at(author)
	if own.Err != nil {
		return SourceNone, nil, own.Err
	}
	if own.Record != nil {
		return SourceAuthor, own, nil
	}
	var failed error
	outcomes := outcomes{}
	candidates := []string{""} // the Organizational Domain so far, one for each course
	for _, name := range walkNames(author)[1:] {
		q := f.at(name)
		if q.Err != nil && failed == nil {
			failed = q.Err
		}
		var next []string
		for _, candidate := range candidates {
			for _, value := range t.values(q) {
				switch value {
				case absent:
					next = add(next, candidate)
				case psdU:
					next = add(next, name)
				case psdN:
					outcomes.add(SourceOrganizational, q)
				case psdY:
					// A suffix's record counts only where the Organizational
					// Domain below it has none.
					below := t.below(name, author)
					if candidate == below {
						outcomes.add(SourceOrganizational, f.at(below))
					} else {
						outcomes.add(SourcePublicSuffix, q)
					}
				}
			}
		}
		candidates = next
	}
	for _, candidate := range candidates {
		if candidate == "" {
			outcomes.add(SourceNone, nil)
		} else {
			outcomes.add(SourceOrganizational, f.at(candidate))
		}
	}
	if len(outcomes) == 1 && (outcomes[0].query == nil || outcomes[0].query.Err == nil) {
		return outcomes[0].source, outcomes[0].query, nil
	}
	return SourceNone, nil, failed
}

// outcomes are the different policies that a walk may lead to.
type outcomes []outcome

type outcome struct {
	source Source
	query  *Query
}

func (o *outcomes) add(source Source, q *Query) { *o = add(*o, outcome{source, q}) }

// add appends v to a short list of distinct values.
func add[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// aligned reports whether an identifier has the Organizational Domain of the Author
// Domain. Where questions were left open it considers every answer that they might have
// had, the same in both walks: unless all lead to the same, the outcome is open.
func (t TreeWalk) aligned(author, identifier string, f findings) Alignment {
	if author == identifier {
		return Aligned
	}
	mine, theirs := walkNames(author), walkNames(identifier)
	type pair struct{ author, identifier walkState }
	pairs := []pair{{walkState{org: author}, walkState{org: identifier}}}
	for _, name := range union(mine, theirs) {
		inMine, inTheirs := slices.Contains(mine, name), slices.Contains(theirs, name)
		values := t.values(f.at(name))
		var next []pair
		for _, p := range pairs {
			for _, value := range values {
				stepped := p
				if inMine {
					stepped.author = t.step(p.author, author, name, value)
				}
				if inTheirs {
					stepped.identifier = t.step(p.identifier, identifier, name, value)
				}
				next = add(next, stepped)
			}
		}
		pairs = next
	}
	same := 0
	for _, p := range pairs {
		if p.author.org == p.identifier.org {
			same++
		}
	}
	switch same {
	case 0:
		return NotAligned
	case len(pairs):
		return Aligned
	}
	return AlignmentOpen
}

// union returns the names of two walks, those of both last: they are the ones nearest to
// the top level.
func union(a, b []string) []string {
	var own, shared []string
	for _, name := range a {
		if slices.Contains(b, name) {
			shared = append(shared, name)
		} else {
			own = append(own, name)
		}
	}
	for _, name := range b {
		if !slices.Contains(a, name) {
			own = append(own, name)
		}
	}
	return append(own, shared...)
}
