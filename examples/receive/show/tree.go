package show

import (
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A Tree is an SPF record with what its terms lead to.
type Tree struct {
	Domain string
	Record string // empty where it is not known, or there is none
	Took   string // how long DNS took for it
	Terms  []Term
}

// A Term is a term of a record.
type Term struct {
	explain.Step
	Pending string // why it has no outcome, or ""
	Asked   []Asked
	Record  *Tree // of an include or redirect
}

// Asked is a question of a term.
type Asked struct{ Type, Name, Took string }

// tree is the tree of a check that has ended. The steps of package explain, which have the words, are
// those of the evaluation, one for one.
func (v *View) tree(r *spf.Result, step explain.Step) *Tree {
	if r == nil || r.Evaluation == nil || r.Evaluation.Record == "" {
		return nil
	}
	left := maxTerms
	return v.evaluated(r.Evaluation, step.Steps, &left)
}

func (v *View) evaluated(e *spf.Evaluation, steps []explain.Step, left *int) *Tree {
	t := &Tree{Domain: visible.Line(e.Domain), Record: visible.Value(e.Record), Took: v.tookFor(e.Domain, resolver.TypeTXT)}
	for i := range min(len(e.Steps), len(steps)) {
		if *left--; *left < 0 {
			break
		}
		term := Term{Step: steps[i]}
		for _, a := range e.Steps[i].Answers {
			term.Asked = append(term.Asked, Asked{
				Type: a.Question.Type.String(), Name: visible.Line(a.Question.Name), Took: v.tookFor(a.Question.Name, a.Question.Type),
			})
		}
		if nested := e.Steps[i].Nested; nested != nil {
			term.Record, term.Asked = v.evaluated(nested, steps[i].Steps, left), nil
		}
		t.Terms = append(t.Terms, term)
	}
	return t.withRest(e.Record)
}

// withRest adds the terms of the record that were not come to.
func (t *Tree) withRest(record string) *Tree {
	parsed, ok, err := spf.Parse(record)
	if !ok || err != nil {
		return t
	}
	evaluated := map[string]bool{}
	for _, term := range t.Terms {
		evaluated[term.Title] = true
	}
	for i := range parsed.Terms {
		term := &parsed.Terms[i]
		if text := visible.Line(term.Text); !evaluated[text] && term.Kind != spf.KindUnknown && term.Kind != spf.KindExp {
			t.Terms = append(t.Terms, Term{Step: explain.Step{Title: text}, Pending: "not needed"})
		}
	}
	return t
}

// tookFor returns how long a question took, or "".
func (v *View) tookFor(name string, t resolver.Type) string {
	for _, q := range v.Questions {
		if q.asked.Type == t && q.asked.Name == name {
			return q.Took
		}
	}
	return ""
}
