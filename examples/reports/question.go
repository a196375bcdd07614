package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/resolver"
)

// defaultDays is how many days show, rollout and serve look back.
const defaultDays = 30

// windowFlags are the flags that say of which days a question is.
type windowFlags struct {
	days int
	now  time.Time
}

func (w *windowFlags) define(set *flag.FlagSet) {
	w.days, w.now = defaultDays, time.Now()
	set.Func("days", fmt.Sprintf("look back so many `DAYS` (default %d)", defaultDays), func(s string) (err error) {
		w.days, err = parseDays(s)
		return err
	})
	set.Func("now", "look back from this `TIME`: RFC 3339, a date, or Unix seconds (default: now)", func(s string) (err error) {
		w.now, err = parseTime(s)
		return err
	})
}

func (w *windowFlags) period() sqlstore.Period { return sqlstore.Last(w.days, w.now) }

func parseDays(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 3660 {
		return 0, errors.New("not a number of days from 1 to 3660")
	}
	return n, nil
}

func parseTime(s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n < 1<<36 {
		return time.Unix(n, 0).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("neither RFC 3339, nor a date, nor Unix seconds")
}

func domainName(s string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
}

// A view is what the store has of a domain in a period.
type view struct {
	Domain    string              `json:"domain"`
	Days      int                 `json:"days"`
	Messages  int64               `json:"messages"` // of reports that are proven
	Passed    int64               `json:"passed"`
	Unproven  int64               `json:"unproven"` // of the other ones, which are in no other number
	Sources   []source            `json:"sources"`
	Reporters []sqlstore.Reporter `json:"reporters"`

	flows []rollout.Flow
}

// Proven returns those who report and proved who they are.
func (v *view) Proven() (list []sqlstore.Reporter) {
	for _, r := range v.Reporters {
		if r.Domain != "" {
			list = append(list, r)
		}
	}
	return list
}

// A source is a sender, and whether it is new.
type source struct {
	rollout.Source
	New bool `json:"new,omitempty"` // no report showed it before the last look

	// HostName is the name of its host by reverse DNS, of a source that has one host and is no provider.
	HostName string `json:"host_name,omitempty"`
}

// title returns the name, with that of its host, if there is one.
func (s *source) title() string {
	if s.HostName == "" {
		return s.Name
	}
	return s.Name + " (" + s.HostName + ")"
}

// hasOneHost reports whether the name of its host says more of the source. A provider's hosts do not.
func (s *source) hasOneHost() bool { return s.Provider == "" && s.Hosts == 1 && len(s.Addresses) == 1 }

// hostsToName returns the hosts of which the names say more of the sources.
func hostsToName(sources []source) (hosts []netip.Addr) {
	for i := range sources {
		if s := &sources[i]; s.hasOneHost() {
			hosts = append(hosts, s.Addresses[0])
		}
	}
	return hosts
}

// setHostNames gives such sources the names of their hosts.
func setHostNames(sources []source, names map[netip.Addr]string) {
	for i := range sources {
		if s := &sources[i]; s.hasOneHost() {
			s.HostName = names[s.Addresses[0]]
		}
	}
}

// lateDays is how many days after the mail the reports about it may come. Of older mail the reports were
// read late, and its sender is not new.
const lateDays = 7

// look returns what the store has of a domain. Sources that came since a time are new; with the zero
// time none is.
func look(ctx context.Context, inbox *sqlstore.Inbox, domain string, days int, now, since time.Time) (*view, error) {
	period := sqlstore.Last(days, now)
	v := &view{Domain: domain, Days: days, Sources: []source{}, Reporters: []sqlstore.Reporter{}}
	var err error
	if v.flows, err = inbox.Flows(ctx, domain, period); err != nil {
		return nil, err
	}
	reporters, err := inbox.Reporters(ctx, domain, sqlstore.Last(min(days, reporterDays), now))
	if err != nil {
		return nil, err
	}
	v.Reporters = append(v.Reporters, reporters...)
	if v.Unproven, err = inbox.Unproven(ctx, domain, period); err != nil {
		return nil, err
	}
	for _, s := range rollout.Sources(domain, v.flows) {
		v.Messages += s.Messages
		v.Passed += s.Aligned
		isNew := !since.IsZero() && !s.Seen.Before(since) && s.First.After(since.AddDate(0, 0, -lateDays))
		v.Sources = append(v.Sources, source{Source: s, New: isNew})
	}
	return v, nil
}

// domainsOf returns the domain that an argument names, or all that the store has.
func domainsOf(ctx context.Context, inbox *sqlstore.Inbox, arguments []string, period sqlstore.Period) (list []string, err error) {
	for _, a := range arguments {
		list = append(list, domainName(a))
	}
	if len(list) > 0 {
		return list, nil
	}
	totals, err := inbox.Totals(ctx, period)
	for _, t := range totals {
		list = append(list, t.Domain)
	}
	return list, err
}

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
