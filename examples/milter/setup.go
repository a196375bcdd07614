package main

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A setup is a configuration made ready. A message keeps the one that it began with.
type setup struct {
	*config
	verifier *dmarc.Verifier
	dns      resolver.Resolver
	ids      map[string]string // the authserv-id of each listener, by its address in the configuration

	local, trusted, gateways clientSet
	recipients, senders      addressSet
}

// newSetup makes a configuration ready. The memory for DNS answers is that of old, where old has the same.
func newSetup(c *config, host string, old *setup, m *metrics) (*setup, error) {
	s := &setup{config: c, ids: map[string]string{}}
	for _, l := range c.listeners(host) {
		s.ids[l.Listen] = l.AuthservID
	}
	var err error
	for _, l := range []struct {
		set  *clientSet
		from []string
	}{{&s.local, c.LocalClients}, {&s.trusted, c.TrustedClients}, {&s.gateways, c.Gateways}} {
		if *l.set, err = parseClients(l.from, true); err != nil {
			return nil, err
		}
	}
	if s.recipients, err = parseAddresses(append([]string{"postmaster@"}, c.ExemptRecipients...)); err != nil {
		return nil, err
	}
	if s.senders, err = parseAddresses(c.ExemptSenders); err != nil {
		return nil, err
	}
	if old != nil && old.zone == nil && c.zone == nil && slices.Equal(old.DNSServers, c.DNSServers) && old.DNSCache == c.DNSCache {
		s.dns = old.dns
	} else {
		s.dns = newDNS(c, m)
	}
	s.verifier = &dmarc.Verifier{
		Resolver:        s.dns,
		SPF:             spf.Options{Receiver: host},
		TrustedSealers:  c.TrustedSealers,
		KnownForwarders: c.KnownForwarders,
		Time:            c.DNSTime,
		InvalidAuthor:   dmarc.InvalidAuthorReject,
		TempError:       dmarc.TempErrorByPolicy,
	}
	switch c.Reject {
	case "never":
		s.verifier.Reject = dmarc.RejectNever
		s.verifier.InvalidAuthor = dmarc.InvalidAuthorQuarantine
	case "unless-indirect":
		s.verifier.Reject = dmarc.RejectUnlessIndirect
	}
	if c.TempError == "accept" {
		s.verifier.TempError = dmarc.TempErrorAccept
	}
	return s, nil
}

// newDNS returns a cache over the configured servers, or over the zone, that counts what it is asked, and
// what it asks.
func newDNS(c *config, m *metrics) resolver.Resolver {
	var answers resolver.Resolver = &resolver.Client{Servers: c.DNSServers}
	if c.zone != nil {
		answers = c.zone
	}
	asked := resolver.Wrap(answers, func(_ context.Context, _ resolver.Question, _ resolver.Answer, err error) {
		m.dnsAsked.WithLabelValues(dnsOutcome(err)).Inc()
	})
	cache := &resolver.Cache{Resolver: asked, MaxBytes: c.DNSCache << 20}
	return resolver.Wrap(cache, func(ctx context.Context, _ resolver.Question, _ resolver.Answer, err error) {
		m.dnsQuestions.Inc()
		if n, ok := ctx.Value(questionsKey{}).(*atomic.Int64); ok {
			n.Add(1)
		}
	})
}

// questionsKey is the key of a context for the counter of the questions of one message.
type questionsKey struct{}

// authservID returns the authserv-id of a listener, which was opened with another configuration perhaps.
func (s *setup) authservID(opened listenerConfig) string {
	if id, ok := s.ids[opened.Listen]; ok {
		return id
	}
	return opened.AuthservID
}

// isGateway reports whether a client hands on mail of others.
func (s *setup) isGateway(c client) bool { return !c.authenticated && s.gateways.has(c.ip, "") }

// kind says how the configuration knows a client.
func (s *setup) kind(c client) clientKind {
	switch {
	case c.authenticated:
		return clientAuthenticated
	case c.unix || s.local.has(c.ip, c.name):
		return clientLocal
	case s.trusted.has(c.ip, c.name):
		return clientTrusted
	default:
		return clientOther
	}
}

// word returns what the configuration says of a kind of clients: "skip", "mark" or "enforce".
func (s *setup) word(k clientKind) string {
	switch k {
	case clientAuthenticated:
		return s.Authenticated
	case clientLocal:
		return s.Local
	case clientTrusted:
		return s.Trusted
	default:
		return "enforce"
	}
}
