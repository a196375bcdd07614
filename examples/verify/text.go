package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/spf"
)

// writeText explains one message for people: the answer, and if details is true the steps that
// led to it.
func writeText(w io.Writer, opts *options, screen terminal, o outcome, details bool) error {
	var b bytes.Buffer
	v := o.result.DMARC
	fmt.Fprintf(&b, "%s\n\n", screen.rule(o.file, screen.verdict(v.Status)+", "+v.Disposition.String()))
	writeRemarks(&b, screen, o)
	writeAnswer(&b, screen, o.result)
	if details {
		if err := writeSteps(&b, opts, screen, o); err != nil {
			return err
		}
	}
	if opts.verbose {
		writeQuestions(&b, screen, o.dns)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// writeAnswer says what the verdict means, and what to do.
func writeAnswer(b *bytes.Buffer, screen terminal, r *dmarc.Result) {
	fmt.Fprintf(b, "%s\n", screen.wrap(explain.Summary(r), ""))
	if fix := explain.Fix(r); fix != "" {
		fmt.Fprintf(b, "\n%s\n", screen.wrap(screen.paint(bold, "What to do:")+" "+fix, ""))
	}
}

// writeSteps writes the steps to the verdict with their evidence, and the header field that
// a receiver would put on top.
func writeSteps(b *bytes.Buffer, opts *options, screen terminal, o outcome) error {
	list := steps(o)
	last := &list[len(list)-1]
	last.Consequence, last.Fix = "", "" // the answer has them
	b.WriteByte('\n')
	if err := explain.Text(b, list, explain.TextOptions{Width: screen.width, Color: screen.color}); err != nil {
		return err
	}
	field := authres.Format(opts.authservID, o.result)
	fmt.Fprintf(b, "\n%s\n", strings.ReplaceAll(field, "\r\n\t", "\n    "))
	return nil
}

// writeRemarks says what a reader should know of how the message was read: what makes the
// envelope doubtful, and what was left out.
func writeRemarks(b *bytes.Buffer, screen terminal, o outcome) {
	before := b.Len()
	if o.late != nil {
		fmt.Fprintf(b, "%s\n", screen.wrap(screen.paint(yellow, "Late:")+" "+o.late.String(), "  "))
	}
	for _, doubt := range o.from.Doubts {
		fmt.Fprintf(b, "%s\n", screen.wrap(screen.paint(yellow, "Doubt:")+" "+printable(doubt), "  "))
	}
	for _, note := range o.notes {
		fmt.Fprintf(b, "%s\n", screen.wrap(screen.paint(faint, "Note:")+" "+printable(note), "  "))
	}
	if b.Len() > before {
		b.WriteByte('\n')
	}
}

// steps returns the explanation, which says of the session where it is known from.
func steps(o outcome) []explain.Step {
	list := explain.Steps(o.result)
	sayLate(list, o.late)
	for i := range list {
		s := &list[i]
		if s.Kind == explain.KindSession {
			s.Evidence = append(s.Evidence, explain.Fact{Label: "source", Text: o.from.String()})
		}
		if o.from.MailFrom != fromNowhere {
			continue
		}
		// The result cannot tell an unknown MAIL FROM from the null sender.
		switch s.Kind {
		case explain.KindSession:
			setFact(s, "MAIL FROM", "(not known)")
		case explain.KindSPF:
			setFact(s, "identity", "MAIL FROM, which is not known")
			s.Input = "May this server send the mail?"
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

// setFact replaces the text of the fact with a label, if there is one.
func setFact(s *explain.Step, label, text string) {
	for i := range s.Evidence {
		if s.Evidence[i].Label == label {
			s.Evidence[i].Text = text
		}
	}
}

// String says where the envelope was taken from, in a line.
func (o origins) String() string {
	if o.IP == o.HELO && o.HELO == o.MailFrom && o.IP != fromNowhere {
		return "the " + o.IP
	}
	return part("client", o.IP) + ", " + part("HELO", o.HELO) + ", " + part("MAIL FROM", o.MailFrom)
}

func part(name, origin string) string {
	if origin == fromNowhere {
		return name + " not known"
	}
	return name + " from " + origin
}

// writeSPF explains SPF alone: the steps of an explanation that are about it.
func writeSPF(w io.Writer, r *dmarc.Result, late *lateness) error {
	var list []explain.Step
	for _, s := range explain.Steps(r) {
		switch {
		case s.Kind == explain.KindHELO && r.HELO == nil:
		case s.Kind == explain.KindSession, s.Kind == explain.KindSPF, s.Kind == explain.KindHELO:
			list = append(list, s)
		}
	}
	sayLate(list, late)
	screen := terminalOf(w)
	return explain.Text(w, list, explain.TextOptions{Width: screen.width, Color: screen.color})
}
