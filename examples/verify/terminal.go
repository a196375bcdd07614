package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/mailverdict/mailverdict/dmarc"
)

// A terminal is what is known of the place where text goes.
type terminal struct {
	width int // columns
	color bool
}

// The widths that text is wrapped at: longer lines are hard to read.
const (
	plainWidth = 80
	minWidth   = 40
	maxWidth   = 100
)

// terminalOf returns what w can do. Escape sequences go to terminals alone, and not where
// NO_COLOR (no-color.org) or TERM=dumb asks for none.
func terminalOf(w io.Writer) terminal {
	t := terminal{width: plainWidth}
	if !isTerminal(w) {
		return t
	}
	if columns, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil && columns > 0 {
		t.width = min(max(columns, minWidth), maxWidth)
	}
	t.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return t
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint returns s in a colour, where there are colours.
func (t terminal) paint(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// verdict returns the word for a verdict in its colour.
func (t terminal) verdict(s dmarc.Status) string {
	switch s {
	case dmarc.StatusPass:
		return t.paint(green, s.String())
	case dmarc.StatusFail, dmarc.StatusPermError:
		return t.paint(red, s.String())
	}
	return t.paint(yellow, s.String())
}

// rule returns a line across the terminal with a title, and something short at its end.
func (t terminal) rule(title, end string) string {
	line := "── " + printable(title) + " "
	rest := t.width - columns(line)
	if end != "" {
		end = " " + end
		rest -= columns(end)
	}
	return t.paint(bold, line) + t.paint(faint, strings.Repeat("─", max(rest, 3))) + end
}

// wrap breaks text at spaces into lines that fit, the later ones indented.
func (t terminal) wrap(text, indent string) string {
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		switch n := columns(word); {
		case width > 0 && width+1+n > t.width:
			b.WriteString("\n" + indent + word)
			width = columns(indent) + n
		case width > 0:
			b.WriteString(" " + word)
			width += 1 + n
		default:
			b.WriteString(word)
			width = n
		}
	}
	return b.String()
}

// columns returns how many columns a line takes, without the escape sequences of paint.
func columns(s string) int {
	n := 0
	for s != "" {
		before, after, found := strings.Cut(s, "\x1b[")
		n += utf8.RuneCountInString(before)
		if !found {
			break
		}
		_, s, _ = strings.Cut(after, "m")
	}
	return n
}

// pad returns s, which may be painted, with spaces behind it up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-columns(s), 1))
}

// printable returns s with escapes for what has no place on a terminal: control characters,
// marks that turn the direction of text, octets that are no UTF-8.
func printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
