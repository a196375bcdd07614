package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/cmdline"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/typed"
)

const usage = `usage: inspect [flags] DOMAIN ...

Says what each domain publishes about its mail, what is wrong with it, and what
to publish instead.

  -selector S      look at this DKIM selector too (repeatable); those that
                   companies use are tried in any case
  -message FILE    check a message against the rules of Google, Yahoo, Microsoft
                   and Apple; without a DOMAIN, that of its author is inspected
  -ip ADDR, -helo NAME, -from ADDR
                   what the SMTP session of the message knew, if its header does
                   not tell
  -bounce TEXT     say what a refusal means, such as "550 5.7.515 Access denied"
  -lookups         the tree of the SPF record with the cost of every include
  -zone FILE       answer DNS from this RFC 1035 zone file and ask nobody
                   (repeatable)
  -dns HOST:PORT   ask this recursive server (default: the system's)
  -timeout D       for the whole of one domain (default 30s)
  -questions N     DNS questions for one domain (default 300)
  -j N             domains inspected side by side (default 8)
  -json            one JSON object a domain, one a line
  -rules           list everything that is looked for

Exit status: 0 no error found, 1 at least one, 3 DNS failed where it matters
and no error was found, 2 wrong usage or unreadable input.
`

// Options are what the command line says.
type options struct {
	domains   []string
	notes     []string // on what was typed
	selectors []string
	lookups   bool
	json      bool
	rules     bool
	dns       dnsflags.Flags
	timeout   time.Duration
	questions int
	workers   int

	message    string // a file, "-", or ""
	bounce     string
	ip         netip.Addr
	helo, from *string
}

// The bounds of -j and -questions.
const (
	maxWorkers   = 256
	maxQuestions = 100000
)

func parseFlags(args []string) (*options, error) {
	o := &options{timeout: 30 * time.Second, workers: 8}
	set := flag.NewFlagSet("inspect", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	o.define(set)
	var err error
	if o.domains, err = cmdline.Parse(set, args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("%s (inspect -h lists the flags)", err)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	return o, o.readDomains()
}

// readDomains takes the domains out of what was typed, and notes where that was something else.
func (o *options) readDomains() error {
	for i, text := range o.domains {
		d := typed.Read(text)
		if d.Name == "" {
			return fmt.Errorf("%q is no domain: type a name such as example.com", text)
		}
		if d.Changed {
			o.notes = append(o.notes, fmt.Sprintf("%s: taken for the domain %s", text, d.Name))
		}
		if d.Selector != "" {
			o.selectors = append(o.selectors, d.Selector)
		}
		o.domains[i] = d.Name
	}
	return nil
}

// define tells set which flags there are.
func (o *options) define(set *flag.FlagSet) {
	set.Func("selector", "", func(s string) error { o.selectors = append(o.selectors, s); return nil })
	set.BoolVar(&o.lookups, "lookups", false, "")
	set.BoolVar(&o.json, "json", false, "")
	set.BoolVar(&o.rules, "rules", false, "")
	set.StringVar(&o.message, "message", "", "")
	set.StringVar(&o.bounce, "bounce", "", "")
	set.Func("ip", "", func(s string) (err error) { o.ip, err = envelope.ParseIP(s); return err })
	set.Func("helo", "", func(s string) error { o.helo = &s; return nil })
	set.Func("from", "", func(s string) error { s = envelope.ReversePath(s); o.from = &s; return nil })
	o.dns.Define(set)
	set.DurationVar(&o.timeout, "timeout", o.timeout, "")
	set.IntVar(&o.questions, "questions", 0, "")
	set.IntVar(&o.workers, "j", o.workers, "")
}

// check reports flags that do not go together.
func (o *options) check() error {
	switch {
	case o.dns.Check() != nil:
		return o.dns.Check()
	case o.timeout <= 0:
		return errors.New("-timeout is a duration such as 30s")
	case o.workers < 1 || o.workers > maxWorkers:
		return fmt.Errorf("-j is a number from 1 to %d", maxWorkers)
	case o.questions < 0 || o.questions > maxQuestions:
		return fmt.Errorf("-questions is a number from 1 to %d", maxQuestions)
	case o.message == "" && (o.ip.IsValid() || o.helo != nil || o.from != nil):
		return errors.New("-ip, -helo and -from are about a message: give -message")
	case len(o.domains) == 0 && !o.rules && o.message == "" && o.bounce == "":
		return errors.New("no domain is given (inspect -h says more)")
	}
	return nil
}
