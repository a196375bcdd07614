package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// mostDomains is how many domains the table has; summary.json has all.
const mostDomains = 20

// table writes a summary for people.
func table(w io.Writer, s *stored.Summary) error {
	fmt.Fprintf(w, "%d messages, DNS %s", s.Messages, listed(s.DNS))
	if len(s.Skipped) > 0 {
		fmt.Fprintf(w, "; without a verdict: %s", listed(s.Skipped))
	}
	fmt.Fprintf(w, "\nDMARC: %s\nDMARC would have done: %s\n", listed(s.Verdicts), listed(s.Dispositions))
	if len(s.KeysChanged) > 0 {
		fmt.Fprintf(w, "With a signature whose key has changed since: %s\n", listed(s.KeysChanged))
	}
	for _, key := range byNumber(s.Differences) {
		if method, words, found := strings.Cut(key, " "); found {
			stored, now, _ := strings.Cut(words, " ")
			fmt.Fprintf(w, "%s was %s and is %s: %d\n", visible.Line(method), visible.Line(stored), visible.Line(now), s.Differences[key])
		}
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "Author Domain\tpass\tnone\tfail\tpermerror\ttemperror\tfail, key changed")
	domains := slices.SortedFunc(maps.Keys(s.Domains), func(a, b string) int {
		return cmp.Or(cmp.Compare(total(s.Domains[b].Verdicts), total(s.Domains[a].Verdicts)), strings.Compare(a, b))
	})
	for _, d := range domains[:min(len(domains), mostDomains)] {
		c := s.Domains[d]
		v := c.Verdicts
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", cmp.Or(visible.Domain(d), "(none)"), v["pass"], v["none"], v["fail"], v["permerror"], v["temperror"], c.KeysChanged["fail"])
	}
	if more := len(domains) - mostDomains; more > 0 {
		fmt.Fprintf(t, "and %d more in summary.json\n", more)
	}
	return t.Flush()
}

// listed returns numbers with their names: "12 pass, 3 fail".
func listed(m map[string]int) string {
	var parts []string
	for _, key := range byNumber(m) {
		parts = append(parts, fmt.Sprintf("%d %s", m[key], visible.Line(key)))
	}
	return strings.Join(parts, ", ")
}

// byNumber returns the keys of the largest numbers first.
func byNumber(m map[string]int) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b))
	})
}

func total(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
