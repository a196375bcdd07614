package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Net returns a Resolver over the standard library's, with its Dial and the servers
// that the system is configured with. Nil means net.DefaultResolver, whatever that is
// when a question is asked.
//
// Every Net(nil) is the same Resolver, as http.DefaultTransport is every http.Client's.
// What a [Client] remembers, which is what server answered last and the connections of
// the last few seconds, so outlives the message that it was learnt with. No answer is
// remembered.
//
// Only DNS is asked, and only for the name as it stands: never the hosts file, which
// the standard library would read for addresses and address literals, and never the
// search list. For that, A, AAAA and PTR questions are put as by a [Client] that
// dials with r.Dial, while TXT and MX go to the standard library's own DNS client,
// whatever r.PreferGo says.
//
// What the standard library does not tell of TXT and MX:
//
//   - whether a name that is not found does not exist or has no such record: the
//     error is ErrNotFound, neither ErrNXDomain nor ErrNoData. Who needs to know,
//     such as the test for non-existent domains of RFC 9989, asks for other types
//     too.
//   - for how long it holds: TTL is zero, and a [Cache] keeps it for its MinTTL.
//   - whether DNSSEC vouches for it: Authentic is AuthenticUnknown, and so is what
//     is derived from it.
//   - which failure it was: it is ErrTimeout, or else ErrServFail.
//   - that an MX names a host that is no name at all: the rest of the MX records
//     are the answer, or ErrMalformed where there are no others.
//
// A busy receiver wants a Client within a Cache.
func Net(r *net.Resolver) Resolver {
	if r == nil {
		return systemNet()
	}
	return newNet(r.Dial)
}

// systemNet returns the one Net(nil). It remembers connections and no more: nothing
// that one who asks could do shows in what another is answered.
var systemNet = sync.OnceValue(func() *netResolver {
	return newNet(func(ctx context.Context, network, address string) (net.Conn, error) {
		dial := net.DefaultResolver.Dial
		if dial == nil {
			dial = new(net.Dialer).DialContext
		}
		return dial(ctx, network, address)
	})
})

// newNet returns a Resolver that makes its connections with dial; nil means
// net.Dialer's. The StrictErrors of a net.Resolver are about questions that are put
// for several names or types at once, which none is here.
func newNet(dial func(ctx context.Context, network, address string) (net.Conn, error)) *netResolver {
	return &netResolver{
		records: &net.Resolver{PreferGo: true, Dial: dial},
		client:  Client{dial: dial},
	}
}

type netResolver struct {
	records *net.Resolver // for TXT and MX
	client  Client        // for what records would look up in the hosts file
}

func (n *netResolver) Resolve(ctx context.Context, q Question) (Answer, error) {
	if q.Type != TypeTXT && q.Type != TypeMX {
		return n.client.Resolve(ctx, q)
	}
	o := observe(ctx, q)
	a, err := n.resolve(ctx, q)
	o.end(a, err, Event{})
	return a, err
}

func (n *netResolver) resolve(ctx context.Context, q Question) (a Answer, err error) {
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	name := q.Name + "." // absolute: without the dot, the search list applies
	if q.Type == TypeTXT {
		a.TXT, err = n.records.LookupTXT(ctx, name)
	} else {
		a.MX, err = n.lookupMX(ctx, name)
	}
	if err == nil && a.Count() == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Answer{}, netError(ctx, q, err)
	}
	return a, nil
}

func (n *netResolver) lookupMX(ctx context.Context, name string) ([]MX, error) {
	records, err := n.records.LookupMX(ctx, name)
	if err != nil && records == nil {
		return nil, err
	}
	// An error beside records says that some of them were dropped, since their
	// hosts are no names. Mail could not go there, nor an address be looked up.
	if len(records) == 0 && err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	mx := make([]MX, 0, len(records))
	for _, r := range records {
		mx = append(mx, MX{Preference: r.Pref, Host: canonicalTarget(r.Host)})
	}
	return mx, nil
}

// netError puts an error of the standard library in the package's terms. Only one
// that it calls "not found" is absence.
func netError(ctx context.Context, q Question, err error) error {
	failure := &Error{Question: q, Err: fmt.Errorf("%w: %w", ErrServFail, err)}
	dnsErr, ok := errors.AsType[*net.DNSError](err)
	if ok {
		failure.Server = dnsErr.Server
	}
	switch {
	case ctx.Err() != nil:
		failure.Err = contextError(ctx)
	case errors.Is(err, ErrNotFound) || ok && dnsErr.IsNotFound:
		failure.Err = ErrNotFound
	case errors.Is(err, ErrMalformed):
		failure.Err = err
	case ok && dnsErr.IsTimeout:
		failure.Err = fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return failure
}
