package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/resolver"
)

// A plan is what rollout says: the plan for its days, and the numbers of the other windows.
type plan struct {
	rollout.Plan
	Since     *time.Time          `json:"since,omitempty"` // when p became what it is, as reports tell
	Published string              `json:"published,omitempty"`
	Unproven  int64               `json:"unproven"`
	Windows   []window            `json:"windows"`
	Reporters []sqlstore.Reporter `json:"reporters"` // that are counted
	Absent    []sqlstore.Reporter `json:"absent"`    // who reported before, and not lately
}

// A window is what a stricter policy would have done in so many days.
type window struct {
	Days int          `json:"days"`
	P    rollout.Part `json:"p"`
	SP   rollout.Part `json:"sp"`
	NP   rollout.Part `json:"np"`
}

// windows are the days that rollout compares.
var windows = []int{7, 30, 90}

// reporterDays is of how many days those who report are listed, at most.
const reporterDays = 90

// maxNames is how many names below a domain are looked up: forgers invent names.
const maxNames = 100

// An owner is what the owner of a domain says of it.
type owner struct {
	People  string   // whether people write from the domain: "yes", "no" or ""
	NotMine []string // senders that are not his
}

// reporterName returns what a reporter calls itself, and the domain that its mail proves, where that is another text:
// anybody can call himself anything.
func reporterName(r sqlstore.Reporter) string {
	if r.Domain == "" || r.Domain == trustedReporter || strings.EqualFold(r.Org, r.Domain) {
		return r.Org
	}
	return fmt.Sprintf("%s <%s>", r.Org, r.Domain)
}

// oneSidedShare is the share of all messages from which on the others tell little.
const oneSidedShare = 0.9

// oneSided says so where nearly all that is known is from one reporter.
func (v *view) oneSided() []string {
	var total int64
	shares := make(map[string]int64)
	for _, r := range v.Proven() {
		name := r.Domain
		if name == trustedReporter {
			name = r.Org
		}
		shares[name] += r.Messages
		total += r.Messages
	}
	for name, n := range shares {
		if float64(n) > oneSidedShare*float64(total) {
			return []string{fmt.Sprintf("Nearly all of this is what one receiver says, %s: what others get can be other mail.", name)}
		}
	}
	return nil
}

// planFor answers what a stricter policy would do to a domain, of which v is the view, and in other windows
// too. Without a resolver, what DNS would say is not known.
func planFor(ctx context.Context, inbox *sqlstore.Inbox, r resolver.Resolver, v *view, now time.Time, owner owner, windows ...int) (*plan, error) {
	in := rollout.Input{Domain: v.Domain, Now: now, Days: v.Days, People: owner.People, NotMine: owner.NotMine, Flows: v.flows}
	var err error
	if in.Reported, in.Since, err = inbox.Policy(ctx, v.Domain); err != nil {
		return nil, err
	}
	var doubts []string
	if r != nil {
		doubts = askDNS(ctx, r, &in)
	}
	covered, err := inbox.Days(ctx, v.Domain, sqlstore.Last(v.Days, now))
	if err != nil {
		return nil, err
	}
	if in.Covered = len(covered); in.Covered > 0 {
		in.First = covered[0].Day
	}
	p := &plan{Plan: rollout.Make(in), Published: in.Record, Unproven: v.Unproven, Reporters: v.Proven()}
	p.Notes = append(append(p.Notes, v.oneSided()...), doubts...)
	if !in.Since.IsZero() && p.P.Policy == in.Reported.P {
		p.Since = &in.Since
	}
	if p.Absent, err = absent(ctx, inbox, v.Domain, now); err != nil {
		return nil, err
	}
	p.Windows, err = windowsOf(ctx, inbox, in, windows)
	return p, err
}

const (
	absentDays    = 8  // without a report, of which the last one comes a day late
	absentReports = 10 // that somebody sent before, to be missed
)

// absent returns who reported in the last months, and not in the last days.
func absent(ctx context.Context, inbox *sqlstore.Inbox, domain string, now time.Time) ([]sqlstore.Reporter, error) {
	recent, err := inbox.Reporters(ctx, domain, sqlstore.Last(absentDays, now))
	if err != nil {
		return nil, err
	}
	before, err := inbox.Reporters(ctx, domain, sqlstore.Last(reporterDays, now))
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(before, func(r sqlstore.Reporter) bool {
		return r.Domain == "" || r.Reports < absentReports || slices.ContainsFunc(recent, func(other sqlstore.Reporter) bool { return other.Domain == r.Domain })
	})
	return append([]sqlstore.Reporter{}, list...), nil
}

// windowsOf answers the same for other numbers of days, all of them side by side.
func windowsOf(ctx context.Context, inbox *sqlstore.Inbox, in rollout.Input, days []int) ([]window, error) {
	list := make([]window, len(days))
	failed := make([]error, len(days))
	var wait sync.WaitGroup
	for i, n := range days {
		wait.Go(func() {
			other := in
			if n != in.Days {
				other.Flows, failed[i] = inbox.Flows(ctx, in.Domain, sqlstore.Last(n, in.Now))
			}
			made := rollout.Make(other)
			list[i] = window{n, made.P, made.SP, made.NP}
		})
	}
	wait.Wait()
	return list, errors.Join(failed...)
}

// names returns the names below a domain that flows are from: those that send mail of the domain first.
func names(domain string, flows []rollout.Flow) (list []string) {
	seen := make(map[string]bool)
	for _, own := range []bool{true, false} {
		for _, f := range flows { // those with the most messages first
			isOwn := f.Class == rollout.Aligned || f.Class == rollout.Misaligned
			if isOwn == own && !seen[f.HeaderFrom] && strings.HasSuffix(f.HeaderFrom, "."+domain) && len(list) < maxNames {
				seen[f.HeaderFrom] = true
				list = append(list, f.HeaderFrom)
			}
		}
	}
	return list
}
