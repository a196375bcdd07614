package discovery

import (
	"slices"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// treeWalk is the DNS Tree Walk of RFC 9989, section 4.10: at most eight names from the
// domain up to its top level, asked side by side.
type treeWalk struct {
	literal bool // without the floor
}

// walkLabels is how many labels are left after the first step of a long walk.
const walkLabels = 7

// walkNames returns the domains that a walk from start asks for: RFC 9989, section 4.10,
// steps 3 to 7.
func walkNames(start string) []string {
	next := domain.Parent(start)
	if domain.Labels(start) > walkLabels {
		next = domain.Last(start, walkLabels)
	}
	names := make([]string, 0, min(domain.Labels(start), walkLabels+1))
	for name := start; name != ""; name, next = next, domain.Parent(next) {
		names = append(names, name)
	}
	return names
}

func (treeWalk) policyNames(author string) []string         { return walkNames(author) }
func (treeWalk) identifierNames(identifier string) []string { return walkNames(identifier) }

// policy selects the policy of an Author Domain: RFC 9989, section 4.10.1. Where questions
// were left open it considers every answer that they might have had, and finds a policy
// only if all lead to the same.
func (t treeWalk) policy(author string, f findings) choice {
	own := f.at(author)
	switch {
	case own.Err != nil:
		return choice{open: own}
	case own.Record != nil:
		return choice{source: SourceAuthor, query: own}
	}
	ends := t.ends(author, f)
	for _, e := range ends[1:] {
		if e.record != ends[0].record {
			return choice{open: unanswered(author, f)}
		}
	}
	if ends[0].record == "" {
		return choice{}
	}
	q := f.at(ends[0].record)
	if q.Err != nil {
		return choice{open: q}
	}
	return choice{source: ends[0].source, query: q}
}

// organization returns the Organizational Domain of a name, if all answers that open
// questions might have had lead to the same.
func (t treeWalk) organization(name string, f findings) Organization {
	ends := t.ends(name, f)
	o := Organization{Domain: name, Organizational: ends[0].org, Rule: ends[0].rule, Suffix: ends[0].suffix}
	for _, e := range ends {
		if !slices.Contains(o.Possible, e.org) {
			o.Possible = append(o.Possible, e.org)
		}
	}
	if len(o.Possible) == 1 {
		o.Possible = nil
		return o
	}
	return Organization{Domain: name, Open: true, Possible: o.Possible, Unanswered: unanswered(name, f).Domain}
}

// ends returns every end that a walk from start may come to: one, if all questions were
// answered.
func (t treeWalk) ends(start string, f findings) []end {
	w := t.from(start, f)
	states := []state{w.begin()}
	for _, name := range walkNames(start) {
		states = each(states, t.values(f.at(name)), func(s state, v value) state { return w.step(s, name, v) })
	}
	ends := make([]end, len(states))
	for i, s := range states {
		ends[i] = w.end(s)
	}
	return ends
}

// aligned reports whether an identifier has the Organizational Domain of the Author
// Domain. Where questions were left open it considers every answer that they might have
// had, the same in both walks: unless all lead to the same, the outcome is open.
func (t treeWalk) aligned(author, identifier string, f findings) Alignment {
	a, i := t.from(author, f), t.from(identifier, f)
	pairs := []pair{{a.begin(), i.begin()}}
	ofAuthor, ofIdentifier := walkNames(author), walkNames(identifier)
	// The names of both walks come last in each: they are the ones nearest to the top level.
	for _, name := range slices.Concat(ofAuthor, ofIdentifier) {
		inAuthor, inIdentifier := slices.Contains(ofAuthor, name), slices.Contains(ofIdentifier, name)
		if inAuthor && inIdentifier {
			continue
		}
		pairs = each(pairs, t.values(f.at(name)), func(p pair, v value) pair {
			if inAuthor {
				return pair{a.step(p.author, name, v), p.identifier}
			}
			return pair{p.author, i.step(p.identifier, name, v)}
		})
	}
	for _, name := range ofAuthor {
		if slices.Contains(ofIdentifier, name) {
			pairs = each(pairs, t.values(f.at(name)), func(p pair, v value) pair {
				return pair{a.step(p.author, name, v), i.step(p.identifier, name, v)}
			})
		}
	}
	same := 0
	for _, p := range pairs {
		if alignment.Relaxed.Aligned(a.end(p.author).domain(author), i.end(p.identifier).domain(identifier)) {
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

// A pair is how far the walks of the Author Domain and of an identifier have come.
type pair struct{ author, identifier state }

// each applies step to every state and every value, and returns the different states that
// come of it.
func each[S comparable](states []S, values []value, step func(S, value) S) []S {
	if len(values) == 1 {
		for i := range states {
			states[i] = step(states[i], values[0])
		}
		return states
	}
	next := make([]S, 0, len(values)*len(states))
	for _, s := range states {
		for _, v := range values {
			if stepped := step(s, v); !slices.Contains(next, stepped) {
				next = append(next, stepped)
			}
		}
	}
	return next
}

// unanswered returns the first question of a walk that has no answer.
func unanswered(start string, f findings) *Query {
	for _, name := range walkNames(start) {
		if q := f.at(name); q.Err != nil {
			return q
		}
	}
	return nil
}

// A value is what a name can contribute to a walk: no valid record, or one with a psd tag
// of u, y or n.
type value uint8

const (
	absent value = iota
	psdU
	psdY
	psdN
)

// certain has each value as the only one.
var certain = [...][]value{absent: {absent}, psdU: {psdU}, psdY: {psdY}, psdN: {psdN}}

// values returns what the outcome of a query says about its name: one value, or each that
// an unanswered question might have had.
func (t treeWalk) values(q *Query) []value {
	switch {
	case q.Err != nil && !t.literal && alignment.PublicSuffix{}.Is(q.Domain):
		// A suffix that would call itself an organization (psd=n) is so rare that a
		// failure is not presumed to hide one: a top-level domain with broken servers
		// must not hold up the mail of all domains below it, nor soften their policies.
		return []value{absent, psdU, psdY}
	case q.Err != nil:
		return []value{absent, psdU, psdY, psdN}
	case q.Record == nil:
		return certain[absent]
	case q.Record.PSD == record.PSDNo:
		return certain[psdN]
	case q.Record.PSD == record.PSDYes:
		return certain[psdY]
	}
	return certain[psdU]
}
