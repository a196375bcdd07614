package resolver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/mailverdict/mailverdict/internal/limit"
)

// The defaults of a Client.
const (
	DefaultTimeout = 5 * time.Second
	DefaultTries   = 2
)

// A Client asks recursive servers over the network. The zero Client works: it asks
// the servers that the system is configured with. It is safe for concurrent use and
// must not be copied after first use.
//
// Questions go over UDP, each from a port and with an id of its own, and over TCP
// where the answer does not fit; over TLS where the TLS field is set. What comes
// back is an answer only if id, name, type and class are those of the question; the
// records of the answer are those of that name, or of the name that the CNAMEs in
// the answer lead to.
//
// The server that answered last is asked first. When it cannot be reached, does not
// answer within Timeout, or answers with a failure, the next one is asked. Once
// all have failed, the error is that of the last: an [*Error] that names the server,
// temporary as [Temporary] says.
//
// Every query asks for DNSSEC's verdict (RFC 6840, section 5.7), and answers say
// what the server told of it. That is worth as much as the path to the server: use
// one on this host, or TLS.
//
// The Client remembers nothing but that order and its idle connections; wrap it in
// a [Cache]. It copies its fields when it is asked first.
type Client struct {
	// Servers are addresses, with or without a port ("192.0.2.53", "[::1]:5353").
	// The default port is 53, or 853 with TLS. Empty means the system's servers: those
	// that resolv.conf names, which is read again when it changes. Its search list and
	// the hosts file are never used.
	Servers []string

	// TLS makes every question go over TLS (RFC 7858). Where it has no ServerName,
	// the certificate must be valid for the server's address.
	TLS *tls.Config

	// Timeout is the time that one server has for one try. Zero means DefaultTimeout, a
	// negative number no limit.
	Timeout time.Duration

	// Tries is how often a server that does not answer is asked. Zero means DefaultTries,
	// a negative number no limit: until the context ends. A server that answers with a
	// failure is not asked again.
	Tries int

	// dial makes connections; nil means net.Dialer's.
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	once    sync.Once // copies the fields above
	servers []string  // with ports; nil means the system's
	tls     *tls.Config
	timeout time.Duration
	tries   int

	system    systemServers
	last      atomic.Pointer[string] // server that answered last
	idle      idleConns
	datagrams sync.Pool // of *[maxDatagram]byte, to read into
}

// Resolve asks the servers for q. It implements [Resolver].
func (c *Client) Resolve(ctx context.Context, q Question) (Answer, error) {
	watch := observe(ctx, q)
	o := c.resolve(ctx, q)
	watch.end(o)
	return o.answer, o.err
}

// CloseIdleConnections closes the connections that no question is using. They
// close by themselves a few seconds after their last use.
func (c *Client) CloseIdleConnections() { c.idle.closeAll() }

func (c *Client) resolve(ctx context.Context, q Question) outcome {
	if err := q.check(); err != nil {
		return outcome{err: err}
	}
	c.once.Do(c.begin)
	servers := c.order()
	server, err := "", fmt.Errorf("%w: none is known", ErrUnreachable)
	var soonest time.Time // for the next round
	for range c.tries {
		if len(servers) == 0 || !sleepUntil(ctx, soonest) {
			break
		}
		soonest = time.Now().Add(minRound)
		for _, server = range slices.Clone(servers) {
			var a Answer
			a, err = c.try(ctx, server, q)
			if err == nil || !Temporary(err) {
				c.last.Store(&server)
				return outcome{answer: a, err: named(err, q, server), server: server}
			}
			if ctx.Err() != nil {
				return outcome{err: named(contextError(ctx), q, server)}
			}
			if answered(err) {
				servers = slices.DeleteFunc(servers, func(s string) bool { return s == server })
			}
		}
	}
	return outcome{err: named(err, q, server)}
}

// minRound is the time from asking the servers once to asking them again, which may be
// at once where they cannot be reached.
const minRound = 50 * time.Millisecond

// sleepUntil returns at a time, or when ctx ends, which it reports by false.
func sleepUntil(ctx context.Context, t time.Time) bool {
	left := time.Until(t)
	if left <= 0 {
		return true
	}
	select {
	case <-time.After(left):
		return true
	case <-ctx.Done():
		return false
	}
}

// answered reports whether err is what a server answered, which asking it again at once
// would not change.
func answered(err error) bool {
	return errors.Is(err, ErrServFail) || errors.Is(err, ErrRefused) || errors.Is(err, ErrFormat)
}

// named returns err as an *Error that names question and server.
func named(err error, q Question, server string) error {
	if err == nil {
		return nil
	}
	failure, ok := errors.AsType[*Error](err)
	if !ok {
		failure = &Error{Err: err}
	}
	failure.Question, failure.Server = q, server
	return failure
}

// begin copies the fields, so that a change of them does not reach questions under way.
func (c *Client) begin() {
	c.tls = c.TLS
	c.timeout, c.tries = limit.Of(c.Timeout, DefaultTimeout), limit.Of(c.Tries, DefaultTries)
	port := "53"
	if c.tls != nil {
		port = "853"
	}
	for _, s := range c.Servers {
		if _, _, err := net.SplitHostPort(s); err != nil {
			s = net.JoinHostPort(s, port)
		}
		c.servers = append(c.servers, s)
	}
}

// order returns the addresses to ask, in order.
func (c *Client) order() []string {
	servers := slices.Clone(c.servers)
	if servers == nil {
		servers = c.system.list(c.tls != nil)
	}
	if last := c.last.Load(); last != nil {
		if i := slices.Index(servers, *last); i > 0 {
			copy(servers[1:], servers[:i])
			servers[0] = *last
		}
	}
	return servers
}

// try asks one server once: for q, and then for the name that an alias leads to where
// the server has said nothing about that.
func (c *Client) try(ctx context.Context, server string, q Question) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	via := noAlias
	for range maxAliases {
		m, err := c.exchange(ctx, server, q)
		if err != nil {
			return Answer{}, err
		}
		a, err := readResponse(m, q, via)
		open, ok := errors.AsType[*openAlias](err)
		if !ok {
			return a, err
		}
		q.Name, via = open.name, open.path
	}
	return Answer{}, errAliases
}

// exchange sends a query for q and returns the response.
func (c *Client) exchange(ctx context.Context, server string, q Question) (*dns.Msg, error) {
	query, id, err := newQuery(q)
	if err != nil {
		return nil, err
	}
	if c.tls == nil {
		m, err := c.exchangeUDP(ctx, server, query, id, q)
		if !errors.Is(err, errTruncated) {
			return m, err
		}
	}
	return c.exchangeStream(ctx, server, query, id, q)
}

// udpSize is the size of datagram that is safe from fragmentation everywhere: the
// consensus of DNS Flag Day 2020.
const udpSize = 1232

// newQuery returns the query for q with a random id.
func newQuery(q Question) (wire []byte, id uint16, err error) {
	var m dns.Msg
	m.SetQuestion(escapeName(q.Name)+".", uint16(q.Type)) // draws the id from crypto/rand
	m.AuthenticatedData = true
	m.SetEdns0(udpSize, false)
	wire, err = m.Pack()
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrName, err)
	}
	return wire, m.Id, nil
}

func (c *Client) connect(ctx context.Context, network, server string) (net.Conn, error) {
	dial := c.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, server)
	if err != nil || network == "udp" || c.tls == nil {
		return conn, err
	}
	config := c.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, err = net.SplitHostPort(server)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}
