package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
)

// makeTable returns the table in Markdown. A fault that dmarc/inspect does not find is an error: the
// table is no place to hide it.
func makeTable(theirs map[string][]string, ours map[string][]inspect.Finding, version string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "| fault | checkdmarc %s | inspect | inspect has the record to publish |\n|---|---|---|---|\n", version)
	foundByThem, published := 0, 0
	for _, f := range faults {
		i := slices.IndexFunc(ours[f.domain], func(n inspect.Finding) bool { return n.ID == f.id })
		if i < 0 {
			return "", fmt.Errorf("%s: %s is not found among %v", f.domain, f.id, ours[f.domain])
		}
		them := "says nothing"
		if said := complaintOn(f.words, theirs[f.domain]); said != "" {
			foundByThem++
			them = "“" + said + "”"
		} else if said := complaintOn(f.near, theirs[f.domain]); said != "" {
			them = "says what comes of it: “" + said + "”"
		}
		record := "no"
		if fix := ours[f.domain][i].Fix; fix != nil && len(fix.Changes) > 0 {
			record = "yes"
			published++
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", f.what, them, f.id, record)
	}
	fmt.Fprintf(&b, "| **found, of %d** | **%d** | **%d** | **%d** |\n", len(faults), foundByThem, len(faults), published)
	fmt.Fprintf(&b, "| nothing is wrong | %s | %s | |\n", count(len(theirs[good])), count(len(ours[good])))
	return b.String(), nil
}

func count(n int) string {
	switch n {
	case 0:
		return "says nothing"
	case 1:
		return "one complaint"
	}
	return fmt.Sprintf("%d complaints", n)
}

// complaintOn returns the first complaint with one of the words, cut to a line, or "".
func complaintOn(words, said []string) string {
	const most = 110
	for _, text := range said {
		for _, word := range words {
			if strings.Contains(strings.ToLower(text), word) {
				text = strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(text)
				if runes := []rune(text); len(runes) > most {
					text = string(runes[:most]) + "…"
				}
				return text
			}
		}
	}
	return ""
}
