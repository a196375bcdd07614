package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/resolver"
)

const (
	namesKept  = 30 * 24 * time.Hour // in the store
	maxPTR     = 5                   // names of one host that are looked up
	askingTime = 5 * time.Second     // for all hosts of a page
)

// hostNames returns the names of those hosts that have one: from the store, and from DNS where the store
// does not know and r is not nil. DNS that does not answer in time is asked again the next time.
func hostNames(ctx context.Context, inbox *sqlstore.Inbox, r resolver.Resolver, hosts []netip.Addr, now time.Time) (map[netip.Addr]string, error) {
	names, err := inbox.HostNames(ctx, hosts, now.Add(-namesKept))
	if err != nil || r == nil {
		return names, err
	}
	hosts = slices.DeleteFunc(slices.Clone(hosts), func(host netip.Addr) bool {
		_, known := names[host]
		return known
	})
	if len(hosts) == 0 {
		return names, nil
	}
	found := askNames(ctx, r, hosts)
	for host, name := range found {
		names[host] = name
	}
	return names, inbox.SetHostNames(ctx, found, now)
}

// askNames asks DNS for the names of hosts. Those that it does not answer about are left out.
func askNames(ctx context.Context, r resolver.Resolver, hosts []netip.Addr) map[netip.Addr]string {
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	names := make(map[netip.Addr]string)
	var lock sync.Mutex
	sideBySide(hosts, func(host netip.Addr) {
		if name, err := hostName(ctx, r, host); err == nil {
			lock.Lock()
			defer lock.Unlock()
			names[host] = name
		}
	})
	return names
}

// hostName returns the name of a host by reverse DNS, or "" where it has none of which the addresses
// confirm it: whoever has an address can give it any name.
func hostName(ctx context.Context, r resolver.Resolver, host netip.Addr) (string, error) {
	reverse, err := dns.ReverseAddr(host.String())
	if err != nil {
		return "", nil // no address
	}
	answer, err := r.Resolve(ctx, resolver.Question{Name: reverse[:len(reverse)-1], Type: resolver.TypePTR})
	if err != nil {
		return "", unlessNotFound(err)
	}
	kind := resolver.TypeA
	if host.Is6() {
		kind = resolver.TypeAAAA
	}
	var failed error
	for _, name := range answer.PTR[:min(len(answer.PTR), maxPTR)] {
		addresses, err := r.Resolve(ctx, resolver.Question{Name: name, Type: kind})
		switch {
		case err != nil:
			failed = errors.Join(failed, unlessNotFound(err))
		case slices.Contains(addresses.Addrs, host):
			return name, nil
		}
	}
	return "", failed
}

func unlessNotFound(err error) error {
	if errors.Is(err, resolver.ErrNotFound) {
		return nil
	}
	return err
}
