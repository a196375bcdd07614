package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// resolvConf is where a system that is configured by a file has the addresses of its
// recursive servers: resolv.conf(5).
const resolvConf = "/etc/resolv.conf"

// systemReload is how long the list of servers is relied on where there is no such file,
// since finding it out takes longer.
const systemReload = 5 * time.Second

// maxSystemServers is how many servers of a resolv.conf count, as to the C library.
const maxSystemServers = 3

// systemServers are the recursive servers that the system is configured with. The
// zero value is ready.
type systemServers struct {
	path string // "" means resolvConf

	mu       sync.Mutex
	known    []string
	modified time.Time // of the file
	size     int64
	read     time.Time // without a file
}

// list returns the servers as host:port, in order: for DNS, or for DNS over TLS, whose
// port the configuration does not have. The list is the caller's.
func (s *systemServers) list(overTLS bool) []string {
	servers := s.current()
	if overTLS {
		for i, server := range servers {
			if host, _, err := net.SplitHostPort(server); err == nil {
				servers[i] = net.JoinHostPort(host, "853")
			}
		}
	}
	return servers
}

func (s *systemServers) current() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	file := s.path
	if file == "" {
		file = resolvConf
	}
	switch info, err := os.Stat(file); {
	case err != nil && s.known != nil && time.Since(s.read) < systemReload:
	case err != nil:
		s.known, s.read = serversOfNet(), time.Now()
	case s.known == nil || !info.ModTime().Equal(s.modified) || info.Size() != s.size:
		s.known, s.modified, s.size = serversOfFile(file), info.ModTime(), info.Size()
	}
	return slices.Clone(s.known)
}

// serversOfFile returns the servers that a resolv.conf names. One that names none means
// this host, as to the C library.
func serversOfFile(file string) []string {
	var servers []string
	if config, err := dns.ClientConfigFromFile(file); err == nil {
		for _, address := range config.Servers {
			if ip, err := netip.ParseAddr(address); err == nil && len(servers) < maxSystemServers {
				servers = append(servers, netip.AddrPortFrom(ip, 53).String())
			}
		}
	}
	if servers == nil {
		servers = []string{"127.0.0.1:53", "[::1]:53"}
	}
	return servers
}

// serversOfNet asks the standard library, which knows where other systems have what
// resolv.conf has, but shows the addresses only to the Dial function that it makes its
// connections with. So one question is asked, and none of its connections is made.
func serversOfNet() []string {
	var servers []string
	var mu sync.Mutex
	r := net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(servers, address) {
			servers = append(servers, address)
		}
		return nil, errors.New("only the address was wanted")
	}}
	// It fails, as it should.
	_, _ = r.LookupTXT(context.Background(), "example.com.")
	return servers
}
