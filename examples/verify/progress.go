package main

import (
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// A progress shows how far a run is, on a terminal's standard error: a bar over the inputs,
// or for one input alone, of which nobody knows how many messages it has, a count. Nil shows
// nothing.
type progress struct {
	bar      *progressbar.ProgressBar
	messages bool // messages are counted, not inputs
	first    bool // of them, the first has been counted
}

func newProgress(stderr io.Writer, inputs []input) *progress {
	if len(inputs) == 0 || !terminal.Is(stderr) {
		return nil
	}
	p := &progress{messages: len(inputs) == 1}
	most := len(inputs)
	if p.messages {
		most = -1
	}
	p.bar = terminal.Bar(stderr, most, "verifying")
	if !p.messages {
		p.bar.RenderBlank()
	}
	return p
}

// hide takes the bar away, so that something else can be printed. Nothing is lost but the
// picture should that fail.
func (p *progress) hide() {
	if p != nil {
		p.bar.Clear()
	}
}

// message counts a message that is done, input an input. One that stays alone is not shown.
func (p *progress) message() {
	switch {
	case p == nil || !p.messages:
	case !p.first:
		p.first = true
	default:
		p.bar.Set64(max(p.bar.State().CurrentNum, 1) + 1)
	}
}

func (p *progress) input() {
	if p != nil && !p.messages {
		p.bar.Add(1)
	}
}

// end removes the bar.
func (p *progress) end() {
	if p != nil {
		p.bar.Clear()
		p.bar.Exit()
	}
}
