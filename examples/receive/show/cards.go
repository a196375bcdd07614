package show

import (
	"strconv"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// A Card is a section of the page: the steps that are about one thing.
type Card struct {
	ID    string
	Steps []Step
}

// A Step is a step of the explanation, with what is drawn for it.
type Step struct {
	explain.Step
	Tree   *Tree  // SPF
	Names  *Names // alignment
	Ladder []Rung // where the policy was looked for
}

// Say is what a screen reader says when the card comes.
func (c Card) Say() string {
	text := c.Steps[0].Title + ": " + c.Steps[0].Outcome
	for _, s := range c.Steps[1:] {
		if s.Names != nil {
			text += ", " + s.Outcome
		}
	}
	return text
}

// cards groups the steps of an explanation. The session is shown as the conversation.
func (v *View) cards(r *dmarc.Result, steps []explain.Step) []Card {
	var list []Card
	signature := -1
	for _, step := range steps {
		s := Step{Step: step}
		id := ""
		switch step.Kind {
		case explain.KindSession:
			continue
		case explain.KindAuthor:
			v.Author = &s
			continue
		case explain.KindSPF:
			id, s.Tree = "spf", v.tree(r.SPF, step)
		case explain.KindSPFAlignment:
			id, s.Names = "spf", names(&r.DMARC, dmarc.MethodSPF, 0)
		case explain.KindHELO:
			id = "spf"
		case explain.KindDKIM:
			signature++
			id = dkimID(signature)
		case explain.KindDKIMAlignment:
			id, s.Names = dkimID(signature), names(&r.DMARC, dmarc.MethodDKIM, signature)
		case explain.KindDiscovery:
			id, s.Ladder = "dmarc", ladder(r.DMARC.Discovery)
		case explain.KindPolicy:
			id = "dmarc"
		default:
			id = step.Kind.String()
		}
		if n := len(list); n > 0 && list[n-1].ID == id {
			list[n-1].Steps = append(list[n-1].Steps, s)
		} else {
			list = append(list, Card{id, []Step{s}})
		}
	}
	return list
}

func dkimID(signature int) string { return "dkim-" + strconv.Itoa(signature+1) }

func names(v *dmarc.Verdict, m dmarc.Method, signature int) *Names {
	for _, i := range v.Identifiers {
		if i.Method == m && (m == dmarc.MethodSPF || i.Signature == signature) {
			return newNames(v, i)
		}
	}
	return nil
}

// A Rung is a name that was asked for a policy record.
type Rung struct {
	Name    string
	Record  string // empty where there is none
	Failure string // why there is no answer
	Applies bool
}

func ladder(d *discovery.Result) []Rung {
	var rungs []Rung
	for _, q := range d.Queries {
		r := Rung{Name: "_dmarc." + q.Domain, Record: visible.Value(q.Text), Applies: q.Record != nil && q.Domain == d.PolicyDomain}
		if q.Err != nil {
			r.Failure = visible.Line(failure(q.Err))
		}
		if q.Record == nil {
			r.Record = ""
		}
		rungs = append(rungs, r)
	}
	return rungs
}

// A Tile is the short of what one method found.
type Tile struct {
	ID, Title string
	Outcome   string // a word: "pass"
	Tone      explain.Tone
	Detail    string
	More      string
}

// Tiles are the short of all: empty where nothing is known yet.
func (v *View) Tiles() []Tile {
	spf, dkim, policy := Tile{ID: "spf", Title: "SPF"}, Tile{ID: "dkim", Title: "DKIM"}, Tile{ID: "dmarc", Title: "DMARC"}
	for _, c := range v.Cards {
		first := c.Steps[0].Step
		switch {
		case c.ID == "spf":
			spf.take(c)
		case first.Kind == explain.KindDKIM:
			// The best signature speaks for all.
			if dkim.Outcome == "" || dkim.Tone != explain.ToneGood && aligned(c) && first.Tone == explain.ToneGood {
				dkim.take(c)
			}
			dkim.ID = "dkim-1"
		case c.ID == "verdict":
			policy.Outcome, policy.Tone = first.Outcome, first.Tone
			policy.ID, policy.Detail = "verdict", v.Result.DMARC.AuthorDomain
			if p := v.Result.DMARC.Policy.String(); p != "" {
				// Where there is little room, the line ends at the sign.
				policy.More = v.Result.DMARC.PolicyTag + "=\u200b" + p
			}
		}
	}
	return []Tile{spf, dkim, policy}
}

// take takes over what a card says. What passes and is not aligned does not count.
func (t *Tile) take(c Card) {
	t.Outcome, t.Tone = c.Steps[0].Outcome, c.Steps[0].Tone
	for _, s := range c.Steps {
		if s.Names == nil {
			continue
		}
		t.Detail, t.More = s.Names.Other.Rest+s.Names.Other.Common, s.Outcome
		if !s.Names.Aligned && t.Tone == explain.ToneGood {
			t.Tone = explain.ToneOpen
		}
	}
}

func aligned(c Card) bool {
	for _, s := range c.Steps {
		if s.Names != nil && s.Names.Aligned {
			return true
		}
	}
	return false
}
