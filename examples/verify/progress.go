package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A progress shows how far a run over several inputs is, on a terminal's standard error. Nil
// shows nothing.
type progress struct {
	bar *progressbar.ProgressBar
}

func newProgress(stderr io.Writer, inputs []input) *progress {
	if len(inputs) < 2 || !isTerminal(stderr) {
		return nil
	}
	return &progress{progressbar.NewOptions(len(inputs),
		progressbar.OptionSetWriter(stderr),
		progressbar.OptionSetDescription("verifying"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionEnableColorCodes(false),
	)}
}

// hide takes the bar away, so that something else can be printed.
func (p *progress) hide() {
	if p != nil {
		p.bar.Clear() // no more than the picture is lost if it fails
	}
}

// add counts an input that is done.
func (p *progress) add() {
	if p != nil {
		p.bar.Add(1)
	}
}

// end removes the bar.
func (p *progress) end() {
	if p != nil {
		p.bar.Finish()
	}
}
