package main

import (
	"context"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

// A stage is a value of p, and what it does to the mail.
type stage struct {
	Policy string
	State  string // "now", "testing", "past", "next" (safe), "skipped", "blocked", "later" or "against" (not advised)
	Verb   string // what becomes of what fails
	Blocks []rollout.Block
}

// stages returns the three values of p as columns.
func stages(p *plan, people string) []stage {
	list := []stage{{Policy: "none", Verb: "delivered"}, {Policy: "quarantine", Verb: "to spam"}, {Policy: "reject", Verb: "refused"}}
	at := max(slices.IndexFunc(list, func(s stage) bool { return s.Policy == p.P.Policy }), 0)
	next := at + 1
	if slices.Contains(strings.Fields(p.Step.Change), "p=reject") {
		next = 2 // also from none, for a domain that sends nothing
	}
	for i := range list {
		switch s := &list[i]; {
		case i == at && p.Testing != "":
			s.State, s.Blocks, next = "testing", p.Blocks, at
		case i == at:
			s.State = "now"
			if p.P.Policy == "reject" {
				s.Blocks = p.Blocks
			}
		case i < at:
			s.State = "past"
		case i < next:
			s.State = "skipped"
		case i > next:
			s.State = "later"
		case len(p.Blocks) == 0:
			s.State = "next"
		default:
			s.State, s.Blocks = "blocked", p.Blocks
		}
		if list[i].Policy == "reject" && i > at && people == "yes" {
			list[i].State = "against"
		}
	}
	return list
}

// rollout is the page that says what a stricter policy would do.
func (s *site) rollout(ctx context.Context, p *page) error {
	p.Here, p.Title = "rollout", "Rollout of "+p.Domain
	v, err := s.view(ctx, p)
	if err != nil {
		return err
	}
	made, err := planFor(ctx, s.inbox, s.resolver, v, p.Now, p.Filter.owner, windows...)
	if err != nil {
		return err
	}
	p.Data = struct {
		*plan
		Stages []stage
		Tags   []tag
	}{made, stages(made, p.Filter.People), tags}
	return nil
}

// A tag is one of a policy record, with the mail that it is for.
type tag struct{ Tag, Text string }

var tags = []tag{{"p", "the domain itself"}, {"sp", "names below it"}, {"np", "names below it that do not exist"}}

// Part returns what a window has for a tag.
func (w window) Part(tag string) *rollout.Part {
	switch tag {
	case "sp":
		return &w.SP
	case "np":
		return &w.NP
	}
	return &w.P
}
