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
// search list. For that, only questions for TXT and MX go to the standard library's own
// DNS client, whatever r.PreferGo says. A [Client] that dials with r.Dial asks the others.
// It also asks what the standard library says is not found, or has hosts that it takes for
// no names: that may be because a label begins or ends with "-" or has an octet other than
// letters, digits, "-" and "_", and only the Client can tell a name that does not exist from
// one that has no such record.
//
// What the standard library does not tell of the TXT and MX records that it finds:
//
//   - for how long they hold: TTL is TTLUnknown, and a [Cache] keeps it for its MinTTL.
//   - whether DNSSEC vouches for them: Authentic is AuthenticUnknown, and so is what
//     is derived from it.
//   - which failure it was if there is no answer: it is ErrTimeout, or else ErrServFail.
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
	client  Client        // for the rest, and where records is inconclusive
}

func (n *netResolver) Resolve(ctx context.Context, q Question) (Answer, error) {
	watch := observe(ctx, q)
	o := n.resolve(ctx, q)
	watch.end(o)
	return o.answer, o.err
}

func (n *netResolver) resolve(ctx context.Context, q Question) outcome {
	if err := q.check(); err != nil {
		return outcome{err: err}
	}
	if q.Type != TypeTXT && q.Type != TypeMX {
		return n.client.resolve(ctx, q)
	}
	a, err := n.lookup(ctx, q)
	switch {
	case errors.Is(err, errInconclusive):
		return n.client.resolve(ctx, q)
	case err != nil:
		return outcome{err: netError(ctx, q, err)}
	}
	return outcome{answer: a}
}

// errInconclusive means that the standard library has not found all that there may be.
var errInconclusive = errors.New("inconclusive")

// lookup asks the standard library.
func (n *netResolver) lookup(ctx context.Context, q Question) (Answer, error) {
	a := Answer{TTL: TTLUnknown}
	name := q.Name + "." // absolute: without the dot, the search list applies
	var err error
	if q.Type == TypeTXT {
		a.TXT, err = n.records.LookupTXT(ctx, name)
	} else {
		a.MX, err = n.lookupMX(ctx, name)
	}
	failure, ok := errors.AsType[*net.DNSError](err)
	if ok && failure.IsNotFound || err == nil && a.Count() == 0 {
		return Answer{}, errInconclusive
	}
	return a, err
}

func (n *netResolver) lookupMX(ctx context.Context, name string) ([]MX, error) {
	records, err := n.records.LookupMX(ctx, name)
	if err != nil && records != nil {
		return nil, errInconclusive // records were left out
	}
	var mx []MX
	for _, r := range records {
		mx = append(mx, MX{Preference: r.Pref, Host: canonicalTarget(r.Host)})
	}
	return mx, err
}

// netError puts an error of the standard library in the package's terms. All of them are
// temporary.
func netError(ctx context.Context, q Question, err error) error {
	failure := &Error{Question: q, Err: fmt.Errorf("%w: %w", ErrServFail, err)}
	dnsErr, ok := errors.AsType[*net.DNSError](err)
	if ok {
		failure.Server = dnsErr.Server
	}
	switch {
	case ctx.Err() != nil:
		failure.Err = contextError(ctx)
	case ok && dnsErr.IsTimeout:
		failure.Err = fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return failure
}
