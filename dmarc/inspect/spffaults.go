package inspect

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/mend"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// This file is on what makes an SPF record unusable: permerror, for package spf.

// A spfFault is one thing that makes the record unusable.
type spfFault struct {
	node *spfNode
	term int // of node, or -1
	err  error
}

// faults returns what makes the record unusable, in the order in which a check comes to it.
func (n *spfNode) faults() []spfFault {
	if n.err != nil {
		return []spfFault{{n, -1, n.err}}
	}
	var list []spfFault
	for i := range n.terms {
		if err := n.terms[i].err; err != nil {
			list = append(list, spfFault{n, i, err})
		} else if child := n.terms[i].nested; child != nil {
			list = append(list, child.faults()...)
		}
	}
	return list
}

// spfFaultIDs are the ids of what makes a record unusable.
var spfFaultIDs = []struct {
	err error
	id  string
}{
	{spf.ErrMultipleRecords, "spf-multiple"},
	{spf.ErrSyntax, "spf-syntax"},
	{spf.ErrLoop, "spf-loop"},
	{spf.ErrNoTarget, "spf-include-without-record"},
	{spf.ErrMXLimit, "spf-over-limit"},
	{spf.ErrRecordLimit, "spf-over-limit"},
	{spf.ErrTermLimit, "spf-too-many-lookups"},
	{spf.ErrQuestionLimit, "spf-too-many-lookups"},
	{spf.ErrVoidLimit, "spf-void-lookups"},
}

// spfFaults is on what makes the record unusable.
func (in *inspection) spfFaults() {
	seen := map[string]bool{}
	for _, f := range in.tree.root.faults() {
		id := f.id()
		if id == "" || f.isTypo() {
			continue
		}
		fix := remedy.SPF(in.tree.result(f))
		if id == "spf-syntax" && len(fix.Changes) > 0 {
			id = "spf-typo"
		}
		if f.term < 0 && f.node.above != nil && !in.owns(f.node.Domain) {
			at, term := f.node.above.ownTerm(f.node.inTerm)
			fix.Note = strings.TrimSpace(fix.Note + " That record is not yours: tell its owner, or take " + at.Terms[term].Text + " out of yours.")
		}
		message, evidence := f.words(id)
		if key := id + evidence; !seen[key] {
			seen[key] = true
			in.found.add(id, message, evidence, fix)
		}
	}
}

// id returns the id of the finding on a fault, or "" for one that is told elsewhere: what DNS did not
// answer, and the sum of look-ups.
func (f *spfFault) id() string {
	for _, known := range spfFaultIDs {
		if errors.Is(f.err, known.err) && (known.err != spf.ErrTermLimit || errors.Is(f.err, spf.ErrLoop)) {
			return known.id
		}
	}
	return ""
}

// isTypo reports whether the term with the fault is mistyped, which spfMistyped tells.
func (f *spfFault) isTypo() bool {
	if f.node.above != nil || f.term < 0 {
		return false
	}
	t := &f.node.parsed.Terms[f.term]
	r := mistyped(f.node)
	return r != nil && slices.ContainsFunc(r.Faults, func(m mend.Fault) bool { return m.Begin >= t.Offset && m.Begin <= t.Offset+len(t.Text) })
}

// words say what is wrong, and show it.
func (f *spfFault) words(id string) (message, evidence string) {
	const so = ", so that receivers do not use it."
	record := "the SPF record of " + visible.Domain(f.node.Domain)
	term := ""
	if f.term >= 0 {
		term = visible.Line(f.node.Terms[f.term].Text)
	}
	switch id {
	case "spf-multiple":
		texts := remedy.SPFRecords(f.node.texts)
		return visible.Domain(f.node.Domain) + " has " + remedy.Plural(len(texts), "SPF record", "SPF records") + ". Several count as none.", strings.Join(texts, "  |  ")
	case "spf-typo":
		return "A part of " + record + " is mistyped" + so, f.err.Error()
	case "spf-syntax":
		return "A part of " + record + " cannot be read" + so, f.err.Error()
	case "spf-loop":
		return term + " leads back to the SPF record that it stands below, so that receivers do not use the record.", term + " in " + record
	case "spf-include-without-record":
		return term + " leads to a name without an SPF record. Receivers then do not use " + record + " at all.", term + " in " + record
	}
	return "Receivers do not use " + record + ": " + remedy.Cause(remedy.SPFWords, f.err, "it cannot be read") + ".", cmp.Or(term, f.node.Record)
}

// result returns a fault as package spf would have found it: what remedies are made of.
func (t *spfTree) result(f spfFault) *spf.Result {
	top := t.root
	for n := f.node; n != nil; n = n.above {
		if n.isRedirected() {
			top = n
			break
		}
	}
	return &spf.Result{
		Status: spf.StatusPermError, Domain: t.root.Domain, Record: top.Record, RecordDomain: top.Domain, Err: f.err,
		Rejected: remedy.SPFRecords(f.node.texts), RejectedDomain: f.node.Domain, Evaluation: t.root.evaluation(&f),
	}
}

// isRedirected reports whether redirects alone lead from the record of the domain to this one.
func (n *spfNode) isRedirected() bool {
	for ; n.above != nil; n = n.above {
		if n.above.parsed.Terms[n.inTerm].Kind != spf.KindRedirect {
			return false
		}
	}
	return true
}
