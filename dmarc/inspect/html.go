package inspect

import (
	"bytes"
	"cmp"
	_ "embed"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
)

//go:embed inspect.html
var inspectHTML string

// HTML writes a report as a fragment for a page: one section element, without styles, scripts or
// ids. All of it has classes that begin with "mv-":
//
//	mv-inspect    the section; beside it mv-error, mv-warning, mv-info or mv-good, for the worst finding
//	mv-verdict    its heading (h2): the domain, and how many findings there are
//	mv-rivals     that several findings have a text for the same record (p)
//	mv-findings   the findings (ul)
//	mv-finding    one of them (li); beside it mv-error, mv-warning or mv-info
//	mv-severity, mv-message, mv-id, mv-evidence   its parts
//	mv-facts      what the domain publishes (dl)
//	mv-lookups    the SPF record with what its terms cost (details)
//	mv-tree       the terms of a record (ul), nested for includes; in it mv-cost
//	mv-setup      the steps of setting the domain up with a company (ul)
//	mv-step       one of them (li); beside it mv-done, mv-missing, mv-unusable or mv-unknown, and in it mv-state
//
//	mv-todo       what to do (ul), with one mv-fix
//
// An mv-fix and all in it is as in package explain. The error is that of w.
func (r *Report) HTML(w io.Writer) error {
	t, err := layout.Templates("inspect")
	if err == nil {
		t, err = t.Parse(inspectHTML)
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, r.shown()); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// A page is a report as the template shows it: escaped, whatever a program has put into it.
type page struct {
	Title    string
	Worst    Severity
	Rivals   string // that findings have several texts for a record
	Findings []shownFinding
	Facts    []fact
	Setup    []pageSetup

	Lookups string // what the SPF record costs
	Tree    []pageTerm
}

type pageTerm struct {
	Text, Cost, Problem string
	Include             []pageTerm
}

type pageSetup struct {
	Name, Given string
	Steps       []pageStep
}

type pageStep struct {
	State, Words string
	Fix          Fix
}

func (r *Report) shown() page {
	p := page{Title: visible.Line(visible.BothForms(r.Domain) + ": " + r.counts()), Worst: r.Worst(), Rivals: visible.Line(r.rivals())}
	for _, f := range r.shownFindings() {
		own := *f.Finding
		own.ID, own.Message = visible.Line(own.ID), visible.Line(own.Message)
		f.Finding, f.Evidence = &own, visible.Value(f.Evidence)
		p.Findings = append(p.Findings, f)
	}
	if r.DMARC != nil {
		p.Facts = r.facts()
	}
	if r.SPF != nil && r.SPF.Tree != nil {
		p.Lookups, p.Tree = visible.Line(costOf(r.SPF)), shownTerms(r.SPF.Tree, new(int))
	}
	for _, s := range r.Setup {
		shown := pageSetup{Name: visible.Line(s.Name), Given: visible.Line(strings.Join(s.Signs, ", "))}
		for _, step := range s.Steps {
			shown.Steps = append(shown.Steps, pageStep{step.State, stepWords[step.State], escaped(step.Fix)})
		}
		p.Setup = append(p.Setup, shown)
	}
	return p
}

// shownTerms are the terms of a record. Written is how many of the tree there are so far.
func shownTerms(r *published.SPFRecord, written *int) []pageTerm {
	var list []pageTerm
	for i := range r.Terms {
		if *written++; *written > maxShownTerms {
			if *written == maxShownTerms+1 {
				list = append(list, pageTerm{Problem: tooManyTerms})
			}
			break
		}
		t := &r.Terms[i]
		shown := pageTerm{Text: visible.Line(t.Text), Cost: termCost(t), Problem: visible.Line(t.Problem)}
		if t.Include != nil {
			shown.Include = shownTerms(t.Include, written)
			shown.Problem = cmp.Or(shown.Problem, visible.Line(t.Include.Problem))
		}
		list = append(list, shown)
	}
	return list
}

// escaped returns a fix that shares nothing with f and is fit to be shown.
func escaped(f Fix) Fix {
	f = remedy.Clone([]Fix{f})[0]
	f.Escape()
	return f
}
