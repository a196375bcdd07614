package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// A checker collects what is wrong with the values of a configuration, in the order of its keys.
type checker struct{ wrong []error }

// check returns all that is wrong with the values of a configuration.
func (c *config) check() []error {
	var k checker
	k.listeners(c)
	k.words(c)
	k.fields(c)
	k.lists(c)
	k.limits(c)
	k.dns(c)
	k.store(c)
	return k.wrong
}

// bad takes an error of the value of a key, if there is one.
func (k *checker) bad(key string, err error) {
	if err != nil {
		k.wrong = append(k.wrong, fmt.Errorf("%s: %w", key, err))
	}
}

// oneOf takes a value that has to be one of some words.
func (k *checker) oneOf(key, value string, words ...string) {
	if !slices.Contains(words, value) {
		k.wrong = append(k.wrong, fmt.Errorf("%s = %q: want one of %s", key, value, strings.Join(words, ", ")))
	}
}

// each takes the entries of a list.
func (k *checker) each(key string, list []string, check func(string) error) {
	for _, entry := range list {
		k.bad(key, check(entry))
	}
}

func (k *checker) listeners(c *config) {
	if len(c.Listen)+len(c.Listener) == 0 {
		k.bad("listen", errors.New("no address to listen on"))
	}
	seen := map[string]bool{}
	for _, l := range c.listeners("") {
		_, address, err := splitAddress(l.Listen)
		k.bad("listen", err)
		if seen[l.Listen] {
			k.bad("listen", fmt.Errorf("%q stands there twice", l.Listen))
		}
		if strings.HasPrefix(address, "/") && len(address) > maxSocketPath {
			k.bad("listen", fmt.Errorf("%q: the path of a socket has at most %d octets", l.Listen, maxSocketPath))
		}
		seen[l.Listen] = true
	}
	k.bad("authserv_id", checkID(c.AuthservID))
	for _, l := range c.Listener {
		k.bad("authserv_id", checkID(l.AuthservID))
	}
	_, err := c.socketMode()
	k.bad("socket_mode", err)
}

// maxSocketPath is how long the path of a socket may be: unix(7).
const maxSocketPath = 107

func (k *checker) words(c *config) {
	k.oneOf("reject", c.Reject, "never", "unless-indirect", "always")
	k.oneOf("temperror", c.TempError, "tempfail", "accept")
	k.oneOf("failure", c.Failure, "tempfail", "accept")
	k.oneOf("authenticated", c.Authenticated, "skip", "mark", "enforce")
	k.oneOf("local", c.Local, "skip", "mark", "enforce")
	k.oneOf("trusted", c.Trusted, "skip", "mark", "enforce")
	k.oneOf("log", c.Log, "json", "text")
}

func (k *checker) fields(c *config) {
	if !printable(c.RejectText) || len(c.RejectText) > 300 {
		k.bad("reject_text", errors.New("want at most 300 printable ASCII characters"))
	}
	switch {
	case !isFieldName(c.MarkField):
		k.bad("mark_field", fmt.Errorf("%q is not the name of a field", c.MarkField))
	case reserved(c.MarkField):
		k.bad("mark_field", fmt.Errorf("%q is a field of messages: fields of that name are removed", c.MarkField))
	}
	k.bad("shadow", checkID(c.Shadow))
}

func (k *checker) lists(c *config) {
	for _, l := range []struct {
		key   string
		list  []string
		names bool
	}{
		{"local_clients", c.LocalClients, true}, {"trusted_clients", c.TrustedClients, true}, {"gateways", c.Gateways, false},
		{"known_forwarders", c.KnownForwarders, true},
	} {
		_, err := parseClients(l.list, l.names)
		k.bad(l.key, err)
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"exempt_recipients", c.ExemptRecipients}, {"exempt_senders", c.ExemptSenders}} {
		_, err := parseAddresses(l.list)
		k.bad(l.key, err)
	}
	k.each("trusted_sealers", c.TrustedSealers, func(s string) error {
		name, id, hasID := strings.Cut(s, "=")
		if !isHostName(strings.TrimPrefix(name, ".")) || hasID && (id == "" || checkID(id) != nil) {
			return fmt.Errorf("%q is none of example.com, .example.com and example.com=AUTHSERV-ID", s)
		}
		return nil
	})
	k.each("store_exclude", c.StoreExclude, func(s string) error {
		if local, host, ok := strings.Cut(s, "@"); !ok && !isHostName(s) || ok && (local == "" || !isHostName(host)) {
			return fmt.Errorf("%q is neither a domain nor an address", s)
		}
		return nil
	})
}

func (k *checker) limits(c *config) {
	for _, l := range []struct {
		key  string
		time time.Duration
	}{{"dns_time", c.DNSTime}, {"idle_timeout", c.IdleTimeout}, {"drain_timeout", c.DrainTimeout}, {"store_interval", c.StoreInterval}} {
		switch {
		case l.time <= 0:
			k.bad(l.key, errors.New("want more than no time"))
		case l.time < time.Millisecond: // TOML's numbers have no unit, and would be nanoseconds
			k.bad(l.key, errors.New(`want at least 1ms, in quotes and with its unit, such as "20s"`))
		}
	}
	if c.DNSTime > 4*time.Minute {
		k.bad("dns_time", errors.New("want at most 4m: Postfix waits 300 seconds for the end of a message"))
	}
	if c.MaxConnections < 1 {
		k.bad("max_connections", errors.New("want at least 1"))
	}
}

func (k *checker) dns(c *config) {
	k.each("dns_servers", c.DNSServers, func(s string) error {
		if _, err := netip.ParseAddrPort(s); err == nil {
			return nil
		}
		if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
			return nil
		}
		return fmt.Errorf("%q is no address such as 127.0.0.1, 127.0.0.1:5353 or [::1]:53", s)
	})
	if c.DNSCache < 1 || c.DNSCache > 1<<16 {
		k.bad("dns_cache", errors.New("want 1 to 65536 MiB"))
	}
}

func (k *checker) store(c *config) {
	if c.Store != "" {
		db, _, err := database.Open(c.Store)
		k.bad("store", err)
		if err == nil {
			_ = db.Close()
		}
	}
	if c.Metrics != "" {
		if _, port, err := net.SplitHostPort(c.Metrics); err != nil || !isPort(port) {
			k.bad("metrics", fmt.Errorf("%q is no address such as 127.0.0.1:9101", c.Metrics))
		}
	}
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// checkID reports what is wrong with an authserv-id. Empty stands for the name of the host.
func checkID(id string) error {
	if strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.' && r != '-' && r != '_'
	}) {
		return fmt.Errorf("%q is no host name", id)
	}
	return nil
}

// isFieldName reports whether name can name a header field: RFC 5322, section 3.6.8. Empty can, and stands for none.
func isFieldName(name string) bool {
	return printable(name) && !strings.ContainsAny(name, " :")
}

// reserved reports whether messages need fields of this name.
func reserved(name string) bool {
	switch n := textproto.CanonicalMIMEHeaderKey(name); n {
	case "From", "To", "Cc", "Bcc", "Subject", "Date", "Sender", "Reply-To", "Message-Id", "Received",
		"Return-Path", "Dkim-Signature", "Authentication-Results", "Received-Spf":
		return true
	default:
		return strings.HasPrefix(n, "Content-") || strings.HasPrefix(n, "Arc-") || n == "Mime-Version"
	}
}
