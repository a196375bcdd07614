package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// inspect inspects the domains and returns the exit status. The error is wrong usage, or that of
// a file.
func (o *options) inspect(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	if o.rules {
		return exitOK, o.writeRules(stdout)
	}
	dns, err := o.dns.Resolver()
	if err != nil {
		return 0, err
	}
	inspector := &inspect.Inspector{Resolver: dns, Options: inspect.Options{Selectors: o.selectors, Questions: o.questions, Time: o.timeout}}
	w := &writer{options: o, stdout: stdout, screen: terminal.Of(stdout)}
	if len(o.domains) > 1 {
		w.bar = terminal.Bar(stderr, len(o.domains), "inspecting")
	}
	for r := range o.reports(ctx, inspector) {
		if err := w.report(r); err != nil {
			return 0, fmt.Errorf("standard output: %w", err)
		}
	}
	w.end()
	if ctx.Err() != nil {
		return exitInterrupted, nil
	}
	return w.tally.status(), nil
}

// reports inspects the domains side by side, and gives the reports in their order.
func (o *options) reports(ctx context.Context, inspector *inspect.Inspector) <-chan *inspect.Report {
	slots := make(chan struct{}, o.workers)
	pending := make(chan chan *inspect.Report, o.workers)
	go func() {
		defer close(pending)
		for _, domain := range o.domains {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			one := make(chan *inspect.Report, 1)
			pending <- one
			go func() {
				limited, cancel := context.WithTimeout(ctx, o.timeout)
				defer cancel()
				one <- inspector.Inspect(limited, domain)
				<-slots
			}()
		}
	}()
	out := make(chan *inspect.Report)
	go func() {
		defer close(out)
		for one := range pending {
			if r := <-one; ctx.Err() == nil {
				out <- r
			}
		}
	}()
	return out
}

// A writer writes reports as they come.
type writer struct {
	options *options
	stdout  io.Writer
	screen  terminal.Screen
	bar     *progressbar.ProgressBar // nil for none
	tally   tally
}

func (w *writer) report(r *inspect.Report) error {
	if w.bar != nil {
		w.bar.Clear()
		defer w.bar.Add(1)
	}
	w.tally.add(r)
	if w.options.json {
		return writeJSON(w.stdout, r)
	}
	if len(w.options.domains) > 1 {
		fmt.Fprintf(w.stdout, "%s\n\n", w.screen.Rule(r.Domain, ""))
	}
	if err := r.Text(w.stdout, inspect.TextOptions{Width: w.screen.Width, Color: w.screen.Color, Lookups: w.options.lookups}); err != nil {
		return err
	}
	_, err := io.WriteString(w.stdout, "\n")
	return err
}

// end takes the bar away and writes the summary.
func (w *writer) end() {
	if w.bar != nil {
		w.bar.Clear()
		w.bar.Exit()
	}
	if len(w.options.domains) > 1 && !w.options.json {
		w.tally.write(w.stdout, w.screen)
	}
}

// writeJSON writes one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeRules lists what is looked for.
func (o *options) writeRules(w io.Writer) error {
	if o.json {
		return writeJSON(w, inspect.Rules())
	}
	for _, r := range inspect.Rules() {
		if _, err := fmt.Fprintf(w, "%-28s %-8s %s\n", r.ID, r.Severity, r.When); err != nil {
			return err
		}
	}
	return nil
}
