package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// A clientKind is how the configuration knows a client.
type clientKind string

const (
	clientOther         clientKind = "other"
	clientLocal         clientKind = "local"
	clientTrusted       clientKind = "trusted"
	clientAuthenticated clientKind = "authenticated"
)

// A clientSet is a list of networks and names of hosts.
type clientSet struct {
	networks []netip.Prefix
	names    []string // lower case; one that begins with a dot stands for all names below it
}

// parseClients reads addresses, networks and, where names are allowed, names of hosts.
func parseClients(list []string, names bool) (s clientSet, err error) {
	for _, text := range list {
		if p, err := netip.ParsePrefix(text); err == nil {
			s.networks = append(s.networks, p.Masked())
			continue
		}
		if a, err := netip.ParseAddr(text); err == nil {
			a = a.Unmap()
			s.networks = append(s.networks, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		if !names || !isHostName(strings.TrimPrefix(text, ".")) {
			return s, fmt.Errorf("%q is no address, network or name", text)
		}
		s.names = append(s.names, strings.ToLower(text))
	}
	return s, nil
}

// isHostName reports whether text can be a name and is not a mistyped address.
func isHostName(text string) bool {
	return text != "" && checkID(text) == nil && strings.Trim(text, "0123456789.") != ""
}

// has reports whether the client is one of the set: by its address, or by the name that the
// MTA has confirmed.
func (s clientSet) has(ip netip.Addr, name string) bool {
	for _, p := range s.networks {
		if p.Contains(ip) {
			return true
		}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, n := range s.names {
		if name == n || n[0] == '.' && strings.HasSuffix(name, n) {
			return true
		}
	}
	return false
}

// An addressSet is a list of mail addresses: "user@domain", "user@" or "@domain".
type addressSet map[string]bool

func parseAddresses(list []string) (addressSet, error) {
	s := addressSet{}
	for _, text := range list {
		if at := strings.LastIndexByte(text, '@'); at < 0 || text == "@" {
			return nil, fmt.Errorf("%q is none of user@domain, user@ and @domain", text)
		}
		s[strings.ToLower(text)] = true
	}
	return s, nil
}

// has reports whether the address is one of the set. An address without a domain is that of a
// user of this host (RFC 5321, section 4.5.1: RCPT TO:<Postmaster>).
func (s addressSet) has(address string) bool {
	address = strings.ToLower(address)
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return s[address+"@"]
	}
	return s[address] || s[address[:at+1]] || s[address[at:]]
}
