package bulk

import (
	"bytes"
	_ "embed"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// The words and colours of statuses.
var (
	words  = map[Status]string{Met: "met", NotMet: "NOT MET", Unknown: "cannot be seen"}
	colors = map[Status]string{Met: layout.Green, NotMet: layout.Red, Unknown: layout.Dim}
)

// TextOptions say how Text writes.
type TextOptions struct {
	// Width is the number of columns. Default 80; fewer than 40 are taken as 40.
	Width int

	// Color asks for ANSI escape sequences. Default false: for a terminal only.
	Color bool
}

// Text writes results as text for a terminal or a log, by receiver. The error is that of w.
func Text(w io.Writer, list []Result, o TextOptions) error {
	p := layout.New(o.Width, o.Color)
	p.Paragraph(0, layout.Bold, "What large receivers ask of the message")
	for _, g := range groups(list) {
		p.Paragraph(2, "", g.Title)
		for _, r := range g.Results {
			writeResult(&p, r)
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// writeResult writes a status, and the message beside it.
func writeResult(p *layout.Printer, r Result) {
	const column = len("cannot be seen  ")
	word := words[r.Status]
	for n, line := range layout.Wrap(visible.Line(r.Message+" ("+r.Rule+")"), p.Width-4-column) {
		if n > 0 {
			word = ""
		}
		p.Raw("    " + p.Paint(colors[r.Status], word) + strings.Repeat(" ", column-len(word)) + line + "\n")
	}
}

//go:embed bulk.html
var bulkHTML string

// HTML writes results as a fragment for a page, without styles, scripts or ids: for each receiver a
// heading (h3, mv-title) and a list of its rules (ul, mv-bulk). A rule is li, mv-rule, and beside it
// mv-met, mv-not-met or mv-unknown; in it mv-status and mv-id. The error is that of w.
func HTML(w io.Writer, list []Result) error {
	t, err := layout.Templates("bulk")
	if err == nil {
		t, err = t.Parse(bulkHTML)
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, groups(list)); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// A group is the rules of a receiver for one kind of sender.
type group struct {
	Title   string
	Results []Result
}

// Words say what a status is, for the template.
func (group) Words(s Status) string { return words[s] }

// groups puts results under titles, in their order.
func groups(list []Result) []group {
	var out []group
	for _, r := range list {
		if title := visible.Line(titleOf(r)); len(out) == 0 || out[len(out)-1].Title != title {
			out = append(out, group{Title: title})
		}
		r.Status, r.Rule, r.Message = Status(visible.Line(r.Status.String())), visible.Line(r.Rule), visible.Line(r.Message)
		last := &out[len(out)-1]
		last.Results = append(last.Results, r)
	}
	return out
}

// titleOf says whose rule it is, and for whom.
func titleOf(r Result) string {
	for _, known := range receivers() {
		switch {
		case known.Receiver != r.Receiver:
		case r.For == "bulk":
			return known.Name + ", " + known.Bulk
		default:
			return known.Name + ", for everybody who sends"
		}
	}
	return r.Receiver
}
