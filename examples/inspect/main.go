// Command inspect says what domains publish about their mail, what is wrong with it, and what to
// publish instead.
//
//	inspect example.com                       one domain, with the system's DNS
//	inspect -zone example.zone example.com    from a zone file, offline
//	inspect -lookups example.com              the tree of the SPF record, with what every term costs
//	inspect -message mail.eml                 the rules of large receivers, for one message
//	inspect -bounce "550 5.7.515 ..."         what a refusal means
//	inspect -json a.example b.example         one JSON object a domain, one a line
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

	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// The exit statuses. Of several that apply, the order is usage, errors, open.
const (
	exitOK          = 0   // no domain has an error
	exitErrors      = 1   // a domain has one
	exitUsage       = 2   // wrong usage, or something could not be read
	exitOpen        = 3   // DNS failed where it matters, and no error was found
	exitInterrupted = 130 // by a signal, as shells have it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal kills, should the first one not be enough.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		return complain(stderr, err)
	}
	for _, note := range o.notes {
		fmt.Fprintf(stderr, "inspect: %s\n", terminal.Printable(note))
	}
	status, err := o.inspect(ctx, stdin, stdout, stderr)
	if err != nil {
		return complain(stderr, err)
	}
	return status
}

// complain writes one line about something that is wrong.
func complain(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "inspect: %s\n", terminal.Printable(err.Error()))
	return exitUsage
}
