// Command verify says who is answerable for a message, and what the owner of its domain
// asks to be done with it: SPF, DKIM and DMARC, explained step by step.
//
//	verify                                   the messages that ship with it, offline
//	verify message.eml                       one message, with the system's DNS
//	verify -json Maildir/ archive.mbox -     many, one JSON object a line
//	verify -ip 192.0.2.1 -from a@b.example   SPF alone, as at MAIL FROM time
//
// The files are one idea each, and in the order in which a message goes through them: flags,
// directory, input and mbox (where messages come from; package saved knows what their files
// are), sidecar and session (what the SMTP session knew), check (the library is called
// here), record, then text, JSON (package verdictjson) or summary, and the exit status.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// The exit statuses. Of several that apply, the order is usage, failed, open.
const (
	exitOK          = 0   // every message has pass or none
	exitFailed      = 1   // a message has fail or permerror
	exitUsage       = 2   // wrong usage, or something could not be read
	exitOpen        = 3   // a message has temperror, and none failed
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
	var c *checker
	if err == nil {
		c, err = newChecker(o)
	}
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	if o.spfAlone() {
		if isPiped(stdin) {
			complain(stderr, errors.New("SPF alone: standard input is not read; - as the last argument checks the message in it"))
		}
		return c.spfOnly(ctx, stdout, stderr)
	}
	return c.messages(ctx, stdin, stdout, stderr)
}

// isPiped reports whether somebody has put a file or the output of a program before the program.
func isPiped(stdin io.Reader) bool {
	f, ok := stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && (info.Mode().IsRegular() || info.Mode()&fs.ModeNamedPipe != 0)
}

// complain writes one line about something that is wrong.
func complain(stderr io.Writer, err error) {
	fmt.Fprintf(stderr, "verify: %s\n", terminal.Printable(err.Error()))
}
