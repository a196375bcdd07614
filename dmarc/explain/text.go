package explain

import (
	"io"
	"strings"

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
	if o.Width == 0 {
		o.Width = 80
	}
	p := printer{options: o, width: max(o.Width, 40)}
	if e.Answer.Verdict != "" {
		p.answer(&e.Answer)
	}
	if !o.Brief {
		p.reasons(e.Reasons)
		for i := range e.Steps {
			p.step(&e.Steps[i])
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(p.text.String(), "\n")+"\n")
	return err
}

// A printer lays text out in columns.
type printer struct {
	options TextOptions
	width   int
	text    strings.Builder
}

const (
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
)

func (t Tone) color() string {
	switch t {
	case ToneGood:
		return "\x1b[32m" // green
	case ToneBad:
		return "\x1b[31m" // red
	case ToneOpen:
		return "\x1b[33m" // yellow
	}
	return ""
}

// paint puts text into a colour, if colours are asked for.
func (p *printer) paint(color, text string) string {
	if !p.options.Color || color == "" || text == "" {
		return text
	}
	return color + text + plain
}

// heading writes a title, the section behind it, and the outcome at the right end.
func (p *printer) heading(indent int, s *Step, color string) {
	title, section, outcome := visible.Line(s.Title), visible.Line(s.Section), visible.Line(s.Outcome)
	if section != "" {
		section = "  " + section
	}
	room := p.width - indent - columns(outcome) - 2
	if columns(title)+columns(section) > room {
		section = ""
	}
	lines := wrap(title, room)
	for n, line := range lines {
		p.text.WriteString(strings.Repeat(" ", indent))
		p.text.WriteString(p.paint(color, line))
		if n == len(lines)-1 {
			p.text.WriteString(p.paint(dim, section))
			p.outcome(p.width-indent-columns(line)-columns(section), outcome, color+s.Tone.color())
		}
		p.text.WriteByte('\n')
	}
}

// outcome writes an outcome at the end of the columns that are left on a line.
func (p *printer) outcome(left int, outcome, color string) {
	if outcome != "" {
		p.text.WriteString(strings.Repeat(" ", max(left-columns(outcome), 1)))
		p.text.WriteString(p.paint(color, outcome))
	}
}

// paragraph writes wrapped text.
func (p *printer) paragraph(indent int, color, text string) {
	for _, line := range wrap(visible.Line(text), p.width-indent) {
		p.text.WriteString(strings.Repeat(" ", indent))
		p.text.WriteString(p.paint(color, line))
		p.text.WriteByte('\n')
	}
}

// labels is how wide the column of labels is.
const labels = 10

// facts writes evidence: labels in one column, texts in another.
func (p *printer) facts(indent, column int, facts []Fact) {
	for _, f := range facts {
		if f.Text != "" {
			p.row(indent, column, f)
		}
	}
}

func (p *printer) row(indent, column int, f Fact) {
	label := visible.Line(f.Label)
	for n, line := range wrap(visible.Line(f.Text), p.width-indent-column-2) {
		if n > 0 {
			label = ""
		}
		p.text.WriteString(strings.Repeat(" ", indent))
		p.text.WriteString(p.paint(dim, label))
		p.text.WriteString(strings.Repeat(" ", max(column-columns(label), 0)+2))
		p.text.WriteString(line)
		p.text.WriteByte('\n')
	}
}

// step writes a step with all its evidence.
func (p *printer) step(s *Step) {
	p.heading(0, s, bold)
	p.paragraph(2, "", s.Input)
	p.facts(2, labels, s.Evidence)
	p.terms(2+labels+2, s.Steps)
	p.facts(2, labels, []Fact{{"so", s.Consequence}})
	p.text.WriteByte('\n')
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
				column = max(column, columns(visible.Line(f.Label)))
			}
		}
		p.facts(inner, min(column, labels), shown)
		p.terms(inner, terms[i].Steps)
	}
}
