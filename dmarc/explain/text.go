package explain

import (
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// TextOptions say how Text writes.
type TextOptions struct {
	// Width is the number of columns. Default 80; fewer than 40 are taken as 40. Only the
	// values of records may be wider: they stay in one piece, so that they can be copied.
	Width int

	// Color asks for ANSI escape sequences. Default false: for a terminal only.
	Color bool

	// Brief asks for the answer alone, without reasons and steps.
	Brief bool
}

// Text writes an explanation as text for a terminal or a log, wrapped at the width: the answer
// first, then the reasons, then the steps. An empty Answer is left out. The error is that of w.
func (e *Explanation) Text(w io.Writer, o TextOptions) error {
	p := printer{layout.New(o.Width, o.Color)}
	if e.Answer.Verdict != "" {
		p.answer(&e.Answer)
	}
	if !o.Brief {
		p.reasons(e.Reasons)
		for i := range e.Steps {
			p.step(&e.Steps[i])
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// A printer lays text out in columns.
type printer struct{ layout.Printer }

func (t Tone) color() string {
	switch t {
	case ToneGood:
		return layout.Green
	case ToneBad:
		return layout.Red
	case ToneOpen:
		return layout.Yellow
	}
	return ""
}

// heading writes a title, the section behind it, and the outcome at the right end.
func (p *printer) heading(indent int, s *Step, color string) {
	title, section, outcome := visible.Line(s.Title), visible.Line(s.Section), visible.Line(s.Outcome)
	if section != "" {
		section = "  " + section
	}
	room := p.Width - indent - layout.Columns(outcome) - 2
	if layout.Columns(title)+layout.Columns(section) > room {
		section = ""
	}
	lines := layout.Wrap(title, room)
	for n, line := range lines {
		p.Raw(strings.Repeat(" ", indent))
		p.Raw(p.Paint(color, line))
		if n == len(lines)-1 {
			p.Raw(p.Paint(layout.Dim, section))
			p.outcome(p.Width-indent-layout.Columns(line)-layout.Columns(section), outcome, color+s.Tone.color())
		}
		p.Raw("\n")
	}
}

// outcome writes an outcome at the end of the columns that are left on a line.
func (p *printer) outcome(left int, outcome, color string) {
	if outcome != "" {
		p.Raw(strings.Repeat(" ", max(left-layout.Columns(outcome), 1)))
		p.Raw(p.Paint(color, outcome))
	}
}

// labels is how wide the column of labels is.
const labels = 10

// facts writes evidence: labels in one column, texts in another.
func (p *printer) facts(indent, column int, facts []Fact) {
	for _, f := range facts {
		if f.Text != "" {
			p.Row(indent, column, f.Label, f.Text)
		}
	}
}

// step writes a step with all its evidence.
func (p *printer) step(s *Step) {
	p.heading(0, s, layout.Bold)
	p.Paragraph(2, "", s.Input)
	p.facts(2, labels, s.Evidence)
	p.terms(2+labels+2, s.Steps)
	p.facts(2, labels, []Fact{{"so", s.Consequence}})
	p.Raw("\n")
}

// maxIndent is how deep includes are indented, in columns.
const maxIndent = 24

// terms writes the terms of an SPF record, those of records that it includes below them.
func (p *printer) terms(indent int, terms []Step) {
	for i := range terms {
		p.heading(indent, &terms[i], "")
		inner := min(indent+2, maxIndent)
		var shown []Fact
		column := 0
		for _, f := range terms[i].Evidence {
			if f.Label != labelCount {
				shown = append(shown, f)
				column = max(column, layout.Columns(visible.Line(f.Label)))
			}
		}
		p.facts(inner, min(column, labels), shown)
		p.terms(inner, terms[i].Steps)
	}
}
