package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

// check says what has changed and is to be looked after: for cron.
func (p *program) check(ctx context.Context, args []string) error {
	set := p.flags("check", "[DOMAIN ...]")
	store := storeFlag(set, defaultStore)
	asJSON := set.Bool("json", false, "JSON, a finding a line")
	once := set.Bool("once", false, "say what is found once, as long as it lasts")
	var c checker
	c.define(set)
	offline := set.Bool("offline", false, "ask no DNS for the names of hosts")
	var letter alertFlags
	letter.define(set)
	var dns dnsflags.Flags
	dns.Define(set)
	arguments, err := parse(set, args)
	if err == nil {
		err = errors.Join(c.valid(), letter.check())
	}
	if err != nil {
		return err
	}
	if !*offline {
		if c.resolver, err = dns.Resolver(); err != nil {
			return err
		}
	}
	inbox, done, err := openInbox(ctx, *store)
	if err != nil {
		return err
	}
	defer done()
	c.inbox = inbox
	found, err := c.domains(ctx, arguments, *once)
	if err != nil || len(found) == 0 {
		return err
	}
	if err := p.printFindings(found, *asJSON); err != nil {
		return err
	}
	if err := letter.send(ctx, found); err != nil {
		return err
	}
	return errFound
}

func (p *program) printFindings(found []finding, asJSON bool) error {
	for _, f := range found {
		var err error
		if asJSON {
			err = p.printJSON(f)
		} else {
			_, err = fmt.Fprintln(p.stdout, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A finding is something to look after.
type finding struct {
	Domain   string      `json:"domain"`
	Kind     findingKind `json:"kind"`
	Source   string      `json:"source,omitempty"`   // the sender
	Reporter string      `json:"reporter,omitempty"` // who stopped reporting
	Text     string      `json:"text"`
}

type findingKind string

const (
	newSource  findingKind = "new-source"  // a sender that was not there before fails
	notAligned findingKind = "not-aligned" // a sender that passed does not any more
	noReports  findingKind = "no-reports"  // there are no reports any more
)

// String returns the finding as one line.
func (f finding) String() string { return printable(f.Domain) + ": " + printable(f.Text) }

// A checker compares the last days with those before.
type checker struct {
	inbox    *sqlstore.Inbox
	resolver resolver.Resolver // nil where no DNS is asked
	now      time.Time
	days     int
	unknown  int64
	least    int64
	drop     float64
	silent   int
}

func (c *checker) define(set *flag.FlagSet) {
	c.now = time.Now()
	set.IntVar(&c.days, "days", 3, "compare the last so many `DAYS` with the 30 before")
	set.Int64Var(&c.unknown, "unknown", 100, "a new sender is of interest from so many `MESSAGES` on that fail")
	set.Int64Var(&c.least, "least", 20, "a sender that was there is compared from so many `MESSAGES` on, before and now")
	set.Float64Var(&c.drop, "drop", 20, "the share of its mail that passes has fallen by so many `POINTS` of a hundred")
	set.IntVar(&c.silent, "silent", 3, "reports have stopped after so many `DAYS` without one")
	set.Func("now", "look back from this `TIME`: RFC 3339, a date, or Unix seconds (default: now)", func(s string) (err error) {
		c.now, err = parseTime(s)
		return err
	})
}

// valid reports flags that make no sense.
func (c *checker) valid() error {
	if c.days < 1 || c.silent < 1 || c.unknown < 1 || c.least < 1 || c.drop <= 0 {
		return errors.New("-days, -silent, -unknown, -least and -drop are numbers above 0")
	}
	return nil
}

// baseline is how many days the days before are.
const baseline = 30

// domains checks domains, or all that the store has. With once, what was found the last time too is left out.
func (c *checker) domains(ctx context.Context, arguments []string, once bool) (found []finding, err error) {
	list, err := domainsOf(ctx, c.inbox, arguments, sqlstore.Last(missed, c.now))
	if err != nil {
		return nil, err
	}
	for _, domain := range list {
		all, err := c.domain(ctx, domain)
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			if once {
				last, err := c.inbox.Look(ctx, fmt.Sprintf("check %s %s %s%s", f.Kind, f.Domain, f.Source, f.Reporter), c.now)
				if err != nil {
					return nil, err
				}
				if c.now.Sub(last) < forgotten {
					continue
				}
			}
			found = append(found, f)
		}
	}
	return found, nil
}

// forgotten is after how long without it a finding is said again.
const forgotten = 7 * 24 * time.Hour

// domain checks one domain.
func (c *checker) domain(ctx context.Context, domain string) ([]finding, error) {
	before := sqlstore.Last(baseline, c.now.AddDate(0, 0, -c.days))
	days, err := c.inbox.Days(ctx, domain, before)
	if err != nil {
		return nil, err
	}
	found, err := c.reports(ctx, domain)
	if err != nil || len(days) < baseline/2 {
		return found, err // there is nothing to compare with
	}
	then, err := c.inbox.Flows(ctx, domain, before)
	if err != nil {
		return nil, err
	}
	now, err := c.inbox.Flows(ctx, domain, sqlstore.Last(c.days, c.now))
	if err != nil {
		return nil, err
	}
	fresh, err := c.newSources(ctx, domain, then, now)
	if err != nil {
		return nil, err
	}
	return slices.Concat(found, fresh, c.notAligned(domain, then, now)), nil
}

// newSources finds senders whose mail fails, and that were not there before, or with few messages alone. A
// host that passed before is none of them, whatever name its mail has now: see notAligned.
func (c *checker) newSources(ctx context.Context, domain string, then, now []rollout.Flow) (found []finding, err error) {
	failed := make(map[string]int64)
	passed := make(map[netip.Addr]bool)
	for i := range then {
		if f := &then[i]; f.Passed() {
			passed[f.Source] = true
		} else {
			failed[f.Sender()] += f.Messages
		}
	}
	strangers := slices.DeleteFunc(slices.Clone(now), func(f rollout.Flow) bool { return f.Source.IsValid() && passed[f.Source] })
	var fresh []source
	for _, s := range rollout.Sources(domain, strangers) {
		if s.Name != rollout.Others && s.Unknown+s.Misaligned >= c.unknown && failed[s.Name] < c.unknown {
			fresh = append(fresh, source{Source: s})
		}
	}
	names, err := hostNames(ctx, c.inbox, c.resolver, hostsToName(fresh), c.now)
	if err != nil {
		return nil, err
	}
	setHostNames(fresh, names)
	for _, s := range fresh {
		text := fmt.Sprintf("%s is new (%s): %s messages fail in %d days", s.title(), headings[s.Class], number(s.Unknown+s.Misaligned), c.days)
		if s.Fix != nil {
			text += "; reports show says how to set it up"
		}
		found = append(found, finding{Domain: domain, Kind: newSource, Source: s.Name, Text: text})
	}
	return found, nil
}

// notAligned finds senders whose mail passed before and does not now. What fails may have another name, as
// names come from what is proven: so their hosts are compared too.
func (c *checker) notAligned(domain string, then, now []rollout.Flow) (found []finding) {
	hosts := make(map[string]map[netip.Addr]bool)
	for i := range then {
		name := then[i].Sender()
		if hosts[name] == nil {
			hosts[name] = make(map[netip.Addr]bool)
		}
		if then[i].Source.IsValid() && then[i].Passed() {
			hosts[name][then[i].Source] = true
		}
	}
	for _, s := range rollout.Sources(domain, then) {
		was := 100 * float64(s.Aligned) / float64(max(s.Messages, 1))
		if s.Aligned < c.least || was < c.drop {
			continue
		}
		var passed, all int64
		for i := range now {
			if f := &now[i]; f.Sender() == s.Name || hosts[s.Name][f.Source] {
				all += f.Messages
				if f.Passed() {
					passed += f.Messages
				}
			}
		}
		if is := 100 * float64(passed) / float64(max(all, 1)); all >= c.least && was-is >= c.drop {
			found = append(found, finding{Domain: domain, Kind: notAligned, Source: s.Name, Text: fmt.Sprintf(
				"%s passes no longer: %s of %s messages in %d days, before it was %s", s.Name, percent(passed, all), number(all), c.days, percent(s.Aligned, s.Messages))})
		}
	}
	return found
}
