package explain

import (
	"bytes"
	_ "embed"
	"io"

	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/visible"
)

//go:embed explain.html
var explainHTML string

// HTML writes an explanation as a fragment for a page: section elements, without styles,
// scripts or ids. All of it has classes that begin with "mv-":
//
//	mv-answer     section of the answer; beside it mv-good, mv-bad or mv-open, for a Tone
//	mv-verdict    its first line (h2)
//	mv-sentence   what it means (p); mv-asked, what the domain asks for; mv-unless
//	mv-fixes      what to do (ol); mv-advice, what else is wrong (ul)
//	mv-fix        one thing to do (li); in it mv-note (p)
//	mv-change     a record (dl); beside it mv-add, mv-replace or mv-delete
//	mv-value      what to copy (code), with the placeholders in it (mark, mv-placeholder)
//	mv-broken     a record that is wrong (pre), with the wrong parts in it (mark, mv-wrong; empty
//	              where something is missing), and mv-fault, what is wrong (p)
//	mv-reasons    the reasons (ul)
//
//	mv-step       section of a step; beside it mv-KIND, for each Kind: mv-spf-alignment
//	mv-title      its heading (h3)
//	mv-outcome    the outcome in it; beside it mv-good, mv-bad or mv-open, for a Tone
//	mv-input      the question (p)
//	mv-evidence   the evidence (dl); the texts (dd) are the sender's, in monospace at best
//	mv-terms      the terms of an SPF record (ul), nested for includes
//	mv-term       what such a term says, in a list item
//	mv-rule       what decides (p), and mv-section, where that stands
//	mv-so         the consequence (p)
//
// The error is that of w.
func (e *Explanation) HTML(w io.Writer) error {
	t, err := layout.Templates("explain")
	if err == nil {
		t, err = t.Parse(explainHTML)
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, e.shown()); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// shown returns the explanation with every text escaped, whatever a program has put into it.
// It shares nothing with e.
func (e *Explanation) shown() *Explanation {
	shown := &Explanation{Answer: e.Answer.clone()}
	shown.Answer.escape()
	for _, text := range e.Reasons {
		shown.Reasons = append(shown.Reasons, visible.Line(text))
	}
	for i := range e.Steps {
		shown.Steps = append(shown.Steps, clone(e.Steps[i]))
		shown.Steps[i].escape()
	}
	return shown
}

// clone returns a step that shares nothing with s.
func clone(s Step) Step {
	s.Evidence = append([]Fact(nil), s.Evidence...)
	terms := make([]Step, len(s.Steps))
	for i := range s.Steps {
		terms[i] = clone(s.Steps[i])
	}
	s.Steps = terms
	return s
}
