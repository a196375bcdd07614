package explain

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
)

//go:embed steps.html
var stepsHTML string

// HTML writes steps as a fragment for a page: one section element a step, without styles,
// scripts or ids. All of it has classes that begin with "mv-":
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
//	mv-fix        what to do (p), in the last section
//
// The error is that of w.
func HTML(w io.Writer, steps []Step) error {
	t, err := template.New("steps").Parse(stepsHTML)
	if err != nil {
		return err
	}
	shown := make([]Step, len(steps))
	for i := range steps {
		shown[i] = clone(steps[i])
		shown[i].escape()
	}
	var b bytes.Buffer
	if err := t.Execute(&b, shown); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
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
