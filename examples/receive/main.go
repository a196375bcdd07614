// Command receive is an SMTP server with a page that shows, step by step and while it happens, how a
// receiver comes to trust a message or not: SPF, DKIM, alignment, and the DMARC policy.
//
//	receive -demo                                         on a laptop, with made-up DNS
//	receive -smtp :25 -http :8080 -domain learn.example   on a server, with real mail
//
// The files are one idea each. Package smtpd is the part that a mail service would copy, and package
// show draws. A message comes in by receiver, paste or stories, is a message of a visitor, and is
// seen by stream and handler. Limits and guard bound what strangers can make the server do.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mailverdict/mailverdict/examples/internal/counting"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

const usage = `usage: receive [flags]

An SMTP server, and a page that shows how a receiver judges what comes in.

  -demo             made-up DNS, on this host alone: SMTP at localhost:2525 and
                    the page at http://localhost:8080, unless flags say otherwise
  -smtp ADDR        take mail here (default :2525)
  -http ADDR        serve the page here (default :8080)
  -domain NAME      the domain of the addresses, whose MX this host is
  -authserv-id ID   name to put in Authentication-Results (default: the domain)
  -zone FILE        answer DNS from this RFC 1035 zone file and ask nobody
                    (repeatable)
  -dns HOST:PORT    ask this recursive server (default: the system's)
  -reject           answer 550 or 451 where the verdict recommends it (default:
                    take everything, so that a refused message can be seen)
  -cert FILE        certificate for STARTTLS, PEM (default: one made at start,
  -key FILE         which no sender can check), and its key
  -proxy NETWORKS   reverse proxies whose X-Forwarded-For is believed, with commas
                    between them
  -visitors N       at most so many addresses at a time (default 500)
  -store URL        count the mail that comes in, for aggregate reports to those
                    who ask for them: sqlite:FILE or postgres://…
  -json             print the result of each mail that comes in on standard
                    output, one JSON object a line, as verify does
`

type options struct {
	demo               bool
	smtp, http         string
	domain, authservID string
	dns                dnsflags.Flags
	reject             bool
	cert, key          string
	proxies            []netip.Prefix
	visitors           int
	store              string
	json               bool
}

func parseFlags(args []string) (*options, error) {
	o := &options{}
	set := flag.NewFlagSet("receive", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&o.demo, "demo", false, "")
	set.StringVar(&o.smtp, "smtp", "", "")
	set.StringVar(&o.http, "http", "", "")
	set.StringVar(&o.domain, "domain", "", "")
	set.StringVar(&o.authservID, "authserv-id", "", "")
	o.dns.Define(set)
	set.BoolVar(&o.reject, "reject", false, "")
	set.StringVar(&o.cert, "cert", "", "")
	set.StringVar(&o.key, "key", "", "")
	set.Func("proxy", "", func(s string) (err error) { o.proxies, err = parseNetworks(s); return err })
	set.IntVar(&o.visitors, "visitors", defaultLimits.visitors, "")
	set.StringVar(&o.store, "store", "", "")
	set.BoolVar(&o.json, "json", false, "")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	return o, o.check(set.Args())
}

// check reports flags that do not go together, and fills in the others.
func (o *options) check(rest []string) error {
	mail, page := ":2525", ":8080"
	if o.demo {
		mail, page = "localhost:2525", "localhost:8080"
		o.domain = cmp.Or(o.domain, demoDomain)
	}
	o.smtp, o.http = cmp.Or(o.smtp, mail), cmp.Or(o.http, page)
	o.domain = strings.ToLower(strings.TrimSuffix(o.domain, "."))
	o.authservID = cmp.Or(o.authservID, o.domain)
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag", rest[0])
	case o.domain == "":
		return errors.New("-domain is missing: the domain whose mail comes here (or -demo)")
	case strings.ContainsFunc(o.domain+o.authservID, func(c rune) bool { return c <= ' ' || c > '~' || c == '@' || c == ';' }):
		return errors.New("-domain and -authserv-id are host names, in A-labels")
	case (o.cert == "") != (o.key == ""):
		return errors.New("-cert and -key go together")
	case o.demo && (len(o.dns.Zones) > 0 || o.dns.Server != ""):
		return errors.New("-demo has its own DNS")
	case o.visitors < 1:
		return errors.New("-visitors is a number from 1 on")
	}
	return o.dns.Check()
}

// parseNetworks reads addresses and networks.
func parseNetworks(text string) (list []netip.Prefix, err error) {
	for _, word := range strings.Split(text, ",") {
		word = strings.TrimSpace(word)
		p, err := netip.ParsePrefix(word)
		if a, addrErr := netip.ParseAddr(word); err != nil && addrErr == nil {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no address or network", word)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal kills
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err == nil {
		err = o.serve(ctx, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "receive: %v\n", err)
		return 2
	}
	return 0
}

// serve runs the server until ctx ends.
func (o *options) serve(ctx context.Context, stdout, stderr io.Writer) error {
	answers, err := o.resolver()
	if err != nil {
		return err
	}
	certificate, err := o.tls()
	if err != nil {
		return err
	}
	limits := defaultLimits
	limits.visitors = o.visitors
	log := slog.New(slog.NewTextHandler(stderr, nil))
	counter, err := o.counter(log)
	if err != nil {
		return err
	}
	defer counter.Close()
	s, err := newServer(&server{
		domain: o.domain, authservID: o.authservID, reject: o.reject, demo: o.demo, proxies: o.proxies, tls: certificate,
		log: log, limits: limits, counter: counter,
	}, answers)
	if err != nil {
		return err
	}
	if o.json {
		s.json, stdout = stdout, stderr
	}
	mail, err := net.Listen("tcp", o.smtp)
	if err != nil {
		return err
	}
	page, err := net.Listen("tcp", o.http)
	if err != nil {
		_ = mail.Close()
		return err
	}
	fmt.Fprintf(stdout, "SMTP at %s for %s, the page at http://%s\n", mail.Addr(), o.domain, page.Addr())
	return s.serve(ctx, mail, page)
}

// counter counts messages in the store; it is nil where there is none.
func (o *options) counter(log *slog.Logger) (*counting.Counter, error) {
	if o.store == "" {
		return nil, nil
	}
	return counting.Open(counting.Options{URL: o.store, Log: log})
}

func (o *options) resolver() (resolver.Resolver, error) {
	if o.demo {
		return demoDNS()
	}
	return o.dns.Resolver()
}
