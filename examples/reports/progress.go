package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress shows on a terminal's standard error how many files and mails were read. Nil shows nothing.
type progress struct {
	bar *progressbar.ProgressBar
}

func newProgress(stderr io.Writer) *progress {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{bar: progressbar.NewOptions(-1, progressbar.OptionSetWriter(stderr), progressbar.OptionSetDescription("reading"),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(0))}
}

// hide takes the bar away, so that something else can be printed.
func (p *progress) hide() {
	if p != nil {
		p.bar.Clear()
	}
}

func (p *progress) add() {
	if p != nil {
		p.bar.Add(1)
	}
}

func (p *progress) end() {
	if p != nil {
		p.bar.Clear()
		p.bar.Exit()
	}
}
