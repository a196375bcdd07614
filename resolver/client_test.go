package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

func TestClientAsksTheNextServer(t *testing.T) {
	good := answering("example.com. 60 TXT x")
	for _, tt := range []struct {
		name  string
		first func(string, *dns.Msg) [][]byte
		after time.Duration
	}{
		{"when the first is down", nil, 0},
		{"when the first is silent", silent, DefaultTimeout},
		{"when the first fails", failing(dns.RcodeServerFailure), 0},
		{"when the first refuses", failing(dns.RcodeRefused), 0},
		{"when the first does not understand", failing(dns.RcodeFormatError), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := network{"a:53": tt.first, "b:53": good}
				if tt.first == nil {
					delete(n, "a:53")
				}
				c := &Client{Servers: []string{"a", "b:53"}, dial: n.dial}
				start := time.Now()
				for range 2 { // the second question goes to the server that answered
					a, err := c.Resolve(t.Context(), txt)
					if err != nil || a.Count() != 1 || time.Since(start) != tt.after {
						t.Fatalf("%+v, %v after %v; want an answer after %v", a, err, time.Since(start), tt.after)
					}
				}
			})
		})
	}
}

func TestClientAsksAServerAgainThatWasDownAndIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network{}
		c := &Client{Servers: []string{"a"}, dial: n.dial}
		if _, err := c.Resolve(t.Context(), txt); !errors.Is(err, ErrUnreachable) || !errors.Is(err, errNoServer) {
			t.Errorf("%v, want %v", err, ErrUnreachable)
		}
		n["a:53"] = answering("example.com. 60 TXT x")
		if _, err := c.Resolve(t.Context(), txt); err != nil {
			t.Error(err)
		}
	})
}

func TestClientWithoutALimitOnTriesAsksUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		c := &Client{Servers: []string{"a"}, Tries: -1, dial: func(context.Context, string, string) (net.Conn, error) {
			tried++
			return nil, errNoServer
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Resolve(ctx, txt); !Temporary(err) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if want := int(time.Second / minRound); tried < want || tried > want+1 {
			t.Errorf("tried %d times in a second, want %d", tried, want)
		}
	})
}

func TestClientDoesNotAskTheNextServerAfterAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network{"a:53": failing(dns.RcodeNameError), "b:53": func(string, *dns.Msg) [][]byte {
			t.Error("the second server was asked")
			return nil
		}}
		c := &Client{Servers: []string{"a", "b"}, dial: n.dial}
		if _, err := c.Resolve(t.Context(), txt); !errors.Is(err, ErrNXDomain) {
			t.Error(err)
		}
	})
}

func TestClientAsksASilentServerTwiceAndAFailingOneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked := map[string]int{}
		count := func(name string, f func(string, *dns.Msg) [][]byte) func(string, *dns.Msg) [][]byte {
			return func(p string, m *dns.Msg) [][]byte {
				mu.Lock()
				defer mu.Unlock()
				asked[name]++
				return f(p, m)
			}
		}
		n := network{"a:53": count("a", failing(dns.RcodeServerFailure)), "b:53": count("b", silent)}
		c := &Client{Servers: []string{"a", "b"}, dial: n.dial}
		start := time.Now()
		_, err := c.Resolve(t.Context(), txt)
		if !errors.Is(err, ErrTimeout) || !Temporary(err) || time.Since(start) != 2*DefaultTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if failure, ok := errors.AsType[*Error](err); !ok || failure.Server != "b:53" || failure.Question != txt {
			t.Errorf("error %v does not name server and question", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if asked["a"] != 1 || asked["b"] != 2 {
			t.Errorf("asked %v", asked)
		}
	})
}

func TestClientLeavesNothingBehindWhenTheContextEnds(t *testing.T) {
	stall := func(protocol string, m *dns.Msg) [][]byte {
		if protocol == "tcp" {
			return nil
		}
		r := reply(m, dns.RcodeSuccess, nil, nil)
		r.Truncated = true
		return pack(r)
	}
	for name, server := range map[string]func(string, *dns.Msg) [][]byte{"waiting for a datagram": silent, "waiting for TCP": stall} {
		for _, cancelled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, cancelled: %v", name, cancelled), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &Client{Servers: []string{"a", "b"}, dial: network{"a:53": server, "b:53": server}.dial}
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					want := ErrTimeout
					if cancelled {
						want = context.Canceled
						time.AfterFunc(time.Second, cancel)
						ctx = context.WithoutCancel(ctx)
						ctx, cancel = context.WithCancel(ctx)
						defer cancel()
						time.AfterFunc(time.Second, cancel)
					}
					start := time.Now()
					_, err := c.Resolve(ctx, txt)
					if !errors.Is(err, want) || time.Since(start) != time.Second {
						t.Errorf("%v after %v", err, time.Since(start))
					}
				})
			})
		}
	}
}

func TestClientClosesIdleConnections(t *testing.T) {
	answer := func(protocol string, m *dns.Msg) [][]byte {
		r := reply(m, dns.RcodeSuccess, []string{"example.com. 60 TXT x"}, nil)
		r.Truncated = protocol == "udp"
		return pack(r)
	}
	for _, asked := range []bool{true, false} {
		t.Run(fmt.Sprintf("when told: %v", asked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &Client{Servers: []string{"a"}, dial: network{"a:53": answer}.dial}
				var all sync.WaitGroup
				for range 2 * maxIdle {
					all.Go(func() {
						if _, err := c.Resolve(t.Context(), txt); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if asked {
					c.CloseIdleConnections()
				} else {
					time.Sleep(idleTime) // fake time
				}
				synctest.Wait()
				if n := len(c.idle.conns["a:53"]); n != 0 {
					t.Errorf("%d connections are left", n)
				}
			})
		})
	}
}

func TestClientWithoutServersAsksTheSystems(t *testing.T) {
	conf, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil || len(conf.Servers) == 0 {
		t.Skip("this system has no resolv.conf with servers")
	}
	got := new(Client).order()
	for i, server := range conf.Servers[:min(len(conf.Servers), 3)] {
		if host, _, err := net.SplitHostPort(got[i]); err != nil || host != server {
			t.Errorf("servers are %q, want %q", got, conf.Servers)
		}
	}
}

func TestClientDoesNotAskForWhatIsNoName(t *testing.T) {
	c := &Client{dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection was made")
		return nil, errNoServer
	}}
	for _, name := range []string{"", ".", "a..b", "a\x00.b", "a\x7f.b", "\xff.b", "\t.b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", "A.b", "a."} {
		if _, err := c.Resolve(ctx, Question{name, TypeTXT}); !errors.Is(err, ErrName) || Temporary(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := c.Resolve(ctx, Question{"a.b", 255}); !errors.Is(err, ErrType) || Temporary(err) {
		t.Errorf("type ANY: %v", err)
	}
}

func TestClientIsSafeForConcurrentUse(t *testing.T) {
	c := &Client{Servers: []string{serve(t, truncating(`example.com. 60 TXT "`+strings.Repeat("x", 2000)+`"`))}}
	defer c.CloseIdleConnections()
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if _, err := c.Resolve(ctx, txt); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func BenchmarkClient(b *testing.B) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT x"}, nil))
	})}
	go s.ActivateAndServe()
	defer s.Shutdown()
	c := &Client{Servers: []string{pc.LocalAddr().String()}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Resolve(ctx, txt); err != nil {
			b.Fatal(err)
		}
	}
}
