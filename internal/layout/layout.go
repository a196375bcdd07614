// Package layout writes text for terminals, and remedies as text and as HTML. Packages explain and
// inspect share it, so that what is to be published looks the same wherever it is said. All text
// of strangers is escaped.
package layout

import (
	"cmp"
	"strings"

	"github.com/mailverdict/mailverdict/internal/visible"
)

// A Printer lays text out in columns.
type Printer struct {
	Width int
	Color bool // ANSI escape sequences

	text strings.Builder
}

// New returns a Printer for TextOptions: a width of zero stands for 80 columns, and one under 40
// for 40.
func New(width int, color bool) Printer {
	return Printer{Width: max(cmp.Or(width, 80), 40), Color: color}
}

// String returns what was written, with one line end at its end.
func (p *Printer) String() string { return strings.TrimRight(p.text.String(), "\n") + "\n" }

// Raw writes text as it is.
func (p *Printer) Raw(text string) { p.text.WriteString(text) }

// The colours.
const (
	Bold   = "\x1b[1m"
	Dim    = "\x1b[2m"
	Plain  = "\x1b[0m"
	Red    = "\x1b[31m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
)

// Paint puts text into a colour, if colours are asked for.
func (p *Printer) Paint(color, text string) string {
	if !p.Color || color == "" || text == "" {
		return text
	}
	return color + text + Plain
}

// Paragraph writes wrapped text.
func (p *Printer) Paragraph(indent int, color, text string) {
	for _, line := range Wrap(visible.Line(text), p.Width-indent) {
		p.text.WriteString(strings.Repeat(" ", indent))
		p.text.WriteString(p.Paint(color, line))
		p.text.WriteByte('\n')
	}
}

// Row writes a label in one column and a text in another.
func (p *Printer) Row(indent, column int, label, text string) {
	label = visible.Line(label)
	for n, line := range Wrap(visible.Line(text), p.Width-indent-column-2) {
		if n > 0 {
			label = ""
		}
		p.text.WriteString(strings.Repeat(" ", indent))
		p.text.WriteString(p.Paint(Dim, label))
		p.text.WriteString(strings.Repeat(" ", max(column-Columns(label), 0)+2))
		p.text.WriteString(line)
		p.text.WriteByte('\n')
	}
}
