package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

// rollout prints what a stricter policy would have done, and the next step.
func (p *program) rollout(ctx context.Context, args []string) error {
	set := p.flags("rollout", "DOMAIN")
	store := storeFlag(set, defaultStore)
	asJSON := set.Bool("json", false, "JSON")
	people := set.String("people", "", "whether people write from the domain, who may post to mailing lists: `yes|no`")
	offline := set.Bool("offline", false, "ask no DNS: neither for the record nor for names below the domain")
	var w windowFlags
	w.define(set)
	var dns dnsflags.Flags
	dns.Define(set)
	arguments, err := parse(set, args)
	switch {
	case err != nil:
		return err
	case len(arguments) != 1:
		return errors.New("rollout needs one domain")
	case *people != "" && *people != "yes" && *people != "no":
		return errors.New("-people is yes or no")
	}
	var answers resolver.Resolver
	if !*offline {
		if answers, err = dns.Resolver(); err != nil {
			return err
		}
	}
	inbox, done, err := openInbox(ctx, *store)
	if err != nil {
		return err
	}
	defer done()
	v, err := look(ctx, inbox, domainName(arguments[0]), w.days, w.now, time.Time{})
	if err != nil {
		return err
	}
	result, err := planFor(ctx, inbox, answers, v, w.now, *people, windows...)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(p.stdout).Encode(result)
	}
	return result.text(p.stdout)
}

// text prints a plan for people.
func (p *plan) text(to io.Writer) error {
	fmt.Fprintf(to, "%s: p=%s", printable(p.Domain), printable(p.P.Policy))
	if p.Since != nil {
		fmt.Fprintf(to, " since %s, as reports tell", p.Since.Format(time.DateOnly))
	}
	fmt.Fprintf(to, "; reports of %d of the last %d days\n\n", p.Covered, p.Days)
	if err := p.table(to); err != nil {
		return err
	}
	if p.Unproven > 0 {
		fmt.Fprintf(to, "\nLeft out: %d messages in reports whose mail did not prove who wrote them.\n", p.Unproven)
	}
	if p.Step.Change != "" {
		fmt.Fprintf(to, "\nNext step: %s. %s\n", printable(p.Step.Change), p.Step.Reason)
	} else {
		fmt.Fprintf(to, "\nNext step: none now. %s\n", p.Step.Reason)
	}
	if p.Step.Record != "" {
		fmt.Fprintf(to, "\n  %s  TXT  %s\n", printable(p.Step.Name), printable(p.Step.Record))
	}
	if len(p.Blocks) > 0 {
		fmt.Fprintf(to, "\nWhat keeps p=%s from becoming stricter:\n", printable(p.P.Policy))
		for _, b := range p.Blocks {
			fmt.Fprintf(to, "- %s\n", printable(b.Text))
			if b.Fix != nil {
				printFix(to, b.Fix)
			}
		}
	}
	fmt.Fprintf(to, "\n%s\n", p.reportedBy())
	for _, n := range p.Notes {
		fmt.Fprintf(to, "%s\n", n)
	}
	return nil
}

// table prints what quarantine or reject would have done, a column for each window.
func (p *plan) table(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 8, 3, ' ', 0)
	fmt.Fprint(table, "under quarantine or reject")
	for _, w := range p.Windows {
		fmt.Fprintf(table, "\t%d days\t", w.Days)
	}
	fmt.Fprintln(table)
	for _, t := range tags {
		for _, row := range []struct {
			name string
			n    func(*rollout.Part) int64
		}{
			{t.Tag + ": " + t.Text, func(r *rollout.Part) int64 { return r.Messages }},
			{"  pass, untouched", func(r *rollout.Part) int64 { return r.Aligned }},
			{"  stopped, yours", func(r *rollout.Part) int64 { return r.Misaligned }},
			{"  stopped, forwarded", func(r *rollout.Part) int64 { return r.Forwarded }},
			{"  stopped, unknown", func(r *rollout.Part) int64 { return r.Unknown }},
		} {
			fmt.Fprint(table, row.name)
			for i := range p.Windows {
				part := p.Windows[i].Part(t.Tag)
				fmt.Fprintf(table, "\t%s\t", number(row.n(part)))
				if row.name[0] == ' ' {
					fmt.Fprint(table, percent(row.n(part), part.Messages))
				}
			}
			fmt.Fprintln(table)
		}
	}
	return table.Flush()
}

// mostReporters is how many of those who report are named.
const mostReporters = 5

// reportedBy names those who report.
func (p *plan) reportedBy() string {
	var total int64
	for _, r := range p.Reporters {
		total += r.Messages
	}
	text := "Nobody reports."
	for i, r := range p.Reporters {
		switch {
		case i == 0:
			text = fmt.Sprintf("Reported by %s (%s)", printable(r.Org), percent(r.Messages, total))
		case i < mostReporters:
			text += fmt.Sprintf(", %s (%s)", printable(r.Org), percent(r.Messages, total))
		}
	}
	if more := len(p.Reporters) - mostReporters; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	text = strings.TrimSuffix(text, ".") + "."
	for i, r := range p.Absent[:min(len(p.Absent), mostReporters)] {
		if i == 0 {
			text += fmt.Sprintf(" Not in the last %d days, but before: ", absentDays)
		} else {
			text += ", "
		}
		text += printable(r.Org)
	}
	if len(p.Absent) > 0 {
		text += "."
	}
	return text
}
