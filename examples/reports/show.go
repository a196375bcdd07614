package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

// show prints who sends as each domain.
func (p *program) show(ctx context.Context, args []string) error {
	set := p.flags("show", "[DOMAIN ...]")
	store := storeFlag(set, defaultStore)
	s := showing{program: p}
	set.BoolVar(&s.asJSON, "json", false, "JSON, one domain a line")
	set.BoolVar(&s.all, "all", false, "all sources, not the largest alone")
	offline := set.Bool("offline", false, "ask no DNS for the names of hosts: those that the store has are shown")
	s.window.define(set)
	var dns dnsflags.Flags
	dns.Define(set)
	arguments, err := parse(set, args)
	if err != nil {
		return err
	}
	if !*offline {
		if s.resolver, err = dns.Resolver(); err != nil {
			return err
		}
	}
	inbox, done, err := openInbox(ctx, *store)
	if err != nil {
		return err
	}
	defer done()
	s.inbox = inbox
	domains, err := domainsOf(ctx, inbox, arguments, s.window.period())
	if err != nil {
		return err
	}
	for i, domain := range domains {
		if i > 0 && !s.asJSON {
			fmt.Fprintln(p.stdout)
		}
		if err := s.domain(ctx, domain); err != nil {
			return err
		}
	}
	if len(domains) == 0 && !s.asJSON {
		fmt.Fprintf(p.stdout, "The store has no reports of the last %d days.\n", s.window.days)
	}
	return nil
}

// A showing is one run of show.
type showing struct {
	program  *program
	inbox    *sqlstore.Inbox
	resolver resolver.Resolver // nil where no DNS is asked
	window   windowFlags
	asJSON   bool
	all      bool
}

// domain prints who sends as a domain, and notes when that was.
func (s *showing) domain(ctx context.Context, domain string) error {
	last, err := s.inbox.Look(ctx, domain, s.window.now)
	if err != nil {
		return err
	}
	v, err := look(ctx, s.inbox, domain, s.window.days, s.window.now, last)
	if err != nil {
		return err
	}
	most := len(v.Sources)
	if !s.all {
		if !s.asJSON {
			v.fold()
		}
		most = min(len(v.Sources), mostShown)
	}
	names, err := hostNames(ctx, s.inbox, s.resolver, hostsToName(v.Sources[:min(most, mostNamed)]), s.window.now)
	if err != nil {
		return err
	}
	setHostNames(v.Sources, names)
	if s.asJSON {
		return s.program.printJSON(v)
	}
	return v.text(s.program.stdout, most, last)
}

const (
	mostShown = 20  // sources that are shown without -all
	mostNamed = 200 // of which names are asked for
)

// fold puts addresses that prove nothing into the source of all others, if fewer than one in a thousand messages
// came from them: nobody can do anything about one of them.
func (v *view) fold() {
	others := source{Source: rollout.Source{Name: rollout.Others, Class: rollout.Unknown}}
	kept := make([]source, 0, len(v.Sources))
	for _, s := range v.Sources {
		small := s.Class == rollout.Unknown && len(s.Addresses) == 1 && s.Name == s.Addresses[0].String() && s.Messages < v.Messages/1000
		if !small && s.Name != rollout.Others {
			kept = append(kept, s)
			continue
		}
		others.Messages += s.Messages
		others.Unknown += s.Unknown
		others.Hosts += s.Hosts
		if others.First.IsZero() || s.First.Before(others.First) {
			others.First = s.First
		}
		if s.Last.After(others.Last) {
			others.Last = s.Last
		}
	}
	if others.Hosts > 0 {
		kept = append(kept, others)
	}
	slices.SortStableFunc(kept, func(a, b source) int { return cmp.Compare(b.Messages, a.Messages) })
	v.Sources = kept
}

// headings are what the classes of sources are called.
var headings = map[rollout.Class]string{
	rollout.Aligned:    "aligned",
	rollout.Misaligned: "yours, not aligned",
	rollout.Forwarded:  "forwarder or list",
	rollout.Unknown:    "unknown",
}

// text prints a view for people: at most so many sources.
func (v *view) text(to io.Writer, most int, last time.Time) error {
	if v.Messages == 0 && v.Unproven == 0 {
		_, err := fmt.Fprintf(to, "%s: the store has no report of the last %d days about it\n", printable(v.Domain), v.Days)
		return err
	}
	fmt.Fprintf(to, "%s, %d days: %s messages, %s of them pass (%s)\n", printable(v.Domain), v.Days, number(v.Messages), number(v.Passed), percent(v.Passed, v.Messages))
	if v.Unproven > 0 {
		fmt.Fprintf(to, "Not counted: %s messages in reports that anybody can have written: their own mail does not pass DMARC (read -trusted counts them).\n", number(v.Unproven))
	}
	if len(v.Sources) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "\nsource\tkind\tmessages\tpass\thosts\tfirst\tlast\t")
	var fixes []source
	for i, s := range v.Sources {
		if s.Fix != nil && len(fixes) < 5 {
			fixes = append(fixes, s)
		}
		if i >= most {
			continue
		}
		mark := ""
		if s.New {
			mark = "new"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(s.title()), headings[s.Class], number(s.Messages), percent(s.Aligned, s.Messages), number(int64(s.Hosts)),
			s.First.Format(time.DateOnly), s.Last.Format(time.DateOnly), mark)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more := len(v.Sources) - most; more > 0 {
		fmt.Fprintf(to, "and %d more (-all)\n", more)
	}
	if !last.IsZero() {
		fmt.Fprintf(to, "New is what no report showed before %s.\n", last.UTC().Format("2006-01-02 15:04 UTC"))
	}
	for _, s := range fixes {
		fmt.Fprintf(to, "\n%s is not set up for %s:\n", printable(s.Name), printable(v.Domain))
		printFix(to, s.Fix)
	}
	return nil
}

func printFix(to io.Writer, f *rollout.Fix) {
	fmt.Fprintf(to, "  %s\n", printable(f.Text))
	for _, r := range f.Records {
		fmt.Fprintf(to, "    %s  %s  %s\n", printable(r.Name), r.Type, printable(r.Value))
	}
	if f.Note != "" {
		fmt.Fprintf(to, "  %s\n", printable(f.Note))
	}
}

// percent returns a share for people. A share that is not all is never shown as 100 %, nor one that is
// not nothing as 0 %.
func percent(part, whole int64) string {
	switch share := 100 * float64(part) / float64(max(whole, 1)); {
	case part == 0 || part == whole:
		return fmt.Sprintf("%.0f %%", share)
	case share > 99.9:
		return "> 99.9 %"
	case share < 0.1:
		return "< 0.1 %"
	default:
		return fmt.Sprintf("%.1f %%", share)
	}
}
