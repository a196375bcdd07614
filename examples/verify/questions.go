package main

import (
	"fmt"
	"io"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/terminal"
	"github.com/mailverdict/mailverdict/examples/internal/verdictjson"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

// writeQuestions writes the DNS questions of a message, in the order in which they were
// asked: -v.
func writeQuestions(w io.Writer, screen terminal.Screen, events []trace.Event) {
	if len(events) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", screen.Paint(terminal.Bold, fmt.Sprintf("DNS questions: %d", len(events))))
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
		fmt.Fprintf(w, "  %s %s\n", terminal.Printable(e.Question.String()), screen.Paint(terminal.Faint, "("+note+")"))
		if e.Err != nil {
			fmt.Fprintf(w, "    %s\n", terminal.Printable(verdictjson.Failure(e.Err)))
		}
		for _, r := range verdictjson.Records(e.Answer) {
			fmt.Fprintf(w, "    %s\n", shorten(terminal.Printable(r), screen.Width-4))
		}
	}
}

// shorten cuts s to a number of columns.
func shorten(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns {
		return s
	}
	return string(runes[:max(columns-1, 0)]) + "…"
}
