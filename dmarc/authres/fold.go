package authres

import "strings"

// width is the column at which lines are folded: RFC 5322, section 2.1.1.
const width = 78

// foldMark begins a continuation line.
const foldMark = "\r\n\t"

// tab is how wide a reader is taken to show the tab of foldMark.
const tab = 8

// fold writes groups of words behind what begins a field: a ";" between groups, and
// between words a space, or a fold where the line is full. Each group begins a line. A
// single word that is wider than a line stays whole: it is a domain name at most, or a
// header.b, and far from the 998 octets that a line may have.
func fold(begin string, groups [][]string) string {
	var b strings.Builder
	b.WriteString(begin)
	for n, words := range groups {
		column := width
		for i, word := range words {
			if i == len(words)-1 && n < len(groups)-1 {
				word += ";"
			}
			if column+1+len(word) > width {
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
