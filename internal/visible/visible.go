// Package visible makes text of strangers fit for a log line or a terminal.
package visible

import (
	"strconv"
	"strings"
)

// ASCII returns s as it is if it is printable ASCII, and otherwise escaped as a Go string is,
// without the quotes.
func ASCII(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return s
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1 : len(quoted)-1]
}
