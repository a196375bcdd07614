package dmarctest

import (
	"fmt"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// A Want is what a fixture expects of its result, in the words of the results. What is
// empty is not looked at; DKIM is not empty where it is a list without entries, which
// expects a message that is not signed.
type Want struct {
	Verdict     string   `json:"verdict,omitempty"`     // of DMARC: pass, fail, none, temperror, permerror
	Disposition string   `json:"disposition,omitempty"` // none, quarantine, reject, tempfail
	SPF         string   `json:"spf,omitempty"`         // for MAIL FROM
	DKIM        []string `json:"dkim,omitzero"`         // one for each signature, topmost first
}

// wantOf returns the Want that r meets.
func wantOf(r *dmarc.Result) Want {
	w := Want{
		Verdict:     r.DMARC.Status.String(),
		Disposition: r.DMARC.Disposition.String(),
		SPF:         spfStatus(r).String(),
		DKIM:        []string{},
	}
	for _, d := range r.DKIM {
		w.DKIM = append(w.DKIM, d.Status.String())
	}
	return w
}

// spfStatus returns the result of SPF. One that was read from JSON may have none.
func spfStatus(r *dmarc.Result) spf.Status {
	if r.SPF == nil {
		return spf.StatusNone
	}
	return r.SPF.Status
}

// A row is one thing that was expected, and what there is.
type row struct{ name, got, want string }

// compare returns a row for each thing that w expects.
func (w Want) compare(r *dmarc.Result) []row {
	got := wantOf(r)
	var rows []row
	add := func(name, got, want string) {
		if want != "" {
			rows = append(rows, row{name, got, want})
		}
	}
	add("verdict", got.Verdict, w.Verdict)
	add("disposition", got.Disposition, w.Disposition)
	add("spf", got.SPF, w.SPF)
	if w.DKIM != nil {
		add("dkim", list(got.DKIM), list(w.DKIM))
	}
	return rows
}

// differ reports whether anything is not as expected.
func differ(rows []row) bool {
	for _, r := range rows {
		if r.got != r.want {
			return true
		}
	}
	return false
}

// table puts what there is beside what was expected.
func table(rows []row) string {
	var b strings.Builder
	line := func(name, got, want, mark string) {
		fmt.Fprintf(&b, "%s\n", strings.TrimRight(fmt.Sprintf("    %-12s %-16s %-16s %s", name, got, want, mark), " "))
	}
	line("", "got", "want", "")
	for _, r := range rows {
		mark := ""
		if r.got != r.want {
			mark = "<--"
		}
		line(r.name, r.got, r.want, mark)
	}
	return b.String()
}

// list returns words as a table and a test log show them.
func list(words []string) string {
	if len(words) == 0 {
		return "(none)"
	}
	return strings.Join(words, " ")
}
