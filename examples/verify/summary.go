package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
	"github.com/mailverdict/mailverdict/spf"
)

// maxRows is how many messages the summary lists one by one.
const maxRows = 50

// A tally counts verdicts.
type tally struct {
	messages   int // with a verdict
	unread     int // inputs that could not be read
	unrecorded int // messages that -record failed for
	verdicts   map[dmarc.Status]int
	handled    map[handling]int
	rows       []row // of the first messages, one more than are listed
}

// A handling is a verdict and what is recommended after it.
type handling struct {
	verdict     dmarc.Status
	disposition dmarc.Disposition
}

// A row is a message of the list. The alignment of what passes stands beside it: it is what
// makes a pass of DMARC out of one.
type row struct {
	file                    string
	spf, dkim               string
	spfAligned, dkimAligned aligned
	handling
}

// An aligned says whether a result counts for DMARC.
type aligned string

// What does not pass has no alignment that counts.
const (
	alignedYes  aligned = "yes"
	alignedNo   aligned = "no"
	alignedNone aligned = "-"
)

func alignment(passed, aligned bool) aligned {
	switch {
	case aligned:
		return alignedYes
	case passed:
		return alignedNo
	}
	return alignedNone
}

func (t *tally) add(o outcome) {
	if o.unrecorded != nil {
		t.unrecorded++
	}
	if o.err != nil {
		t.unread++
		return
	}
	if t.verdicts == nil {
		t.verdicts = make(map[dmarc.Status]int)
		t.handled = make(map[handling]int)
	}
	h := handling{o.result.DMARC.Status, o.result.DMARC.Disposition}
	t.messages++
	t.verdicts[h.verdict]++
	t.handled[h]++
	if len(t.rows) <= maxRows {
		t.rows = append(t.rows, newRow(o, h))
	}
}

func newRow(o outcome, h handling) row {
	r := o.result
	passes := slices.ContainsFunc(r.DKIM, func(d *dkim.Result) bool { return d.Status == dkim.StatusPass })
	return row{
		file:        terminal.Printable(o.file),
		spf:         spfWord(r.SPF),
		spfAligned:  alignment(spfWord(r.SPF) == spf.StatusPass.String(), r.DMARC.SPFAligned),
		dkim:        dkimWords(r.DKIM),
		dkimAligned: alignment(passes, r.DMARC.DKIMAligned),
		handling:    h,
	}
}

// write writes what every message came to, where they are few, and how many have each
// verdict.
func (t *tally) write(w io.Writer, screen terminal.Screen) {
	fmt.Fprintf(w, "%s\n\n", screen.Rule("Summary", ""))
	if t.messages <= maxRows {
		t.writeRows(w, screen)
	}
	t.writeCounts(w, screen)
}

// The widths of the columns after the file's name: the longest word of each, and a space.
var columnWidths = []int{
	len("permerror "), len("aligned "), // SPF
	len("permerror "), len("aligned "), // DKIM
	len("permerror "), len("quarantine"), // DMARC
}

// resultsWidth is how many columns the results take, leastName how many are left for the name
// before it gets a line of its own.
const (
	resultsWidth = 56
	leastName    = 20
)

func (t *tally) writeRows(w io.Writer, screen terminal.Screen) {
	dir := t.sharedDir()
	title := "file"
	if dir != "" {
		title = "in " + dir
	}
	widest := terminal.Columns(title)
	for _, r := range t.rows {
		widest = max(widest, terminal.Columns(r.file)-terminal.Columns(dir))
	}
	name := min(widest+2, screen.Width-resultsWidth)
	heads := results("SPF", "aligned", "DKIM", "aligned", "DMARC", "what to do")
	if name < min(widest+2, leastName) { // a narrow terminal
		fmt.Fprintf(w, "%s\n  %s\n", screen.Paint(terminal.Faint, shortenLeft(title, screen.Width)), screen.Paint(terminal.Faint, heads))
		for _, r := range t.rows {
			fmt.Fprintf(w, "%s\n  %s\n", shortenLeft(strings.TrimPrefix(r.file, dir), screen.Width), r.results(screen))
		}
	} else {
		fmt.Fprintln(w, screen.Paint(terminal.Faint, terminal.Pad(shortenLeft(title, name-1), name)+heads))
		for _, r := range t.rows {
			fmt.Fprintln(w, terminal.Pad(shortenLeft(strings.TrimPrefix(r.file, dir), name-1), name)+r.results(screen))
		}
	}
	fmt.Fprintln(w)
}

// results returns the cells of a row that follow the file's name.
func (r row) results(screen terminal.Screen) string {
	return results(r.spf, alignedWord(screen, r.spfAligned), r.dkim, alignedWord(screen, r.dkimAligned), verdictWord(screen, r.verdict), r.disposition.String())
}

func results(cells ...string) string {
	var b strings.Builder
	for i, c := range cells {
		b.WriteString(terminal.Pad(c, columnWidths[i]))
	}
	return strings.TrimRight(b.String(), " ")
}

// alignedWord returns the word for an alignment in its colour.
func alignedWord(screen terminal.Screen, a aligned) string {
	switch a {
	case alignedYes:
		return screen.Paint(terminal.Green, string(a))
	case alignedNo:
		return screen.Paint(terminal.Red, string(a))
	}
	return string(a)
}

// sharedDir returns the directory, up to its last slash, that all files of the list are in.
func (t *tally) sharedDir() string {
	dir := t.rows[0].file
	for _, r := range t.rows {
		for !strings.HasPrefix(r.file, dir) || !strings.HasSuffix(dir, "/") {
			if dir == "" {
				return ""
			}
			dir = dir[:strings.LastIndexByte(dir[:len(dir)-1], '/')+1]
		}
	}
	return dir
}

func (t *tally) writeCounts(w io.Writer, screen terminal.Screen) {
	dispositions := []dmarc.Disposition{
		dmarc.DispositionNone, dmarc.DispositionQuarantine, dmarc.DispositionReject, dmarc.DispositionTempFail,
	}
	heads := []string{"DMARC", "messages"}
	for _, d := range dispositions {
		heads = append(heads, d.String())
	}
	fmt.Fprintln(w, screen.Paint(terminal.Faint, countLine(heads...)))
	for _, s := range []dmarc.Status{dmarc.StatusPass, dmarc.StatusNone, dmarc.StatusFail, dmarc.StatusTempError, dmarc.StatusPermError} {
		cells := []string{verdictWord(screen, s), strconv.Itoa(t.verdicts[s])}
		for _, d := range dispositions {
			cells = append(cells, countOrDot(t.handled[handling{s, d}]))
		}
		fmt.Fprintln(w, countLine(cells...))
	}
	fmt.Fprintln(w, countLine("in all", strconv.Itoa(t.messages)))
	if t.unread > 0 {
		fmt.Fprintln(w, countLine(screen.Paint(terminal.Red, "not read"), strconv.Itoa(t.unread)))
	}
}

// countLine returns a line of the counts.
func countLine(cells ...string) string {
	widths := []int{len("temperror  "), len("messages  "), len("none  "), len("quarantine  "), len("reject  "), 0}
	var b strings.Builder
	for i, c := range cells {
		b.WriteString(terminal.Pad(c, widths[i]))
	}
	return strings.TrimRight(b.String(), " ")
}

// countOrDot keeps zeros from hiding what there is.
func countOrDot(n int) string {
	if n == 0 {
		return "."
	}
	return strconv.Itoa(n)
}

func spfWord(r *spf.Result) string {
	if r == nil {
		return spf.StatusNone.String()
	}
	return r.Status.String()
}

// dkimWords returns the results of the signatures where a column has room for them, else how
// many pass.
func dkimWords(results []*dkim.Result) string {
	if len(results) == 0 {
		return "-"
	}
	var words []string
	passed := 0
	for _, r := range results {
		words = append(words, r.Status.String())
		if r.Status == dkim.StatusPass {
			passed++
		}
	}
	if s := strings.Join(words, " "); len(s) <= len("permerror") {
		return s
	}
	return fmt.Sprintf("%d/%d pass", passed, len(results))
}

// shortenLeft cuts the beginning of s, which of a path is what its neighbours have too.
func shortenLeft(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns {
		return s
	}
	return "…" + string(runes[len(runes)-columns+1:])
}
