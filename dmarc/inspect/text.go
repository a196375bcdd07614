package inspect

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

	// Lookups asks for the tree of the SPF record with the cost of every include.
	Lookups bool
}

// Text writes a report as text for a terminal or a log: what is wrong first, with the records to
// publish, then what the domain publishes. All text of strangers is escaped. The error is that of
// w.
func (r *Report) Text(w io.Writer, o TextOptions) error {
	p := &printer{Printer: layout.New(o.Width, o.Color)}
	p.headline(r)
	for _, f := range r.shownFindings() {
		p.finding(f)
	}
	if r.DMARC != nil {
		p.facts(r)
	}
	p.setup(r)
	if o.Lookups && r.SPF != nil && r.SPF.Tree != nil {
		p.tree(r)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// A printer lays out a report.
type printer struct {
	layout.Printer
	terms int // of the SPF tree, that were written
}

// color returns the colour of a severity.
func (s Severity) color() string {
	switch s {
	case SeverityError:
		return layout.Red
	case SeverityWarning:
		return layout.Yellow
	case "":
		return layout.Green
	}
	return ""
}

func (p *printer) headline(r *Report) {
	p.Paragraph(0, layout.Bold+r.Worst().color(), visible.BothForms(r.Domain)+": "+r.counts())
	p.Paragraph(0, "", r.rivals())
	p.Raw("\n")
}

// finding writes what is wrong, and what to publish.
func (p *printer) finding(f shownFinding) {
	p.Paragraph(0, layout.Bold+f.Severity.color(), severityWords[f.Severity]+" "+f.ID)
	p.Paragraph(2, "", f.Message)
	p.Paragraph(2, layout.Dim, f.Evidence)
	if f.Fix != nil {
		p.Fix("-", f.Fix)
	}
	p.Raw("\n")
}

var severityWords = map[Severity]string{SeverityError: "ERROR", SeverityWarning: "WARNING", SeverityInfo: "NOTE"}

// labels is how wide the column of labels is.
const labels = 9

func (p *printer) row(label, text string) {
	if text != "" {
		p.Row(2, labels, label, text)
	}
}

// facts writes what the domain publishes.
func (p *printer) facts(r *Report) {
	p.Paragraph(0, layout.Bold, "What "+visible.BothForms(r.Domain)+" publishes")
	for _, f := range r.facts() {
		p.row(f.Label, f.Text)
	}
	p.Raw("\n")
}

// setup writes how far the domain is set up with the companies that send for it.
func (p *printer) setup(r *Report) {
	for _, s := range r.Setup {
		p.Paragraph(0, layout.Bold, s.Name+" ("+strings.Join(s.Signs, ", ")+")")
		for i := range s.Steps {
			step := &s.Steps[i]
			switch {
			case step.State == stepDone:
				p.Paragraph(2, layout.Green, stepWords[stepDone]+" "+step.Fix.Text)
			case step.State != stepUnknown:
				p.Paragraph(2, layout.Yellow, stepWords[step.State]+" "+step.Fix.Text)
			case len(step.Fix.Changes) == 0:
				p.Paragraph(2, layout.Yellow, "cannot be told yet: "+step.Fix.Text)
			default:
				p.Paragraph(2, layout.Yellow, stepWords[step.State])
				p.Fix("-", &step.Fix)
			}
		}
		p.Raw("\n")
	}
}

var stepWords = map[string]string{
	stepDone:     "done:",
	stepUnusable: "not right, see above:",
	stepMissing:  "missing, see above:",
	stepUnknown:  "cannot be seen in DNS; compare:",
}
