package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const usage = `usage: verify [flags] [MESSAGE ...]

MESSAGE is an .eml file, an mbox file, a directory of them, or - for standard
input. Without any, the messages that ship with the program are verified,
offline. Without any but with -ip and -from or -helo: SPF alone.

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
  -j N             messages checked side by side (default: number of CPUs)
  -v               show every DNS question

What the flags do not say of the SMTP session comes from NAME.json beside
NAME.eml, else from the Return-Path field and the topmost Received field with
the address of a client. Where that address is private or loopback, a host of
the site, the next field is taken, and so on: the output says which ("from
Received field 2"). A field below those of the site can be the sender's own
invention; give -ip where it matters. NAME.zone beside NAME.eml is all of DNS
for it.

Exit status: 0 every message has pass or none, 1 one has fail or permerror,
3 one has temperror and none failed, 2 wrong usage or unreadable input.
`

// maxWorkers bounds -j, and with it how many results wait to be printed.
const maxWorkers = 256

// Options are what the command line says.
type options struct {
	ip         netip.Addr // zero if not given
	helo, from *string    // nil if not given
	zones      []string
	dns        string
	timeout    time.Duration
	now        time.Time // zero if not given
	psl        bool
	authservID string
	json       bool
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

	set.Func("ip", "", func(s string) (err error) {
		o.ip, err = netip.ParseAddr(s)
		if err != nil || o.ip.Zone() != "" {
			return errors.New("not an IP address")
		}
		o.ip = o.ip.Unmap()
		return nil
	})
	set.Func("helo", "", func(s string) error { o.helo = &s; return nil })
	set.Func("from", "", func(s string) error {
		s = reversePath(s)
		o.from = &s
		return nil
	})
	set.Func("zone", "", func(s string) error { o.zones = append(o.zones, s); return nil })
	set.Func("dns", "", func(s string) error {
		if _, port, err := net.SplitHostPort(s); err != nil || port == "" {
			return errors.New("not HOST:PORT")
		}
		o.dns = s
		return nil
	})
	set.Func("timeout", "", func(s string) (err error) {
		o.timeout, err = time.ParseDuration(s)
		if err != nil || o.timeout <= 0 {
			return errors.New("not a duration such as 20s")
		}
		return nil
	})
	set.Func("now", "", func(s string) (err error) {
		o.now, err = parseTime(s)
		return err
	})
	set.BoolVar(&o.psl, "psl", false, "")
	set.Func("authserv-id", "", func(s string) error {
		if s == "" || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return errors.New("not a host name")
		}
		o.authservID = s
		return nil
	})
	set.BoolVar(&o.json, "json", false, "")
	set.Func("j", "", func(s string) (err error) {
		o.workers, err = strconv.Atoi(s)
		if err != nil || o.workers < 1 || o.workers > maxWorkers {
			return fmt.Errorf("not a number from 1 to %d", maxWorkers)
		}
		return nil
	})
	set.BoolVar(&o.verbose, "v", false, "")

	for len(args) > 0 {
		if err := set.Parse(args); err != nil {
			return nil, tidy(err)
		}
		rest := set.Args()
		if ended := len(args) - len(rest); ended > 0 && args[ended-1] == "--" {
			o.messages = append(o.messages, rest...)
			break
		}
		if len(rest) == 0 {
			break
		}
		o.messages = append(o.messages, rest[0])
		args = rest[1:]
	}
	if len(o.zones) > 0 && o.dns != "" {
		return nil, errors.New("-zone and -dns exclude each other")
	}
	if o.authservID == "" {
		o.authservID = hostname()
	}
	return o, nil
}

// tidy returns an error of package flag in this program's words.
func tidy(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%s (verify -h lists the flags)", err)
}

// reversePath returns what stands between < and >, or s.
func reversePath(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		return s[1 : len(s)-1]
	}
	return s
}

// parseTime reads RFC 3339 or Unix seconds.
func parseTime(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n < 1<<36 {
		return time.Unix(n, 0).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errors.New("neither RFC 3339 nor Unix seconds")
	}
	return t, nil
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
