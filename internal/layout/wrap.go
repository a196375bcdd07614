package layout

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Wrap breaks text into lines of at most n columns, at spaces where there are some. Empty
// text is no line at all.
func Wrap(text string, n int) []string {
	n = max(n, 10)
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		for {
			size := Columns(word)
			if line != "" && used+1+size <= n {
				line += " " + word
				used += 1 + size
				break
			}
			// A word that no line has room for is begun on its own line and cut.
			if line != "" {
				lines = append(lines, line)
				line, used = "", 0
			}
			if size <= n {
				line, used = word, size
				break
			}
			head := prefix(word, n)
			lines = append(lines, head)
			word = word[len(head):]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// prefix returns the beginning of a word that fits into n columns.
func prefix(word string, n int) string {
	used := 0
	for i, r := range word {
		if used += runeColumns(r); used > n {
			return word[:i]
		}
	}
	return word
}

// Columns returns how many columns of a terminal text takes.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
