package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/mailverdict/mailverdict/resolver"
)

// dnsOptions are the flags that say who answers DNS questions.
type dnsOptions struct {
	zones  []string
	server string
}

func (o *dnsOptions) define(set *flag.FlagSet) {
	set.Func("zone", "answer DNS from this RFC 1035 zone `FILE` and ask nobody (repeatable)", func(s string) error {
		o.zones = append(o.zones, s)
		return nil
	})
	set.Func("dns", "ask this recursive server, `HOST:PORT` (default: the system's)", func(s string) error {
		if _, port, err := net.SplitHostPort(s); err != nil || port == "" {
			return errors.New("not HOST:PORT")
		}
		o.server = s
		return nil
	})
}

// resolver returns what answers DNS questions.
func (o *dnsOptions) resolver() (resolver.Resolver, error) {
	if len(o.zones) > 0 && o.server != "" {
		return nil, errors.New("-zone and -dns exclude each other")
	}
	if len(o.zones) == 0 {
		client := &resolver.Client{}
		if o.server != "" {
			client.Servers = []string{o.server}
		}
		return &resolver.Cache{Resolver: client}, nil
	}
	all := resolver.Zone{}
	for _, path := range o.zones {
		zone, err := readZone(path)
		if err != nil {
			return nil, err
		}
		all.Add(zone)
	}
	return all, nil
}

func readZone(path string) (resolver.Zone, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	defer f.Close()
	return resolver.ParseZone(f, filepath.Clean(path))
}

// missing returns those of the names that do not exist in DNS. One of which DNS does not say so is
// taken to exist.
func missing(ctx context.Context, r resolver.Resolver, names []string) map[string]bool {
	absent := make(map[string]bool)
	for _, name := range names {
		if _, err := r.Resolve(ctx, resolver.Question{Name: name, Type: resolver.TypeA}); errors.Is(err, resolver.ErrNXDomain) {
			absent[name] = true
		}
	}
	return absent
}
