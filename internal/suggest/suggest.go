// Package suggest finds the word that somebody meant who mistyped one.
package suggest

import "strings"

// Word returns the first of the known words that is like word, or "". Case, "_", "-" and spaces make no
// difference, and up to a third of its characters may be wrong.
func Word(word string, known []string) string {
	for _, name := range known {
		if distance(plain(word), plain(name)) <= len(name)/3 {
			return name
		}
	}
	return ""
}

// plain returns a word without what people mix up.
func plain(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance returns how many characters have to be added, taken away or replaced to make b of
// a: their Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
