package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
	"github.com/mailverdict/mailverdict/testdata"
)

// messages verifies all messages, and returns the exit status.
func (c *checker) messages(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	inputs := expand(c.options.messages)
	if len(c.options.messages) == 0 {
		var err error
		if inputs, err = shipped(testdata.Files, "testdata"); err != nil {
			complain(stderr, err)
			return exitUsage
		}
	}
	bar := newProgress(stderr, inputs)
	report := &report{options: c.options, screen: terminal.Of(stdout), out: bufio.NewWriter(stdout), stderr: stderr, several: len(inputs) > 1}
	pool := &pool{checker: c, stdin: stdin}
	pool.run(ctx, inputs, func(o outcome) {
		bar.hide()
		report.add(o)
		bar.message()
	}, bar.input)
	bar.end()
	if err := report.end(); err != nil {
		complain(stderr, fmt.Errorf("standard output: %w", cause(err)))
		return exitUsage
	}
	if ctx.Err() != nil {
		complain(stderr, errors.New("interrupted"))
		return exitInterrupted
	}
	return report.tally.status()
}

// A report writes what came of the messages, in their order.
type report struct {
	options *options
	screen  terminal.Screen
	out     *bufio.Writer
	stderr  io.Writer

	several bool     // of several messages there are answers alone; of one there is all
	first   *outcome // of the first message, while it may be the only one
	tally   tally
	err     error // of out
}

// add writes what came of a message, or keeps it until it is known whether there are more.
func (r *report) add(o outcome) {
	r.tally.add(o)
	if o.unrecorded != nil {
		complain(r.stderr, fmt.Errorf("%s: not recorded: %w", o.file, o.unrecorded))
	}
	switch {
	case o.err != nil:
		r.flush()
		complain(r.stderr, o.error())
	case r.options.json:
		r.err = errors.Join(r.err, o.object(r.options).Write(r.out))
	case !r.several && r.first == nil:
		r.first = &o
		return
	default:
		r.several = true
		r.flush()
		r.write(o)
	}
	r.err = errors.Join(r.err, r.out.Flush())
}

// flush writes the message that is kept.
func (r *report) flush() {
	if r.first != nil {
		r.write(*r.first)
		r.first = nil
	}
}

func (r *report) write(o outcome) {
	details := r.options.steps || !r.several && !r.options.brief
	r.err = errors.Join(r.err, writeText(r.out, r.options, r.screen, o, details))
}

// end writes what is left: a message, and the summary of several. Beside JSON it goes to a
// terminal alone.
func (r *report) end() error {
	r.flush()
	switch {
	case r.tally.messages < 2:
	case !r.options.json:
		r.tally.write(r.out, r.screen)
	case terminal.Is(r.stderr):
		r.tally.write(r.stderr, terminal.Of(r.stderr))
	}
	return errors.Join(r.err, r.out.Flush())
}

// status returns the exit status for what was counted.
func (t *tally) status() int {
	switch {
	case t.unread > 0 || t.unrecorded > 0:
		return exitUsage
	case t.verdicts[dmarc.StatusFail]+t.verdicts[dmarc.StatusPermError] > 0:
		return exitFailed
	case t.verdicts[dmarc.StatusTempError] > 0:
		return exitOpen
	}
	return exitOK
}
