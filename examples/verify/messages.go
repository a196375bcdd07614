package main

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/mailverdict/mailverdict/dmarc"
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
	screen := terminalOf(stdout)
	out := bufio.NewWriter(stdout)
	bar := newProgress(stderr, inputs)
	var sum tally
	var broken error
	pool := &pool{checker: c, stdin: stdin}
	pool.run(ctx, inputs, func(o outcome) {
		bar.hide()
		sum.add(o)
		switch {
		case o.err != nil:
			complain(stderr, o.error())
		case c.options.json:
			broken = errors.Join(broken, writeJSON(out, c.options, o))
		default:
			broken = errors.Join(broken, writeText(out, c.options, screen, o))
		}
		broken = errors.Join(broken, out.Flush())
		bar.message()
	}, bar.input)
	bar.end()
	switch {
	case !c.options.json && sum.messages > 1:
		sum.write(out, screen)
	case c.options.json && sum.messages > 1 && isTerminal(stderr):
		sum.write(stderr, terminalOf(stderr))
	}
	if err := errors.Join(broken, out.Flush()); err != nil {
		complain(stderr, errors.New("standard output: "+cause(err).Error()))
		return exitUsage
	}
	if ctx.Err() != nil {
		complain(stderr, errors.New("interrupted"))
		return exitInterrupted
	}
	return sum.status()
}

// status returns the exit status for what was counted.
func (t *tally) status() int {
	switch {
	case t.unread > 0:
		return exitUsage
	case t.verdicts[dmarc.StatusFail]+t.verdicts[dmarc.StatusPermError] > 0:
		return exitFailed
	case t.verdicts[dmarc.StatusTempError] > 0:
		return exitOpen
	}
	return exitOK
}
