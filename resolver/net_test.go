package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// netOver returns a Net whose every connection goes to one server.
func netOver(server string) Resolver {
	return Net(&net.Resolver{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}})
}

func TestNet(t *testing.T) {
	records := map[Question]string{
		{"example.com", TypeTXT}:            `example.com. 60 TXT "v=spf1 " "-all" "\255"`,
		{"example.com", TypeA}:              "example.com. 60 A 192.0.2.1",
		{"example.com", TypeAAAA}:           "example.com. 60 AAAA 2001:db8::1",
		{"example.com", TypeMX}:             "example.com. 60 MX 10 MX.example.com.",
		{"null.example", TypeMX}:            "null.example. 60 MX 0 .",
		{"bad.example", TypeMX}:             `bad.example. 60 MX 10 a\000b.example.`,
		{"odd.example", TypeMX}:             "odd.example. 60 MX 10 -a+b.example.",
		{"1.2.0.192.in-addr.arpa", TypePTR}: "1.2.0.192.in-addr.arpa. 60 PTR Host.example.com.",
		{"192.0.2.7", TypeA}:                "192.0.2.7. 60 A 192.0.2.8",
		{"192.0.2.7", TypeTXT}:              "192.0.2.7. 60 TXT found",
		{"a.-b.example", TypeTXT}:           "a.-b.example. 60 TXT found",
		{"a-.example", TypeTXT}:             "a-.example. 60 TXT found",
		{"example-", TypeTXT}:               "example-. 60 TXT found",
		{"a+b=c d.example", TypeTXT}:        `a\043b\061c\032d.example. 60 TXT found`,
	}
	r := netOver(serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		q := r.Question[0]
		name, _ := unescapeName(q.Name)
		switch rr := records[Question{name, Type(q.Qtype)}]; {
		case rr != "":
			w.WriteMsg(reply(r, dns.RcodeSuccess, []string{rr}, nil))
		case q.Name == "mixed.example.":
			w.WriteMsg(reply(r, dns.RcodeSuccess, []string{`mixed.example. 60 MX 10 a\000b.example.`, "mixed.example. 60 MX 20 mx.example."}, nil))
		case q.Name == "servfail.example.":
			w.WriteMsg(reply(r, dns.RcodeServerFailure, nil, nil))
		case q.Name == "refused.example.":
			w.WriteMsg(reply(r, dns.RcodeRefused, nil, nil))
		case q.Name == "alias.example.":
			w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"alias.example. 60 CNAME servfail.example."}, nil))
		case q.Name == "empty.example.", q.Name == "-a.example.":
			w.WriteMsg(reply(r, dns.RcodeSuccess, nil, []string{soa}))
		default:
			w.WriteMsg(reply(r, dns.RcodeNameError, nil, []string{soa}))
		}
	}))
	for _, tt := range []struct {
		name string
		q    Question
		want Answer
		err  error
	}{
		{"TXT, octets as they are", Question{"example.com", TypeTXT}, Answer{TXT: []string{"v=spf1 -all\xff"}, TTL: TTLUnknown}, nil},
		{"A", Question{"example.com", TypeA}, Answer{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"AAAA", Question{"example.com", TypeAAAA}, Answer{Addrs: []netip.Addr{netip.MustParseAddr("2001:db8::1")}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"MX in canonical form", Question{"example.com", TypeMX}, Answer{MX: []MX{{10, "mx.example.com"}}, TTL: TTLUnknown}, nil},
		{"the null MX", Question{"null.example", TypeMX}, Answer{MX: []MX{{0, ""}}, TTL: TTLUnknown}, nil},
		{"MX records beside one whose host is no name", Question{"mixed.example", TypeMX}, Answer{MX: []MX{{10, "a\x00b.example"}, {20, "mx.example"}}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"MX whose host is no name", Question{"bad.example", TypeMX}, Answer{MX: []MX{{10, "a\x00b.example"}}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"MX whose host the standard library takes for none", Question{"odd.example", TypeMX}, Answer{MX: []MX{{10, "-a+b.example"}}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"PTR", Question{"1.2.0.192.in-addr.arpa", TypePTR}, Answer{PTR: []string{"host.example.com"}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"an address literal is a name to ask for", Question{"192.0.2.7", TypeA}, Answer{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.8")}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"localhost is not looked up in the hosts file", Question{"localhost", TypeA}, Answer{}, ErrNXDomain},
		{"nor is the address of this host", Question{"1.0.0.127.in-addr.arpa", TypePTR}, Answer{}, ErrNXDomain},
		{"TXT of a name that does not exist", Question{"absent.example", TypeTXT}, Answer{}, ErrNXDomain},
		{"TXT of a name that has none", Question{"empty.example", TypeTXT}, Answer{}, ErrNoData},
		{"MX of a name that has none", Question{"empty.example", TypeMX}, Answer{}, ErrNoData},
		{"TXT of an alias that leads to a name without an answer", Question{"alias.example", TypeTXT}, Answer{}, ErrServFail},
		{"labels that begin with a hyphen", Question{"a.-b.example", TypeTXT}, Answer{TXT: []string{"found"}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"or end with one", Question{"a-.example", TypeTXT}, Answer{TXT: []string{"found"}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"or the name does", Question{"-a.example", TypeMX}, Answer{}, ErrNoData},
		{"or its last label", Question{"example-", TypeTXT}, Answer{TXT: []string{"found"}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"a name without a letter", Question{"192.0.2.7", TypeTXT}, Answer{TXT: []string{"found"}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"a name of other octets", Question{"a+b=c d.example", TypeTXT}, Answer{TXT: []string{"found"}, TTL: time.Minute, Authentic: AuthenticNo}, nil},
		{"SERVFAIL", Question{"servfail.example", TypeTXT}, Answer{}, ErrServFail},
		{"REFUSED", Question{"refused.example", TypeMX}, Answer{}, ErrServFail},
		{"what is no name", Question{"a\x00.example", TypeTXT}, Answer{}, ErrName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Resolve(ctx, tt.q)
			if !errors.Is(err, tt.err) || !equalAnswers(got, tt.want) {
				t.Errorf("%+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
			if errors.Is(err, ErrNotFound) && tt.err != ErrNXDomain && tt.err != ErrNoData {
				t.Errorf("a failure became absence: %v", err)
			}
		})
	}
}

func TestNetNeverAsksForNamesOfTheSearchList(t *testing.T) {
	var mu sync.Mutex
	names := map[string]bool{}
	r := netOver(serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		names[r.Question[0].Name] = true
		w.WriteMsg(reply(r, dns.RcodeNameError, nil, nil))
	}))
	for _, qt := range []Type{TypeA, TypeAAAA, TypeMX, TypePTR, TypeTXT} {
		if _, err := r.Resolve(ctx, Question{"a", qt}); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(names) != 1 || !names["a."] {
		t.Errorf("asked for %v", names)
	}
}

func TestNetEndsWithTheContext(t *testing.T) {
	// Package net reads the system's configuration at its first question, with a channel
	// that must not be made in a bubble.
	refusing := func(context.Context, string, string) (net.Conn, error) { return nil, errNoServer }
	Net(&net.Resolver{PreferGo: true, Dial: refusing}).Resolve(t.Context(), Question{"example.com", TypeMX})
	for _, qt := range []Type{TypeTXT, TypeMX, TypeA} {
		synctest.Test(t, func(t *testing.T) {
			r := Net(&net.Resolver{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if _, err := r.Resolve(ctx, Question{"example.com", qt}); !errors.Is(err, context.Canceled) || !Temporary(err) {
				t.Errorf("%v: %v", qt, err)
			}
		})
	}
}

func TestNetTimeoutIsOne(t *testing.T) {
	r := Net(&net.Resolver{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded }})
	for _, qt := range []Type{TypeTXT, TypeMX, TypeA} {
		if _, err := r.Resolve(ctx, Question{"example.com", qt}); !errors.Is(err, ErrTimeout) || !Temporary(err) {
			t.Errorf("%v: %v", qt, err)
		}
	}
}

func TestNetErrorsOfTheStandardLibraryAreTemporary(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"temporary", &net.DNSError{IsTemporary: true}, ErrServFail},
		{"neither", &net.DNSError{Err: "no such host"}, ErrServFail},
		{"timeout", &net.DNSError{IsTimeout: true}, ErrTimeout},
		{"another error", errors.New("no such host"), ErrServFail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := netError(ctx, txt, tt.err); !errors.Is(err, tt.want) || !Temporary(err) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestNetOfNothingIsTheSystems(t *testing.T) {
	if n := Net(nil).(*netResolver); !n.records.PreferGo {
		t.Errorf("%+v", n)
	}
	if servers := serversOfNet(); len(servers) == 0 || slices.ContainsFunc(servers, func(s string) bool { return !strings.Contains(s, ":") }) {
		t.Errorf("system servers %q", servers)
	}
}

// useDefaultResolver makes every connection of net.DefaultResolver go to one server.
func useDefaultResolver(t *testing.T, server string) {
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		Net(nil).(*netResolver).client.CloseIdleConnections()
	})
}

func TestNetOfNothingKeepsItsConnectionsFromMessageToMessage(t *testing.T) {
	var conns sync.Map
	useDefaultResolver(t, serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if isTCP(w) {
			conns.Store(w.RemoteAddr().String(), true)
		}
		m := reply(r, dns.RcodeSuccess, []string{"example.com. 60 A 192.0.2.1"}, nil)
		m.Truncated = !isTCP(w)
		w.WriteMsg(m)
	}))
	for range 3 {
		message := &Budget{Resolver: Net(nil)}
		if a, err := message.Resolve(ctx, Question{"example.com", TypeA}); err != nil || a.Count() != 1 {
			t.Fatal(a, err)
		}
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("3 messages took %d TCP connections, want 1", n)
	}
}

func TestNetOfNothingIsTheDefaultResolverOfTheMoment(t *testing.T) {
	for _, text := range []string{"before", "after"} {
		useDefaultResolver(t, serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
			w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT " + text}, nil))
		}))
		if a, err := Net(nil).Resolve(ctx, txt); err != nil || !slices.Equal(a.TXT, []string{text}) {
			t.Errorf("%q, %v; want %q", a.TXT, err, text)
		}
	}
}
