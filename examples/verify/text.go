package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
	"github.com/mailverdict/mailverdict/spf"
)

// writeText explains one message for people: the answer, and if details is true the steps that
// led to it.
func writeText(w io.Writer, opts *options, screen terminal.Screen, o outcome, details bool) error {
	var b bytes.Buffer
	v := o.result.DMARC
	fmt.Fprintf(&b, "%s\n\n", screen.Rule(o.file, verdictWord(screen, v.Status)+", "+v.Disposition.String()))
	writeRemarks(&b, screen, o)
	e := explain.Explain(o.result)
	e.Steps = steps(o, e.Steps)
	if err := e.Text(&b, explain.TextOptions{Width: screen.Width, Color: screen.Color, Brief: !details}); err != nil {
		return err
	}
	if details {
		field := authres.Format(opts.authservID, o.result)
		fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(field, "\r\n\t", "\n    "))
	}
	if opts.verbose {
		writeQuestions(&b, screen, o.dns)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// writeRemarks says what a reader should know of how the message was read: what makes the
// envelope doubtful, and what was left out.
func writeRemarks(b *bytes.Buffer, screen terminal.Screen, o outcome) {
	before := b.Len()
	if o.late != nil {
		fmt.Fprintf(b, "%s\n", screen.Wrap(screen.Paint(terminal.Yellow, "Late:")+" "+o.late.String(), "  "))
	}
	for _, doubt := range o.from.Doubts {
		fmt.Fprintf(b, "%s\n", screen.Wrap(screen.Paint(terminal.Yellow, "Doubt:")+" "+terminal.Printable(doubt), "  "))
	}
	for _, note := range o.notes {
		fmt.Fprintf(b, "%s\n", screen.Wrap(screen.Paint(terminal.Faint, "Note:")+" "+terminal.Printable(note), "  "))
	}
	if b.Len() > before {
		b.WriteByte('\n')
	}
}

// steps returns the steps of the explanation, which say of the session where it is known from.
func steps(o outcome, list []explain.Step) []explain.Step {
	sayLate(list, o.late)
	for i := range list {
		if s := &list[i]; s.Kind == explain.KindSession {
			s.Evidence = append(s.Evidence, explain.Fact{Label: "source", Text: o.from.String()})
		}
	}
	return list
}

// sayLate says of what is temperror that the limit of the user's own had ended, if there was
// one: DNS may not be to blame.
func sayLate(list []explain.Step, late *lateness) {
	for i := range list {
		switch s := &list[i]; s.Kind {
		case explain.KindSPF, explain.KindHELO, explain.KindDKIM:
			if late != nil && s.Outcome == spf.StatusTempError.String() {
				s.Consequence = late.String()
			}
		}
	}
}

// writeSPF explains SPF alone.
func writeSPF(w io.Writer, r *dmarc.Result, late *lateness) error {
	e := explain.ExplainSPF(r.Envelope, r.SPF, r.HELO)
	sayLate(e.Steps, late)
	screen := terminal.Of(w)
	return e.Text(w, explain.TextOptions{Width: screen.Width, Color: screen.Color})
}
