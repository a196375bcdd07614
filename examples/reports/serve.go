package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

// serve answers the same questions as show and rollout, as pages.
func (p *program) serve(ctx context.Context, args []string) error {
	set := p.flags("serve", "")
	store := storeFlag(set, defaultStore)
	address := set.String("http", "127.0.0.1:8090", "serve pages at this `ADDR`; without -login-header it has to be a loopback address")
	var guard guard
	set.StringVar(&guard.header, "login-header", "", "the `NAME` of the header in which a reverse proxy says who has logged in, such as X-Remote-User")
	set.Func("login-from", "an address or network of the proxy of -login-header, `ADDR|CIDR` (repeatable); others are refused", guard.addProxy)
	offline := set.Bool("offline", false, "ask no DNS: neither for records nor for names of hosts")
	now := set.String("now", "", "look back from this `TIME`: RFC 3339, a date, or Unix seconds (default: now, at each page)")
	var dns dnsflags.Flags
	dns.Define(set)
	arguments, err := parse(set, args)
	switch {
	case err != nil:
		return err
	case len(arguments) > 0:
		return fmt.Errorf("serve takes no arguments, only flags: %q", arguments[0])
	}
	s := &site{now: time.Now}
	if *now != "" {
		fixed, err := parseTime(*now)
		if err != nil {
			return fmt.Errorf("-now: %w", err)
		}
		s.now = func() time.Time { return fixed }
	}
	if !*offline {
		if s.resolver, err = dns.Resolver(); err != nil {
			return err
		}
	}
	if err := guard.check(*address); err != nil {
		return err
	}
	inbox, done, err := openInbox(ctx, *store)
	if err != nil {
		return err
	}
	defer done()
	s.inbox = inbox
	defer s.background.Wait()
	return p.listen(ctx, *address, guard.wrap(s.handler()))
}

// listen serves until ctx ends, and then what is under way.
func (p *program) listen(ctx context.Context, address string, handler http.Handler) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
	}
	fmt.Fprintf(p.stderr, "reports: pages at http://%s/\n", l.Addr())
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(patience) // what takes longer is cut
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	<-ended
	return nil
}

// A site is the pages of a store.
type site struct {
	inbox    *sqlstore.Inbox
	resolver resolver.Resolver // nil where no DNS is asked
	now      func() time.Time

	asking     atomic.Bool // names of hosts are asked for
	background sync.WaitGroup
}

// A guard lets in whom a reverse proxy has logged in, or, without one, who is on this host.
type guard struct {
	header  string
	proxies []netip.Prefix
}

func (g *guard) addProxy(text string) error {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		g.proxies = append(g.proxies, prefix.Masked())
		return nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return errors.New("neither an address nor a network")
	}
	g.proxies = append(g.proxies, netip.PrefixFrom(address, address.BitLen()))
	return nil
}

// check reports flags that would let in everybody.
func (g *guard) check(address string) error {
	host, _, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return fmt.Errorf("-http %s: not HOST:PORT", address)
	case g.header == "" && len(g.proxies) > 0:
		return errors.New("-login-from needs -login-header")
	case g.header != "" && len(g.proxies) == 0:
		return errors.New("-login-header needs -login-from: without it, everybody could say who he is")
	case g.header == "" && !isLoopback(host):
		return fmt.Errorf("-http %s: without -login-header pages are for this host alone: use 127.0.0.1 or [::1]", address)
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}

// wrap returns a handler that refuses everybody else.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := g.refuse(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse says why a request is not answered, or returns "".
func (g *guard) refuse(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "The client's address is not known."
	}
	client := from.Addr().Unmap()
	if g.header == "" {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
			if r.Header.Get(name) != "" {
				return "Pages are for this host alone. Behind a proxy, serve needs -login-header and -login-from."
			}
		}
		// The name is checked too: a page on the web can have a name of its own point here.
		if !client.IsLoopback() || !isLoopback(host) {
			return "Pages are for this host alone."
		}
		return ""
	}
	for _, proxy := range g.proxies {
		if proxy.Contains(client) {
			if users := r.Header.Values(g.header); len(users) == 1 && strings.TrimSpace(users[0]) != "" {
				return ""
			}
			return "The proxy does not say who has logged in."
		}
	}
	return "Pages are given to the login proxy alone."
}
