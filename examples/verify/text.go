package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/spf"
)

// writeText explains one message for people.
func writeText(w io.Writer, opts *options, screen terminal, o outcome) error {
	var b bytes.Buffer
	v := o.result.DMARC
	fmt.Fprintf(&b, "%s\n\n", screen.rule(o.file, screen.verdict(v.Status)+", "+v.Disposition.String()))
	for _, doubt := range o.from.Doubts {
		fmt.Fprintf(&b, "%s\n", screen.wrap(screen.paint(yellow, "Doubt:")+" "+printable(doubt), "  "))
	}
	if len(o.from.Doubts) > 0 {
		b.WriteByte('\n')
	}
	err := explain.Text(&b, steps(o), explain.TextOptions{Width: screen.width, Color: screen.color})
	if err != nil {
		return err
	}
	field := authres.Format(opts.authservID, o.result)
	fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(field, "\r\n\t", "\n    "))
	writeQuestions(&b, screen, o.dns)
	b.WriteByte('\n')
	_, err = b.WriteTo(w)
	return err
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
func sayLate(list []explain.Step, limit time.Duration) {
	for i := range list {
		switch s := &list[i]; s.Kind {
		case explain.KindSPF, explain.KindHELO, explain.KindDKIM:
			if limit > 0 && s.Outcome == spf.StatusTempError.String() {
				s.Consequence = fmt.Sprintf("The time limit (-timeout %v) ended before DNS had answered.", limit)
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
func writeSPF(w io.Writer, r *dmarc.Result, late time.Duration) error {
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
