package resolver

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// systemReload is how long the system's list of servers is relied on. The standard
// library looks at resolv.conf as often.
const systemReload = 5 * time.Second

// systemServers are the recursive servers that the system is configured with. The
// zero value is ready.
type systemServers struct {
	mu    sync.Mutex
	known []string
	read  time.Time
}

// list returns the servers as host:port, in order. It must not be changed.
func (s *systemServers) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || time.Since(s.read) > systemReload {
		s.known, s.read = readSystemServers(), time.Now()
	}
	return s.known
}

// readSystemServers asks the standard library, which reads resolv.conf, or what
// other systems have in its place, but tells nobody what it read except the Dial
// function that it makes its connections with. So one question is asked, and none
// of its connections made.
func readSystemServers() []string {
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
