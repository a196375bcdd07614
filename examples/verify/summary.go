package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// maxRows is how many messages the summary lists one by one.
const maxRows = 50

// A tally counts verdicts.
type tally struct {
	messages int // with a verdict
	unread   int // inputs that could not be read
	verdicts map[dmarc.Status]int
	handled  map[handling]int
	rows     []row // of the first messages, one more than are listed
}

// A handling is a verdict and what is recommended after it.
type handling struct {
	verdict     dmarc.Status
	disposition dmarc.Disposition
}

// A row is a message of the list.
type row struct {
	file string
	spf  string
	dkim string
	handling
}

func (t *tally) add(o outcome) {
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
		t.rows = append(t.rows, row{printable(o.file), spfWord(o.result.SPF), dkimWords(o.result.DKIM), h})
	}
}

// write writes what every message came to, where they are few, and how many have each
// verdict.
func (t *tally) write(w io.Writer, screen terminal) {
	fmt.Fprintf(w, "%s\n\n", screen.rule("Summary", ""))
	if t.messages <= maxRows {
		t.writeRows(w, screen)
	}
	t.writeCounts(w, screen)
}

// resultWidth is the width of a column with a result, resultColumns how many there are.
const (
	resultWidth   = 11
	resultColumns = 4
)

func (t *tally) writeRows(w io.Writer, screen terminal) {
	dir := t.sharedDir()
	title := "message"
	if dir != "" {
		title = "in " + dir
	}
	widest := columns(title)
	for _, r := range t.rows {
		widest = max(widest, columns(r.file)-columns(dir))
	}
	name := min(widest+2, screen.width-resultColumns*resultWidth)
	fmt.Fprintln(w, screen.paint(faint, line(name, shortenLeft(title, name-1), "SPF", "DKIM", "DMARC", "do")))
	for _, r := range t.rows {
		file := shortenLeft(strings.TrimPrefix(r.file, dir), name-1)
		fmt.Fprintln(w, line(name, file, r.spf, r.dkim, screen.verdict(r.verdict), r.disposition.String()))
	}
	fmt.Fprintln(w)
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

func (t *tally) writeCounts(w io.Writer, screen terminal) {
	dispositions := []dmarc.Disposition{
		dmarc.DispositionNone, dmarc.DispositionQuarantine, dmarc.DispositionReject, dmarc.DispositionTempFail,
	}
	cells := []string{"messages"}
	for _, d := range dispositions {
		cells = append(cells, d.String())
	}
	fmt.Fprintln(w, screen.paint(faint, line(resultWidth, "DMARC", cells...)))
	for _, s := range []dmarc.Status{dmarc.StatusPass, dmarc.StatusNone, dmarc.StatusFail, dmarc.StatusTempError, dmarc.StatusPermError} {
		cells := []string{strconv.Itoa(t.verdicts[s])}
		for _, d := range dispositions {
			cells = append(cells, countOrDot(t.handled[handling{s, d}]))
		}
		fmt.Fprintln(w, line(resultWidth, screen.verdict(s), cells...))
	}
	fmt.Fprintln(w, line(resultWidth, "in all", strconv.Itoa(t.messages)))
	if t.unread > 0 {
		fmt.Fprintln(w, line(resultWidth, screen.paint(red, "not read"), strconv.Itoa(t.unread)))
	}
}

// line returns a line of a table.
func line(width int, first string, cells ...string) string {
	var b strings.Builder
	b.WriteString(pad(first, width))
	for _, c := range cells {
		b.WriteString(pad(c, resultWidth))
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
	if s := strings.Join(words, " "); len(s) < resultWidth {
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
