// Package figure writes numbers for people.
package figure

import "fmt"

// Of returns a number with commas between its thousands: "1,234,567".
func Of[N ~int | ~int64 | ~uint64](n N) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
