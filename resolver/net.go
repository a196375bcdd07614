package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/mailverdict/mailverdict/internal/domain"
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
// DNS client, whatever r.PreferGo says. A [Client] that dials with r.Dial asks the others,
// and those that the standard library would refuse: for names that have a label which
// begins or ends with "-", no letter, or an octet other than letters, digits, "-" and "_".
// What the standard library does not find is asked by the Client too, which alone can tell
// a name that does not exist from one that has no such record.
//
// What the standard library does not tell of TXT and MX:
//
//   - for how long it holds: TTL is TTLUnknown, and a [Cache] keeps it for its MinTTL.
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
	client  Client        // for what records would refuse, or look up in the hosts file
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
	if q.Type != TypeTXT && q.Type != TypeMX || !isHostName(q.Name) {
		return n.client.resolve(ctx, q)
	}
	a, err := n.lookup(ctx, q)
	if errors.Is(err, errNotListed) {
		return n.client.resolve(ctx, q)
	}
	if err != nil {
		return outcome{err: netError(ctx, q, err)}
	}
	return outcome{answer: a}
}

// isHostName reports whether the standard library asks for a name, rather than say unasked
// that it does not exist: letters, digits, "-" and "_", a letter at least, and no label
// that begins or ends with "-".
func isHostName(name string) bool {
	return domain.IsCanonical(name) && strings.ContainsFunc(name, func(c rune) bool { return 'a' <= c && c <= 'z' }) &&
		name[0] != '-' && name[len(name)-1] != '-' && !strings.Contains(name, ".-") && !strings.Contains(name, "-.")
}

// errNotListed means that the standard library found nothing, which may be because there
// is no such name, no such record, or an alias that leads to neither.
var errNotListed = errors.New("not found by the standard library")

// lookup asks the standard library.
func (n *netResolver) lookup(ctx context.Context, q Question) (a Answer, err error) {
	name := q.Name + "." // absolute: without the dot, the search list applies
	if q.Type == TypeTXT {
		a.TXT, err = n.records.LookupTXT(ctx, name)
	} else {
		a.MX, err = n.lookupMX(ctx, name)
	}
	if failure, ok := errors.AsType[*net.DNSError](err); ok && failure.IsNotFound || err == nil && a.Count() == 0 {
		return Answer{}, errNotListed
	}
	if err != nil {
		return Answer{}, err
	}
	a.TTL = TTLUnknown
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
		if host, ok := unescapeName(r.Host); ok {
			mx = append(mx, MX{Preference: r.Pref, Host: host})
		}
	}
	return mx, nil
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
	case errors.Is(err, ErrMalformed):
		failure.Err = err
	case ok && dnsErr.IsTimeout:
		failure.Err = fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return failure
}
