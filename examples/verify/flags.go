package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/cmdline"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
)

const usage = `usage: verify [flags] [MESSAGE ...]

MESSAGE is an .eml, .emlx or mbox file, a directory of them, a Maildir, or - for
standard input; files may be packed with gzip. Without any, the messages that ship with the program are
verified, offline. Without any but with -ip and -from or -helo: SPF alone.

  -ip ADDR         client address (IPv4 or IPv6)
  -helo NAME       HELO or EHLO name
  -from ADDR       MAIL FROM; "" or "<>" is the null sender
  -zone FILE       answer DNS from this RFC 1035 zone file and ask nobody
                   (repeatable)
  -dns HOST:PORT   ask this recursive server (default: the system's)
  -timeout D       for the whole of one message (default 20s)
  -now TIME        evaluate at this time: RFC 3339 or Unix seconds
  -psl             discover by public suffix list (RFC 7489), not by
                   DNS Tree Walk (RFC 9989)
  -authserv-id ID  name to put in Authentication-Results (default: the host's)
  -json            one JSON object a message, one a line
  -brief           the answer alone: verdict, why, what to fix
  -steps           the steps with their evidence too, where several messages
                   are given
  -record DIR      write each message, the DNS answers it needed and its
                   envelope into DIR, as a fixture for package dmarctest
  -j N             messages checked side by side (default: number of CPUs)
  -v               show every DNS question

What the flags do not say of the SMTP session comes from NAME.json beside
NAME.eml, else from the message: MAIL FROM from Return-Path, the client from
the topmost Received-SPF field, the comment "sender IP is", or the topmost
Received field by SMTP that has its address. Hosts of the receiver's own site
are passed over: the output says what was taken from where ("from Received
field 2"), and what makes that doubtful. A field below those of the site can
be the sender's own invention; give -ip where it matters. NAME.zone beside
NAME.eml is all of DNS for it.

Exit status: 0 every message has pass or none, 1 one has fail or permerror,
3 one has temperror and none failed, 2 wrong usage or unreadable input.
`

// maxWorkers bounds -j, and with it how many results wait to be printed.
const maxWorkers = 256

// Options are what the command line says.
type options struct {
	ip         netip.Addr // zero if not given
	helo, from *string    // nil if not given
	dns        dnsflags.Flags
	timeout    time.Duration
	now        time.Time // zero if not given
	psl        bool
	authservID string
	json       bool
	brief      bool
	steps      bool
	record     string // directory, or ""
	workers    int
	verbose    bool

	messages []string
}

// parseFlags reads the command line. Flags may stand before, between and after messages.
func parseFlags(args []string) (*options, error) {
	o := &options{timeout: 20 * time.Second, workers: min(runtime.NumCPU(), maxWorkers)}
	set := flag.NewFlagSet("verify", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	o.define(set)
	var err error
	if o.messages, err = cmdline.Parse(set, args); err != nil {
		return nil, tidy(err)
	}
	return o, o.check()
}

// define tells set which flags there are.
func (o *options) define(set *flag.FlagSet) {
	set.Func("ip", "", o.setIP)
	set.Func("helo", "", func(s string) error { o.helo = &s; return nil })
	set.Func("from", "", func(s string) error { s = envelope.ReversePath(s); o.from = &s; return nil })
	o.dns.Define(set)
	set.Func("timeout", "", o.setTimeout)
	set.Func("now", "", func(s string) (err error) { o.now, err = sidecar.ParseTime(s); return err })
	set.BoolVar(&o.psl, "psl", false, "")
	set.Func("authserv-id", "", o.setAuthservID)
	set.BoolVar(&o.json, "json", false, "")
	set.BoolVar(&o.brief, "brief", false, "")
	set.BoolVar(&o.steps, "steps", false, "")
	set.StringVar(&o.record, "record", "", "")
	set.Func("j", "", o.setWorkers)
	set.BoolVar(&o.verbose, "v", false, "")
}

// check reports flags that do not go together, and fills in what depends on the host.
func (o *options) check() error {
	session := o.ip.IsValid() || o.from != nil || o.helo != nil
	switch {
	case o.dns.Check() != nil:
		return o.dns.Check()
	case o.brief && o.steps:
		return errors.New("-brief and -steps exclude each other")
	case len(o.messages) == 0 && session && !o.spfAlone():
		return errors.New("without a message, SPF needs -ip and one of -from and -helo")
	case o.spfAlone() && o.record != "":
		return errors.New("-record needs a message")
	}
	if o.authservID == "" {
		o.authservID = hostname()
	}
	return nil
}

// spfAlone reports whether SPF is asked for without a message.
func (o *options) spfAlone() bool {
	return len(o.messages) == 0 && o.ip.IsValid() && (o.from != nil || o.helo != nil)
}

func (o *options) setIP(s string) (err error) {
	o.ip, err = envelope.ParseIP(s)
	return err
}

func (o *options) setTimeout(s string) (err error) {
	o.timeout, err = time.ParseDuration(s)
	if err != nil || o.timeout <= 0 {
		return errors.New("not a duration such as 20s")
	}
	return nil
}

func (o *options) setAuthservID(s string) error {
	if s == "" || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return errors.New("not a host name")
	}
	o.authservID = s
	return nil
}

func (o *options) setWorkers(s string) (err error) {
	o.workers, err = strconv.Atoi(s)
	if err != nil || o.workers < 1 || o.workers > maxWorkers {
		return fmt.Errorf("not a number from 1 to %d", maxWorkers)
	}
	return nil
}

// tidy returns an error of package flag in this program's words.
func tidy(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%s (verify -h lists the flags)", err)
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
