package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

// writeQuestions writes the DNS questions of a message, in the order in which they were
// asked: -v.
func writeQuestions(w io.Writer, screen terminal, events []trace.Event) {
	if len(events) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", screen.paint(bold, fmt.Sprintf("DNS questions: %d", len(events))))
	for _, e := range events {
		note := e.Duration.Round(100 * time.Microsecond).String()
		switch {
		case e.Stale:
			note = "stale"
		case e.Cached:
			note = "cached"
		}
		if e.Server != "" {
			note += ", " + e.Server
		}
		fmt.Fprintf(w, "  %s %s\n", printable(e.Question.String()), screen.paint(faint, "("+note+")"))
		if e.Err != nil {
			fmt.Fprintf(w, "    %s\n", printable(failure(e.Err)))
		}
		for _, r := range records(e.Answer) {
			fmt.Fprintf(w, "    %s\n", shorten(printable(r), screen.width-4))
		}
	}
}

// records returns the records of an answer as text.
func records(a resolver.Answer) []string {
	list := append([]string(nil), a.TXT...)
	for _, addr := range a.Addrs {
		list = append(list, addr.String())
	}
	for _, mx := range a.MX {
		list = append(list, fmt.Sprintf("%d %s", mx.Preference, mx.Host))
	}
	return append(list, a.PTR...)
}

// failure returns what became of a question without an answer, without the question.
func failure(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*resolver.Error](err); ok {
		err = e.Err
	}
	return err.Error()
}

// shorten cuts s to a number of columns.
func shorten(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns {
		return s
	}
	return string(runes[:max(columns-1, 0)]) + "…"
}
