package compare

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/resolver"
)

// A peerDNS answers the questions of the other libraries from a zone, as
// *net.Resolver would. For TXT records, which are all that the benchmarks ask for, it
// asks the zone itself, so that DNS costs both sides the same. The others are laid out
// beforehand.
type peerDNS struct {
	zone  resolver.Resolver
	mx    map[string][]*net.MX
	addrs map[string][]net.IPAddr
	names map[string][]string // by address

	temporary map[string]bool // names whose questions fail
}

var (
	errPeerNotFound  = &net.DNSError{Err: "no such host", IsNotFound: true}
	errPeerTemporary = &net.DNSError{Err: "server misbehaving", IsTemporary: true}
)

func newPeerDNS(zone resolver.Zone) *peerDNS {
	d := &peerDNS{
		zone: zone, mx: map[string][]*net.MX{}, addrs: map[string][]net.IPAddr{}, names: map[string][]string{},
		temporary: map[string]bool{},
	}
	for name, records := range zone {
		if records.Fault.Err != nil {
			d.temporary[name] = true
			if strings.HasSuffix(name, ".arpa") {
				d.temporary[reversed(name)] = true
			}
		}
		for _, mx := range records.MX {
			preference, host, _ := strings.Cut(mx, " ")
			n, _ := strconv.Atoi(preference)
			d.mx[name] = append(d.mx[name], &net.MX{Host: host + ".", Pref: uint16(n)})
		}
		for _, addr := range append(append([]string{}, records.A...), records.AAAA...) {
			d.addrs[name] = append(d.addrs[name], net.IPAddr{IP: net.ParseIP(addr)})
		}
		for _, target := range records.PTR {
			addr := reversed(name)
			d.names[addr] = append(d.names[addr], target+".")
		}
	}
	return d
}

// reversed returns the address that a name below in-addr.arpa or ip6.arpa stands for.
func reversed(name string) string {
	labels := strings.Split(name, ".")
	labels = labels[:len(labels)-2]
	var b strings.Builder
	for i := len(labels) - 1; i >= 0; i-- {
		b.WriteString(labels[i])
		switch {
		case i == 0:
		case len(labels) == 4:
			b.WriteByte('.')
		case i%4 == 0:
			b.WriteByte(':')
		}
	}
	return netip.MustParseAddr(b.String()).String()
}

func peerName(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

func peerAnswer[T any](d *peerDNS, records map[string][]T, name string) ([]T, error) {
	if d.temporary[name] {
		return nil, errPeerTemporary
	}
	if found := records[name]; len(found) > 0 {
		return found, nil
	}
	return nil, errPeerNotFound
}

func (d *peerDNS) LookupTXT(ctx context.Context, name string) ([]string, error) {
	answer, err := d.zone.Resolve(ctx, resolver.Question{Name: peerName(name), Type: resolver.TypeTXT})
	switch {
	case err == nil:
		return answer.TXT, nil
	case resolver.Temporary(err):
		return nil, errPeerTemporary
	}
	return nil, errPeerNotFound
}

func (d *peerDNS) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return peerAnswer(d, d.mx, peerName(name))
}

func (d *peerDNS) LookupIPAddr(_ context.Context, host string) ([]net.IPAddr, error) {
	return peerAnswer(d, d.addrs, peerName(host))
}

func (d *peerDNS) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return peerAnswer(d, d.names, addr)
}

// text is LookupTXT for go-msgauth.
func (d *peerDNS) text(name string) ([]string, error) {
	return d.LookupTXT(context.Background(), name)
}
