package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/schollz/progressbar/v3"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/dmarc/inspect/bulk"
	"github.com/mailverdict/mailverdict/examples/internal/terminal"
)

// inspect inspects the domains and returns the exit status. The error is wrong usage, or that of
// a file.
func (o *options) inspect(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	switch {
	case o.rules:
		return exitOK, o.writeRules(stdout)
	case o.bounce != "":
		return exitOK, o.explainBounce(stdout)
	}
	dns, err := o.dns.Resolver()
	if err != nil {
		return 0, err
	}
	beside, err := o.beside()
	if err != nil {
		return 0, err
	}
	if beside.Zone != nil {
		dns = beside.Zone
	}
	inspector := &inspect.Inspector{Resolver: dns, Options: inspect.Options{Selectors: o.selectors, Questions: o.questions, Time: o.timeout}}
	w := &writer{options: o, stdout: stdout, screen: terminal.Of(stdout)}
	if o.message != "" {
		if w.message, err = o.verify(ctx, beside, inspector, stdin); err != nil {
			return 0, err
		}
		if len(o.domains) == 0 {
			if w.message.result.DMARC.AuthorDomain == "" {
				return 0, fmt.Errorf("%s: no single domain in From; give one to inspect", o.message)
			}
			o.domains = []string{w.message.result.DMARC.AuthorDomain}
		}
	}
	if len(o.domains) > 1 {
		w.bar = terminal.Bar(stderr, len(o.domains), "inspecting")
	}
	for r := range o.reports(ctx, inspector, w.message) {
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

// reports inspects the domains side by side, and gives the reports in their order. The selectors of a
// message are looked at too.
func (o *options) reports(ctx context.Context, inspector *inspect.Inspector, message *checked) <-chan *inspect.Report {
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
				own := inspect.Inspector{Resolver: inspector.Resolver, Options: inspector.Options}
				if message != nil {
					own.Selectors = slices.Concat(own.Selectors, message.selectors(domain))
					own.Senders = message.senders()
				}
				one <- own.Inspect(limited, domain)
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
	message *checked // of -message, until it has been told with the first domain
}

func (w *writer) report(r *inspect.Report) error {
	if w.bar != nil {
		w.bar.Clear()
		defer w.bar.Add(1)
	}
	w.tally.add(r)
	message := w.message
	w.message = nil
	if w.options.json {
		return writeJSON(w.stdout, jsonOf(r, message))
	}
	if message != nil {
		if err := message.write(w.stdout, w.screen); err != nil {
			return err
		}
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

// jsonOf is what -json writes for a domain: its report, and the message before the first one.
func jsonOf(r *inspect.Report, message *checked) any {
	var rules []bulk.Result
	if message != nil {
		rules = message.bulk
	}
	return struct {
		*inspect.Report
		Bulk    []bulk.Result `json:"bulk,omitempty"`
		Message *checked      `json:"message,omitempty"`
	}{r, rules, message}
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

// explainBounce says what a refusal means.
func (o *options) explainBounce(w io.Writer) error {
	list := bulk.Explain(o.bounce)
	if o.json {
		if list == nil {
			list = []bulk.Bounce{} // an empty array, not null
		}
		return writeJSON(w, list)
	}
	screen := terminal.Of(w)
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "No code in it is known here. Those of Gmail, Microsoft's consumer services and Amazon SES are.")
		return err
	}
	for _, b := range list {
		title := screen.Paint(terminal.Bold, b.Code+" ("+b.Receiver+")")
		if _, err := fmt.Fprintf(w, "%s\n  %s\n  %s\n", title, screen.Wrap(b.Means, "  "), screen.Wrap("What to do: "+b.Do, "  ")); err != nil {
			return err
		}
	}
	return nil
}
