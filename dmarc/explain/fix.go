package explain

import (
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// A Fix is one thing to do, and the DNS records that it takes.
type Fix = remedy.Fix

// A Change is a DNS record to add, to replace or to delete.
type Change = remedy.Change

// Action says what is to be done with a record.
type Action = remedy.Action

// The actions.
const (
	ActionAdd     = remedy.ActionAdd
	ActionReplace = remedy.ActionReplace
	ActionDelete  = remedy.ActionDelete
)

// A Broken is a record that is wrong, as it is published.
type Broken = remedy.Broken

// A Part is a part of a record's text.
type Part = remedy.Part

// escape makes all text of an answer fit to be shown.
func (a *Answer) escape() {
	for _, text := range []*string{&a.Verdict, &a.Asked, &a.Unless} {
		*text = visible.Line(*text)
	}
	for i := range a.Sentences {
		a.Sentences[i] = visible.Line(a.Sentences[i])
	}
	for _, fixes := range [][]Fix{a.Fixes, a.Advice} {
		for i := range fixes {
			fixes[i].Escape()
		}
	}
}
