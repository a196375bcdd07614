// Package terminal writes text for people: as wide as their terminal, in colours where it has them,
// and with nothing in it that a terminal would obey.
package terminal

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// A Screen is what is known of the place where text goes.
type Screen struct {
	Width int  // columns
	Color bool // escape sequences may be used
}

// The widths that text is wrapped at: longer lines are hard to read.
const (
	plainWidth = 80
	MinWidth   = 40
	maxWidth   = 100
)

// Of returns what w can do. Escape sequences go to terminals alone, and not where
// NO_COLOR (no-color.org) or TERM=dumb asks for none.
func Of(w io.Writer) Screen {
	t := Screen{Width: plainWidth}
	if !Is(w) {
		return t
	}
	if columns, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil && columns > 0 {
		t.Width = min(max(columns, MinWidth), maxWidth)
	}
	t.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return t
}

// Is reports whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// The colours of Paint.
const (
	Bold   = "1"
	Faint  = "2"
	Red    = "31"
	Green  = "32"
	Yellow = "33"
)

// Paint returns s in a colour, where there are colours.
func (t Screen) Paint(code, s string) string {
	if !t.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Rule returns a line across the terminal with a title, and something short at its end.
func (t Screen) Rule(title, end string) string {
	line := "── " + Printable(title) + " "
	rest := t.Width - Columns(line)
	if end != "" {
		end = " " + end
		rest -= Columns(end)
	}
	return t.Paint(Bold, line) + t.Paint(Faint, strings.Repeat("─", max(rest, 3))) + end
}

// Wrap breaks text at spaces into lines that fit, the later ones indented.
func (t Screen) Wrap(text, indent string) string {
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		switch n := Columns(word); {
		case width > 0 && width+1+n > t.Width:
			b.WriteString("\n" + indent + word)
			width = Columns(indent) + n
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

// Columns returns how many columns a line takes, without the escape sequences of Paint.
func Columns(s string) int {
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

// Pad returns s, which may be painted, with spaces behind it up to a width.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-Columns(s), 1))
}

// Printable returns s with escapes for what has no place on a terminal: control characters,
// marks that turn the direction of text, octets that are no UTF-8.
func Printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
