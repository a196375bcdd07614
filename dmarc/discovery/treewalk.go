package discovery

import (
	"iter"
	"slices"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// treeWalk is the DNS Tree Walk of RFC 9989, section 4.10: at most eight names from the
// domain up to its top level, asked side by side.
type treeWalk struct {
	floor *floor // nil for what the RFC says and no more
}

// A floor is the public suffix list under the walks for one Author Domain.
type floor struct {
	author string
	suffix string // of author, which most questions are about
}

// publicSuffix returns the public suffix of a name.
func (f *floor) publicSuffix(name string) string {
	if name == f.author {
		return f.suffix
	}
	return alignment.PublicSuffix{}.Suffix(name)
}

// isFloor spares the list where the name is the Author Domain, as most often.
func (t treeWalk) isFloor(name string) bool {
	if t.floor == nil || name == t.floor.author && name != t.floor.suffix {
		return false
	}
	return alignment.PublicSuffix{}.Is(name)
}

// walkLabels is how many labels are left after the first step of a long walk.
const walkLabels = 7

// path yields the domains that a walk from start asks for: RFC 9989, section 4.10, steps 3
// to 7.
func path(start string) iter.Seq[string] {
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

// names appends what path yields.
func names(list []string, start string) []string { return slices.AppendSeq(list, path(start)) }

func (treeWalk) policyNames(list []string, author string) []string { return names(list, author) }
func (treeWalk) identifierNames(list []string, identifier string) []string {
	return names(list, identifier)
}

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
	var room [1]end // mostly enough
	ends := t.ends(author, f, room[:0])
	for _, e := range ends[1:] {
		if e.record != ends[0].record {
			return choice{open: unanswered(author, f)}
		}
	}
	if ends[0].record == "" {
		return choice{}
	}
	// It was found: one that a failure may hide is not at every end.
	return choice{source: ends[0].source, query: f.at(ends[0].record)}
}

// organization returns the Organizational Domain of a name, if all answers that open
// questions might have had lead to the same.
func (t treeWalk) organization(name string, f findings) Organization {
	var room [1]end // mostly enough
	ends := t.ends(name, f, room[:0])
	if slices.IndexFunc(ends, func(e end) bool { return e.org != ends[0].org }) < 0 {
		return Organization{Domain: name, Organizational: ends[0].org, Rule: ends[0].rule, Suffix: ends[0].suffix}
	}
	o := Organization{Domain: name, Open: true, Unanswered: unanswered(name, f).Domain}
	for _, e := range ends {
		if !slices.Contains(o.Possible, e.org) {
			o.Possible = append(o.Possible, e.org)
		}
	}
	return o
}

// ends appends to list every end that a walk from start may come to: one, if all questions
// were answered.
func (t treeWalk) ends(start string, f findings, list []end) []end {
	w := t.from(start, f)
	var room [1]state
	states := append(room[:0], w.begin())
	for name := range path(start) {
		states = each(states, t.values(f.at(name), &w), func(s state, v value) state { return w.step(s, name, v) })
	}
	for _, s := range states {
		list = append(list, w.end(s))
	}
	return list
}

// aligned compares Organizational Domains. Where one of them is open it considers every
// answer that the open questions might have had, the same in both walks: unless all lead to
// the same, the outcome is open.
func (t treeWalk) aligned(authors, identifiers Organization, f findings) Alignment {
	if !authors.Open && !identifiers.Open {
		return compare(authors, identifiers)
	}
	author, identifier := authors.Domain, identifiers.Domain
	a, i := t.from(author, f), t.from(identifier, f)
	var room [1]pair
	pairs := append(room[:0], pair{a.begin(), i.begin()})
	ofAuthor, ofIdentifier := names(nil, author), names(nil, identifier)
	// The names of both walks come last in each: they are the ones nearest to the top level.
	for _, name := range slices.Concat(ofAuthor, ofIdentifier) {
		inAuthor, inIdentifier := slices.Contains(ofAuthor, name), slices.Contains(ofIdentifier, name)
		if inAuthor && inIdentifier {
			continue
		}
		pairs = each(pairs, t.values(f.at(name), &a, &i), func(p pair, v value) pair {
			if inAuthor {
				return pair{a.step(p.author, name, v).organization(), p.identifier}
			}
			return pair{p.author, i.step(p.identifier, name, v).organization()}
		})
	}
	for _, name := range ofAuthor {
		if slices.Contains(ofIdentifier, name) {
			pairs = each(pairs, t.values(f.at(name), &a, &i), func(p pair, v value) pair {
				return pair{a.step(p.author, name, v).organization(), i.step(p.identifier, name, v).organization()}
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

// A pair is how far the walks of the Author Domain and of an identifier have come to their
// Organizational Domains.
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

// isSuffix reports whether a name is the public suffix that the floor of one of the walks
// goes by. What a suffix above it says is of no matter.
func isSuffix(name string, walks []*walk) bool {
	return slices.ContainsFunc(walks, func(w *walk) bool { return w.suffix != 0 && w.name(w.suffix) == name })
}

// unanswered returns the first question of a walk that has no answer.
func unanswered(start string, f findings) *Query {
	for name := range path(start) {
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

// values returns what the outcome of a query says about its name, which the walks come to:
// one value, or each that an unanswered question might have had.
func (t treeWalk) values(q *Query, walks ...*walk) []value {
	switch {
	case q.Err != nil && isSuffix(q.Domain, walks):
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
