// Command reports reads the DMARC reports that come to a domain, and answers what people read them
// for: who sends as me, and may I ask for reject?
//
//	reports read -store sqlite:reports.db report.xml.gz Maildir/ -
//	reports show
//	reports rollout example.com
//
// The files are one idea each: input and imap (where reports come from), read, document (what is printed of a
// report), prove (who sent it), store, question and plan (what is asked of the store), names and hostname (what
// is asked of DNS), show and rollout (the answers for people), check, silence and alert (what has changed), serve, chart and page… (the same as
// pages), write and sender (reports about mail that was counted here), and text (what is safe to print).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mailverdict/mailverdict/examples/internal/cmdline"
)

const usage = `usage: reports COMMAND [flags] [ARGUMENT ...]

  reports read FILE|DIR|- ...    print each report as JSON, one a line; -store
                                 URL puts them into a store
  reports show [DOMAIN ...]      who sends as the domains, and what to set up
  reports rollout DOMAIN         what p=quarantine and p=reject would have done,
                                 and the next step that is safe
  reports check [DOMAIN ...]     what has changed and is to be looked after: for
                                 cron, in lines or as a mail
  reports serve                  the same as pages, at -http ADDR
  reports write                  the reports about mail that was counted here
                                 (milter): -out DIR as files, -send as mails

FILE is a report as it came: a mail, an mbox, XML, gzip or zip. DIR is a folder
of them, with the folders in it, or a Maildir; - is standard input; and
imaps://USER@HOST/FOLDER is an IMAP mailbox. The store is -store sqlite:FILE
(default sqlite:reports.db) or -store postgres://…

  -h            list the flags of a command

Exit status: 0 all is well, 1 check found something, or write gave up a report,
2 wrong usage, or something could not be read.
`

// The exit statuses.
const (
	exitOK          = 0
	exitFound       = 1   // there is something to look after
	exitUsage       = 2   // wrong usage, or something could not be read
	exitInterrupted = 130 // by a signal, as shells have it
)

// A program is what a command works with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// commands are what the first argument may be.
var commands = map[string]func(*program, context.Context, []string) error{
	"check":   (*program).check,
	"read":    (*program).read,
	"rollout": (*program).rollout,
	"serve":   (*program).serve,
	"show":    (*program).show,
	"write":   (*program).write,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal kills
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// run is the program: it returns the exit status.
func (p *program) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.stderr, usage)
		return exitUsage
	}
	command, known := commands[args[0]]
	if !known {
		if args[0] == "-h" || args[0] == "-help" || args[0] == "--help" || args[0] == "help" {
			fmt.Fprint(p.stdout, usage)
			return exitOK
		}
		p.complain(fmt.Errorf("%q is no command (reports -h lists them)", args[0]))
		return exitUsage
	}
	err := command(p, ctx, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case err == errFound:
		return exitFound
	case err == errComplained:
		return exitUsage
	case err != nil:
		p.complain(err)
		return exitUsage
	}
	return exitOK
}

// errFound says that there is something to look after, which was printed.
var errFound = errors.New("found")

// errComplained says that what is wrong was written to standard error already.
var errComplained = errors.New("said already")

// complain writes one line about something that is wrong.
func (p *program) complain(err error) {
	fmt.Fprintf(p.stderr, "reports: %s\n", printable(err.Error()))
}

// flags returns the flags of a command. Its usage goes to standard output when it is asked for.
func (p *program) flags(name, arguments string) *flag.FlagSet {
	set := flag.NewFlagSet("reports "+name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {
		fmt.Fprintf(p.stdout, "usage: reports %s [flags] %s\n\n", name, arguments)
		set.SetOutput(p.stdout)
		set.PrintDefaults()
		set.SetOutput(io.Discard)
	}
	return set
}

// parse reads the flags of a command, which may stand before, between and after its arguments. A
// mistake does not print all flags.
func parse(set *flag.FlagSet, args []string) (arguments []string, err error) {
	help := set.Usage
	set.Usage = func() {}
	arguments, err = cmdline.Parse(set, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		help()
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w (%s -h lists the flags)", err, set.Name())
	}
	return arguments, nil
}
