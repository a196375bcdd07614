package main

import (
	"strconv"
	"strings"
	"unicode"
)

// printable returns text that may go to a terminal: what others wrote can hold escape sequences, line
// ends, and characters that are invisible or turn the direction of text. These become \u escapes.
func printable(text string) string {
	var b strings.Builder
	for _, c := range text {
		if unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			quoted := strconv.QuoteRuneToASCII(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// number returns a count for people: "1,234,567".
func number(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
