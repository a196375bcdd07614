package discovery

import (
	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// A walk selects the Organizational Domain of its start, and the record that gives the
// policy of names without one of their own: RFC 9989, sections 4.10.1 and 4.10.2.
//
// All names in question stand on the path from the start to its top level, so that a number
// of labels says which of them is meant: the start with that many labels left.
type walk struct {
	start  string
	labels int // of the start

	// The floor: suffix is the lowest public suffix of the path that does not say psd=n,
	// and floor the name one label below it, or the start where that is the suffix. Both
	// are 0 where there is no floor.
	suffix, floor int
}

// A state is how far a walk has come.
type state struct {
	org     uint8 // the Organizational Domain so far
	record  uint8 // the name whose record gives the policy; 0 where none was found
	rule    Rule
	atFloor bool // a record was found at the name of the floor
	done    bool // a psd tag has ended the walk
}

// organization returns what of a state decides the Organizational Domain: far fewer states
// differ in it, and a hostile domain can make as many as there are.
func (s state) organization() state { return state{org: s.org, done: s.done} }

// An end is what a walk comes to.
type end struct {
	org    string
	rule   Rule
	suffix string // the public suffix, where rule is RuleFloor
	source Source // of a policy for the start, where that has no record of its own
	record string // the domain whose record it is, or ""
}

func (e end) domain(name string) alignment.Domain {
	return alignment.Domain{Name: name, Organizational: e.org}
}

// from returns the walk from a name.
func (t treeWalk) from(start string, f findings) walk {
	w := walk{start: start, labels: domain.Labels(start)}
	if t.floor == nil {
		return w
	}
	for name := start; name != ""; {
		suffix := t.floor.publicSuffix(name)
		if q := f.find(suffix); q == nil || q.Record == nil || q.Record.PSD != record.PSDNo {
			w.suffix = domain.Labels(suffix)
			w.floor = min(w.suffix+1, w.labels)
			break
		}
		name = domain.Parent(suffix)
	}
	return w
}

func (w *walk) begin() state { return state{org: uint8(w.labels), rule: RuleSelf} }

// step takes the value found at a name into the state: RFC 9989, section 4.10.2.
func (w *walk) step(s state, name string, v value) state {
	if s.done || v == absent {
		return s
	}
	labels := uint8(domain.Labels(name))
	s.atFloor = s.atFloor || int(labels) == w.floor
	if v == psdY && int(labels) != w.labels {
		// The name one label below is the Organizational Domain; it need have no record,
		// nor have been asked. If it has one, that was the last to be found, and gives
		// the policy.
		s.org, s.rule, s.done = labels+1, RulePSDYes, true
		if s.record != s.org {
			s.record = labels
		}
		return s
	}
	s.org, s.record, s.rule = labels, labels, RuleShortest // fewer labels than any before
	if v == psdN {
		s.rule = RulePSDNo
	}
	s.done = v != psdU // psd=y at the start ends the walk too
	return s
}

// end says what a walk comes to that ends in a state: what RFC 9989 says, or the floor.
func (w *walk) end(s state) end {
	e := end{org: w.name(int(s.org)), rule: s.rule}
	if s.record != 0 {
		e.record, e.source = w.name(int(s.record)), SourceOrganizational
		if s.record != s.org {
			e.source = SourcePublicSuffix
		}
	}
	if int(s.org) > w.suffix || int(s.org) == w.floor {
		return e
	}
	// The Organizational Domain would be a public suffix, or stand above one. The name
	// below the suffix is one instead, and the record that was found is that of a Public
	// Suffix Domain, which counts where the name below has none.
	e.org, e.rule, e.suffix, e.source = w.name(w.floor), RuleFloor, w.name(w.suffix), SourcePublicSuffix
	if s.atFloor {
		e.record, e.source = e.org, SourceOrganizational
	}
	return e
}

// name returns the name on the path that has a number of labels.
func (w *walk) name(labels int) string {
	if labels == w.labels {
		return w.start
	}
	return domain.Last(w.start, labels)
}
