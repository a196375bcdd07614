package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
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
