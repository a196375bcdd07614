package main

import (
	"context"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// mostRows is how many rows a table has, unless all are asked for.
const mostRows = 50

// mostAll is how many it has then.
const mostAll = 2000

func (f *filter) most() int {
	if f.All {
		return mostAll
	}
	return mostRows
}

// domainRow is a domain in the list of all.
type domainRow struct {
	sqlstore.Total
	Policy string
}

// Failed is how many messages do not pass.
func (d *domainRow) Failed() int64 { return d.Messages - d.Passed }

// domains lists the domains.
func (s *site) domains(ctx context.Context, p *page) error {
	p.Here, p.Title = "domains", "Domains"
	totals, err := s.inbox.Totals(ctx, sqlstore.Last(p.Filter.Days, p.Now))
	if err != nil {
		return err
	}
	totals = slices.DeleteFunc(totals, func(t sqlstore.Total) bool { return !strings.Contains(t.Domain, strings.ToLower(p.Filter.Query)) })
	data := struct {
		Rows  []domainRow
		Total int
	}{Total: len(totals)}
	for _, t := range totals[:min(len(totals), p.Filter.most())] {
		policy, _, err := s.inbox.Policy(ctx, t.Domain)
		if err != nil {
			return err
		}
		data.Rows = append(data.Rows, domainRow{t, policy.P})
	}
	p.Data = data
	return nil
}

// newDays is for how long a source is new.
const newDays = 7

// view returns what the store has of the domain of a page.
func (s *site) view(ctx context.Context, p *page) (*view, error) {
	return look(ctx, s.inbox, p.Domain, p.Filter.Days, p.Now, p.Now.AddDate(0, 0, -newDays))
}

// sendersData is what that page shows.
type sendersData struct {
	*view
	Plan       *plan
	Charts     []*chart
	ByClass    []classTotal
	Fixes      []source
	Shown      []source
	Matching   int
	NewSources int
}

// senders is the page of a domain: who sends in its name.
func (s *site) senders(ctx context.Context, p *page) error {
	p.Here, p.Title = "senders", p.Domain
	v, err := s.view(ctx, p)
	if err != nil {
		return err
	}
	made, err := planFor(ctx, s.inbox, s.resolver, v, p.Now, p.Filter.owner)
	if err != nil {
		return err
	}
	days, err := s.inbox.Days(ctx, p.Domain, sqlstore.Last(p.Filter.Days, p.Now))
	if err != nil {
		return err
	}
	data := sendersData{view: v, Plan: made, Charts: dayCharts(days, sqlstore.Last(p.Filter.Days, p.Now)), ByClass: byClass(v.Sources)}
	for i := range v.Sources {
		if v.Sources[i].New {
			data.NewSources++
		}
	}
	if f := &p.Filter; f.Query == "" && f.Class == "" && !f.New && !f.All {
		v.fold()
	}
	for _, src := range v.Sources {
		if src.Fix != nil && len(data.Fixes) < 5 {
			data.Fixes = append(data.Fixes, src)
		}
		if p.Filter.matches(&src) {
			if data.Matching++; data.Matching <= p.Filter.most() {
				data.Shown = append(data.Shown, src)
			}
		}
	}
	names, err := s.names(ctx, hostsToName(data.Shown[:min(len(data.Shown), mostNamed)]), p.Now)
	if err != nil {
		return err
	}
	setHostNames(data.Shown, names)
	p.Data = data
	return nil
}

// matches reports whether a source is to be shown.
func (f *filter) matches(s *source) bool {
	if f.New && !s.New || !strings.Contains(strings.ToLower(s.Name), strings.ToLower(f.Query)) {
		return false
	}
	return f.Class == "" || s.of(f.Class) > 0
}

// of returns how many messages of a class a source has.
func (s *source) of(c rollout.Class) int64 {
	switch c {
	case rollout.Aligned:
		return s.Aligned
	case rollout.Misaligned:
		return s.Misaligned
	case rollout.Forwarded:
		return s.Forwarded
	}
	return s.Unknown
}

// A classTotal is how many messages of a class there are, from how many sources.
type classTotal struct {
	Class    rollout.Class
	Messages int64
	Sources  int
}

func byClass(sources []source) (list []classTotal) {
	for _, c := range classes {
		total := classTotal{Class: c}
		for i := range sources {
			if n := sources[i].of(c); n > 0 {
				total.Messages += n
				total.Sources++
			}
		}
		list = append(list, total)
	}
	return list
}
