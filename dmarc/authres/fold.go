package authres

import "strings"

// width is the column at which lines are folded: RFC 5322, section 2.1.1.
const width = 78

// foldMark begins a continuation line.
const foldMark = "\r\n\t"

// tab is how wide a reader is taken to show the tab of foldMark.
const tab = 8

// fold writes the results behind what begins the field, each on a line of its own and on
// more where it needs them. A single word that is wider than a line stays whole: it is
// a domain name at most, and far from the 998 octets that a line may have.
func fold(begin string, results [][]string) string {
	var b strings.Builder
	b.WriteString(begin)
	for _, words := range results {
		b.WriteByte(';')
		column := width // a result begins on a new line
		for i, word := range words {
			end := 0
			if i == len(words)-1 {
				end = 1 // the ";" that follows
			}
			if column+1+len(word)+end > width {
				b.WriteString(foldMark)
				column = tab
			} else {
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += len(word)
		}
	}
	return b.String()
}
