package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
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
	var o owner
	set.StringVar(&o.People, "people", "", "whether people write from the domain, who may post to mailing lists: `yes|no`")
	set.Func("not-mine", "a `SENDER`, as show names it, of whom you know that he does not send for you (repeatable): his mail counts as forged", func(s string) error {
		o.NotMine = append(o.NotMine, s)
		return nil
	})
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
	case o.People != "" && o.People != "yes" && o.People != "no":
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
	result, err := planFor(ctx, inbox, answers, v, w.now, o, windows...)
	if err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(result)
	}
	return result.text(p.stdout)
}

// text prints a plan for people.
func (p *plan) text(to io.Writer) error {
	fmt.Fprintf(to, "%s: p=%s", printable(p.Domain), p.P.Policy)
	if p.Testing != "" {
		fmt.Fprintf(to, " (%s)", p.Testing)
	}
	if p.Since != nil {
		fmt.Fprintf(to, " since %s, as reports tell", p.Since.Format(time.DateOnly))
	}
	fmt.Fprintf(to, "; reports of %d of the last %d days\n\n", p.Covered, p.Days)
	if !p.reported() {
		fmt.Fprintln(to, "The store has no report about this domain: what follows rests on none.")
	} else if err := p.table(to); err != nil {
		return err
	}
	if p.Unproven > 0 {
		fmt.Fprintf(to, "\nLeft out: %d messages in reports whose mail did not prove who wrote them.\n", p.Unproven)
	}
	fmt.Fprintf(to, "\nNext step: %s. %s\n", cmp.Or(p.Step.Change, "none now"), printable(p.Step.Reason))
	if p.Step.Record != "" {
		fmt.Fprintf(to, "\n  %s  TXT  %s\n", printable(p.Step.Name), printable(p.Step.Record))
	}
	if len(p.Blocks) > 0 {
		fmt.Fprintf(to, "\n%s:\n", p.blocksTitle())
		for _, b := range p.Blocks {
			fmt.Fprintf(to, "- %s\n", printable(b.Text))
			if b.Fix != nil {
				printFix(to, b.Fix)
			}
			if b.Source != "" {
				fmt.Fprintf(to, "  If it is not yours: -not-mine %s\n", printable(strconv.Quote(b.Source)))
			}
		}
	}
	fmt.Fprintf(to, "\n%s\n", p.reportedBy())
	for _, n := range p.Notes {
		fmt.Fprintf(to, "%s\n", printable(n))
	}
	return nil
}

// blocksTitle says what the blocks are of.
func (p *plan) blocksTitle() string {
	switch {
	case p.Testing != "":
		return fmt.Sprintf("What keeps p=%s (%s) from being applied", p.P.Policy, p.Testing)
	case p.P.Policy == "reject":
		return "What p=reject loses"
	}
	return fmt.Sprintf("What keeps p=%s from becoming stricter", p.P.Policy)
}

// reported says whether any report tells of the domain.
func (p *plan) reported() bool {
	return p.Unproven > 0 || len(p.Reporters) > 0 || slices.ContainsFunc(p.Windows, func(w window) bool {
		return slices.ContainsFunc(tags, func(t tag) bool { return w.Part(t.Tag).Messages > 0 })
	})
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
			text = fmt.Sprintf("Reported by %s (%s)", printable(reporterName(r)), percent(r.Messages, total))
		case i < mostReporters:
			text += fmt.Sprintf(", %s (%s)", printable(reporterName(r)), percent(r.Messages, total))
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
		text += printable(reporterName(r))
	}
	if len(p.Absent) > 0 {
		text += "."
	}
	return text
}
