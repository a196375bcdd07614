package rfc8601

import "strings"

// width is the column at which lines are folded: RFC 5322, section 2.1.1.
const width = 78

// foldMark begins a continuation line.
const foldMark = "\r\n\t"

// tab is how wide a reader is taken to show the tab of foldMark.
const tab = 8

// fold writes groups of words behind what begins a field: a ";" between groups, and
// between words a space, or a fold where the line is full. Each group begins a line.
func fold(begin string, groups [][]string) string {
	f := folder{column: width}
	f.WriteString(begin)
	for n, words := range groups {
		f.column = width
		for i, word := range words {
			if i == len(words)-1 && n < len(groups)-1 {
				word += ";"
			}
			f.word(word)
		}
	}
	return f.String()
}

// A folder is a field that is being folded.
type folder struct {
	strings.Builder
	column int
}

// word writes a word. One that is wider than a line is parted at the spaces in it, which
// stand in quotes or in a comment: a fold there leaves the text as it is (RFC 5322, section
// 3.2.2).
func (f *folder) word(word string) {
	if f.column+1+len(word) > width {
		f.WriteString(foldMark)
		f.column = tab
	} else {
		f.WriteByte(' ')
		f.column++
	}
	if len(word) <= width {
		f.WriteString(word)
		f.column += len(word)
		return
	}
	escaped := false // the space before a piece
	for i, piece := range strings.Split(word, " ") {
		if i > 0 {
			if piece != "" && !escaped && f.column+1+len(piece) > width {
				f.WriteString("\r\n")
				f.column = 0
			}
			f.WriteByte(' ')
			f.column++
		}
		f.WriteString(piece)
		f.column += len(piece)
		escaped = strings.HasSuffix(piece, `\`)
	}
}
