package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/explain"
)

// writeText explains one message for people.
func writeText(w io.Writer, opts *options, screen terminal, o outcome) error {
	var b bytes.Buffer
	v := o.result.DMARC
	fmt.Fprintf(&b, "%s\n\n", screen.rule(o.file, screen.verdict(v.Status)+", "+v.Disposition.String()))
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
	for i := range list {
		if s := &list[i]; s.Kind == explain.KindSession {
			s.Evidence = append(s.Evidence, explain.Fact{Label: "known from", Text: o.from.String()})
		}
	}
	return list
}

// String says where the envelope was taken from, in a line.
func (o origins) String() string {
	if o.IP == o.HELO && o.HELO == o.MailFrom {
		return "the " + o.IP
	}
	return fmt.Sprintf("client: %s; HELO: %s; MAIL FROM: %s", o.IP, o.HELO, o.MailFrom)
}

// writeSPF explains SPF alone: the steps of an explanation that are about it.
func writeSPF(w io.Writer, r *dmarc.Result) error {
	var list []explain.Step
	for _, s := range explain.Steps(r) {
		switch {
		case s.Kind == explain.KindHELO && r.HELO == nil:
		case s.Kind == explain.KindSession, s.Kind == explain.KindSPF, s.Kind == explain.KindHELO:
			list = append(list, s)
		}
	}
	screen := terminalOf(w)
	return explain.Text(w, list, explain.TextOptions{Width: screen.width, Color: screen.color})
}
