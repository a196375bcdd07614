// Package dnsflags has the flags -zone and -dns, by which all programs are told who answers DNS
// questions.
package dnsflags

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/mailverdict/mailverdict/resolver"
)

// ErrBoth is what Check returns for flags that name a zone and a server.
var ErrBoth = errors.New("-zone and -dns exclude each other")

// Flags are what the flags say. The zero value is a command line without them.
type Flags struct {
	Zones  []string // files; where there are any, nothing else is asked
	Server string   // HOST:PORT
}

// Define adds the flags to a set.
func (f *Flags) Define(set *flag.FlagSet) {
	set.Func("zone", "answer DNS from this RFC 1035 zone `FILE` and ask nobody (repeatable)", func(s string) error {
		f.Zones = append(f.Zones, s)
		return nil
	})
	set.Func("dns", "ask this recursive server, `HOST:PORT` (default: the system's)", func(s string) error {
		if _, port, err := net.SplitHostPort(s); err != nil || port == "" {
			return errors.New("not HOST:PORT")
		}
		f.Server = s
		return nil
	})
}

// Check reports flags that do not go together.
func (f *Flags) Check() error {
	if len(f.Zones) > 0 && f.Server != "" {
		return ErrBoth
	}
	return nil
}

// Resolver returns what answers the questions: the zone, or else a cache over the server or over
// those of the system.
func (f *Flags) Resolver() (resolver.Resolver, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	if len(f.Zones) > 0 {
		return readZones(f.Zones)
	}
	client := &resolver.Client{}
	if f.Server != "" {
		client.Servers = []string{f.Server}
	}
	return &resolver.Cache{Resolver: client}, nil
}

func readZones(paths []string) (resolver.Resolver, error) {
	all := resolver.Zone{}
	for _, path := range paths {
		zone, err := readZone(path)
		if err != nil {
			return nil, err
		}
		all.Add(zone)
	}
	return all, nil
}

func readZone(path string) (resolver.Zone, error) {
	file, err := os.Open(path)
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("%s: %w", path, failed.Err)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return resolver.ParseZone(file, filepath.Clean(path))
}
