// Command milter checks mail for Postfix and Sendmail: SPF, DKIM, ARC and DMARC in one program. It
// removes forged Authentication-Results fields, writes its own, and rejects or marks what fails, as
// the configuration says. README.md says how to install it.
//
// The configuration is one TOML file; -print-defaults documents every key. SIGHUP reads it again;
// SIGTERM ends the program after the messages that are under way.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/d--j/go-milter"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit status: 2 for wrong usage or configuration, 1 if the program cannot serve.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("milter", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var from source
	flags.StringVar(&from.file, "config", "", "read the configuration from this `FILE`; without it, defaults apply")
	flags.StringVar(&from.listen, "listen", "", "listen at this `ADDRESS` in place of the configured ones: inet:127.0.0.1:8891 or unix:/run/milter.sock")
	from.dns.Define(flags)
	flags.BoolVar(&from.json, "json", false, "log JSON, whatever is configured")
	check := flags.Bool("check", false, "read the configuration, say what is wrong with it, and exit")
	printDefaults := flags.Bool("print-defaults", false, "print every key with its default and the reason for it, and exit")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, "usage: milter [flags]")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q: a configuration is given by -config", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "milter:", err, "(milter -h lists the flags)")
		return 2
	}
	if *printDefaults {
		fmt.Fprint(stdout, defaultsText)
		return 0
	}
	c, err := from.read()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	if *check {
		for _, warning := range c.warnings() {
			fmt.Fprintln(stdout, "warning:", warning)
		}
		fmt.Fprintln(stdout, "ok")
		return 0
	}
	if err := serve(c, from, stderr); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// serve runs the daemon until SIGTERM or SIGINT.
func serve(c *config, from source, stderr io.Writer) error {
	var handler slog.Handler = slog.NewJSONHandler(stderr, nil)
	if c.Log == "text" {
		handler = slog.NewTextHandler(stderr, nil)
	}
	log := slog.New(handler)
	milter.LogWarning = func(format string, v ...any) {
		log.Warn("milter protocol", slog.String("failure", fmt.Sprintf(format, v...)))
	}

	host, err := os.Hostname()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	d, err := newDaemon(c, host, log)
	if err != nil {
		return err
	}
	if err := d.open(); err != nil {
		return err
	}
	if c.Metrics != "" {
		l, err := net.Listen("tcp", c.Metrics)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: d.metrics.handler(func() bool { return !d.draining.Load() }), ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(l) }()
	}
	for s := range signals {
		if s != syscall.SIGHUP {
			break
		}
		d.reload(from)
	}
	d.drain()
	return nil
}
