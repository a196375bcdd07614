package main

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// verdictWord returns the word for a verdict in its colour.
func verdictWord(screen terminal.Screen, s dmarc.Status) string {
	switch s {
	case dmarc.StatusPass:
		return screen.Paint(terminal.Green, s.String())
	case dmarc.StatusFail, dmarc.StatusPermError:
		return screen.Paint(terminal.Red, s.String())
	}
	return screen.Paint(terminal.Yellow, s.String())
}
