package main

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

// source is the page of a sender.
func (s *site) source(ctx context.Context, p *page) error {
	p.Here, p.Title = "source", printable(p.Filter.Name)
	v, err := s.view(ctx, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(v.Sources, func(s source) bool { return s.Name == p.Filter.Name })
	if at < 0 {
		return &pageError{http.StatusNotFound, "No report of these days shows this sender."}
	}
	src := v.Sources[at]
	names, err := s.names(ctx, src.Addresses, p.Now)
	if err != nil {
		return err
	}
	data := struct {
		source
		HostNames []hostRow
		Flows     []rollout.Flow
		More      int
	}{source: src}
	flows := slices.DeleteFunc(slices.Clone(v.flows), func(f rollout.Flow) bool { return f.Sender() != src.Name })
	for _, host := range src.Addresses {
		row := hostRow{Address: host.String(), Name: names[host]}
		for i := range flows {
			if flows[i].Source == host {
				row.Messages += flows[i].Messages
				if flows[i].Passed() {
					row.Passed += flows[i].Messages
				}
			}
		}
		data.HostNames = append(data.HostNames, row)
	}
	data.Flows = outcomes(flows)
	if n := p.Filter.most(); len(data.Flows) > n {
		data.More, data.Flows = len(data.Flows)-n, data.Flows[:n]
	}
	p.Data = data
	return nil
}

// A hostRow is a host of a source.
type hostRow struct {
	Address, Name    string
	Messages, Passed int64
}

// outcomes sums flows up over their hosts.
func outcomes(flows []rollout.Flow) []rollout.Flow {
	type key struct {
		from, disposition string
		dkim, spf         bool
		class             rollout.Class
	}
	at := make(map[key]int)
	var list []rollout.Flow
	for _, f := range flows {
		k := key{f.HeaderFrom, f.Disposition, f.DKIM, f.SPF, f.Class}
		i, known := at[k]
		if !known {
			at[k] = len(list)
			list = append(list, f)
			continue
		}
		list[i].Messages += f.Messages
	}
	slices.SortStableFunc(list, func(a, b rollout.Flow) int { return cmp.Compare(b.Messages, a.Messages) })
	return list
}

// names returns the names of hosts that the store knows, and has DNS asked about the other ones
// meanwhile: a later page has them.
func (s *site) names(ctx context.Context, hosts []netip.Addr, now time.Time) (map[netip.Addr]string, error) {
	names, err := hostNames(ctx, s.inbox, nil, hosts, now)
	if err != nil || len(names) == len(hosts) || s.resolver == nil || !s.asking.CompareAndSwap(false, true) {
		return names, err
	}
	ctx = context.WithoutCancel(ctx)
	s.background.Go(func() {
		defer s.asking.Store(false)
		_, _ = hostNames(ctx, s.inbox, s.resolver, hosts, now) // the next page asks again
	})
	return names, nil
}
