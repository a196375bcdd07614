package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// maxRows is how many domains the summary lists one by one.
const maxRows = 50

// maxNames is how many domains a line of the summary by finding names.
const maxNames = 3

// A tally counts findings.
type tally struct {
	domains int
	errors  int // domains that have one
	open    int // domains for which DNS failed where it matters
	rows    []row
	by      []finding // in the order in which they came
}

// A row is a domain of the list.
type row struct {
	domain, policy, lookups, keys string
	worst                         inspect.Severity
	counts                        string
}

// A finding is one id, and the domains that have it.
type finding struct {
	id       string
	severity inspect.Severity
	domains  []string // the first ones
	count    int
}

func (t *tally) add(r *inspect.Report) {
	t.domains++
	if r.Worst() == inspect.SeverityError {
		t.errors++
	}
	if r.Open() {
		t.open++
	}
	if len(t.rows) <= maxRows {
		t.rows = append(t.rows, newRow(r))
	}
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if !seen[f.ID] {
			seen[f.ID] = true
			t.found(f, r.Domain)
		}
	}
}

func (t *tally) found(f inspect.Finding, domain string) {
	i := slices.IndexFunc(t.by, func(b finding) bool { return b.id == f.ID })
	if i < 0 {
		i = len(t.by)
		t.by = append(t.by, finding{id: f.ID, severity: f.Severity})
	}
	t.by[i].count++
	if len(t.by[i].domains) < maxNames {
		t.by[i].domains = append(t.by[i].domains, terminal.Printable(domain))
	}
}

func newRow(r *inspect.Report) row {
	row := row{domain: terminal.Printable(r.Domain), policy: "-", lookups: "-", keys: strconv.Itoa(len(r.DKIM)), worst: r.Worst()}
	if r.SPF != nil && r.SPF.Record != "" {
		row.lookups = strconv.Itoa(r.SPF.Lookups)
	}
	if r.SPF != nil && r.SPF.Status == "temperror" {
		row.lookups = "?"
	}
	switch d := r.DMARC; {
	case d == nil:
	case d.Unknown:
		row.policy = "?"
	case d.Applies != "":
		row.policy = d.Applies + "=" + d.Policy
	}
	_, row.counts, _ = strings.Cut(r.String(), ": ")
	return row
}

// status returns the exit status.
func (t *tally) status() int {
	switch {
	case t.errors > 0:
		return exitErrors
	case t.open > 0:
		return exitOpen
	}
	return exitOK
}

// write writes the domains, and how many have each finding.
func (t *tally) write(w io.Writer, screen terminal.Screen) {
	fmt.Fprintf(w, "%s\n\n", screen.Rule("Summary", ""))
	if len(t.rows) <= maxRows {
		t.writeRows(w, screen)
	}
	if len(t.by) == 0 {
		fmt.Fprintln(w, "Nothing is wrong.")
		return
	}
	order := []inspect.Severity{inspect.SeverityError, inspect.SeverityWarning, inspect.SeverityInfo}
	slices.SortStableFunc(t.by, func(a, b finding) int {
		if d := slices.Index(order, a.severity) - slices.Index(order, b.severity); d != 0 {
			return d
		}
		return b.count - a.count
	})
	fmt.Fprintln(w, screen.Paint(terminal.Faint, "domains  finding"))
	for _, f := range t.by {
		names := strings.Join(f.domains, ", ")
		if f.count > len(f.domains) {
			names += ", …"
		}
		fmt.Fprintf(w, "%7d  %s %s\n", f.count, terminal.Pad(screen.Paint(color(f.severity), f.id), 28), screen.Paint(terminal.Faint, names))
	}
}

func (t *tally) writeRows(w io.Writer, screen terminal.Screen) {
	widest := len("domain")
	for _, r := range t.rows {
		widest = max(widest, terminal.Columns(r.domain))
	}
	line := func(cells ...string) string {
		widths := []int{min(widest+2, 42), len("DMARC p=quarantine"), len("look-ups  "), len("keys  "), 0}
		var b strings.Builder
		for i, c := range cells {
			b.WriteString(terminal.Pad(c, widths[i]))
		}
		return strings.TrimRight(b.String(), " ")
	}
	fmt.Fprintln(w, screen.Paint(terminal.Faint, line("domain", "DMARC", "look-ups", "keys", "found")))
	for _, r := range t.rows {
		fmt.Fprintln(w, line(r.domain, r.policy, r.lookups, r.keys, screen.Paint(color(r.worst), r.counts)))
	}
	fmt.Fprintln(w)
}

// color returns the colour of a severity.
func color(s inspect.Severity) string {
	switch s {
	case inspect.SeverityError:
		return terminal.Red
	case inspect.SeverityWarning:
		return terminal.Yellow
	}
	return terminal.Green
}
