package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strings"
)

// warnings returns what is allowed in a configuration and often is a mistake on this host: for -check.
func (c *config) warnings() (list []string) {
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	const chroot = "/var/spool/postfix/"
	_, err := os.Stat(chroot)
	for _, l := range c.listeners("") {
		network, address, _ := splitAddress(l.Listen)
		switch {
		case network == "unix" && err == nil && !strings.HasPrefix(address, chroot):
			warn("listen: %s is not below %s: an smtpd in a chroot, as Debian has it, does not find it", address, chroot)
		case network == "tcp" && !isLoopback(address):
			warn("listen: %s can be reached by others: the protocol knows no passwords", address)
		}
	}
	if c.SocketGroup != "" {
		if _, err := user.LookupGroup(c.SocketGroup); err != nil {
			warn("socket_group: this host has no group %q", c.SocketGroup)
		}
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"local_clients", c.LocalClients}, {"trusted_clients", c.TrustedClients}, {"gateways", c.Gateways}} {
		for _, text := range l.list {
			if p, err := netip.ParsePrefix(text); err == nil && p.Bits() == 0 {
				warn("%s: %s is everybody", l.key, text)
			}
		}
	}
	if c.Store != "" && len(c.StoreExclude) == 0 {
		warn("store_exclude is empty: list the addresses that reports for you come to, or reports about reports may never end")
	}
	return list
}

func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
