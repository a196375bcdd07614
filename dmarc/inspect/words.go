package inspect

import (
	"strconv"
	"strings"
)

// or returns text, or what stands for no text.
func or(text, none string) string {
	if text == "" {
		return none
	}
	return text
}

// plural returns a number and the word for so many.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// counts says how many findings of each severity there are.
func (r *Report) counts() string {
	var list []string
	for _, s := range []struct {
		severity  Severity
		one, many string
	}{{SeverityError, "error", "errors"}, {SeverityWarning, "warning", "warnings"}, {SeverityInfo, "note", "notes"}} {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s.severity {
				n++
			}
		}
		if n > 0 {
			list = append(list, plural(n, s.one, s.many))
		}
	}
	if len(list) == 0 {
		return "nothing wrong"
	}
	return strings.Join(list, ", ")
}
