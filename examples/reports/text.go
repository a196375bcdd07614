package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/mailverdict/mailverdict/internal/figure"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// printable returns text that may go to a terminal or a page: what others wrote can hold escape sequences, line
// ends, and characters that are invisible or turn the direction of text.
func printable(text string) string { return visible.Value(text) }

// printJSON prints a value as JSON in one line.
func (p *program) printJSON(value any) error {
	var b strings.Builder
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(value); err != nil {
		return err
	}
	_, err := io.WriteString(p.stdout, visibleJSON(b.String()))
	return err
}

// visibleJSON returns JSON in one line that means the same and may go to a terminal: see printable.
func visibleJSON(text string) string {
	var b strings.Builder
	for _, c := range text {
		if unicode.IsPrint(c) || c == '\n' {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, c) {
			fmt.Fprintf(&b, "\\u%04x", unit)
		}
	}
	return b.String()
}

// number returns a count for people: "1,234,567".
func number(n int64) string { return figure.Of(n) }
