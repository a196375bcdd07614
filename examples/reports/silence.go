package main

import (
	"context"
	"fmt"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// This file finds that reports have stopped.

// mainShare is the share of all messages from which on a reporter is missed.
const mainShare = 0.2

// missed is for how many days it is said of a domain that its reports have stopped.
const missed = 180

// reports finds that reports have stopped: all of them, or those of a reporter who had a large part. A domain that
// had few is not missed.
func (c *checker) reports(ctx context.Context, domain string) (found []finding, err error) {
	// The report about yesterday comes today: the days without one are those before.
	recent := sqlstore.Last(c.silent+1, c.now)
	days, err := c.inbox.Days(ctx, domain, recent)
	if err != nil {
		return nil, err
	}
	if len(days) == 0 {
		return c.stopped(ctx, domain)
	}
	present := make(map[string]bool)
	list, err := c.inbox.Reporters(ctx, domain, recent)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		present[r.Domain] = true
	}
	if list, err = c.inbox.Reporters(ctx, domain, sqlstore.Last(baseline, recent.From.AddDate(0, 0, -1))); err != nil {
		return nil, err
	}
	var total int64
	for _, r := range list {
		if r.Domain != "" {
			total += r.Messages
		}
	}
	for _, r := range list {
		if share := float64(r.Messages) / float64(max(total, 1)); r.Domain != "" && !present[r.Domain] && share >= mainShare && r.Reports >= baseline/2 {
			found = append(found, finding{Domain: domain, Kind: noReports, Reporter: r.Domain, Text: fmt.Sprintf(
				"%s has not reported about the last %d days; before, it reported %s of the messages", r.Org, c.silent+1, percent(r.Messages, total))})
		}
	}
	return found, nil
}

// stopped finds that no reports come any more.
func (c *checker) stopped(ctx context.Context, domain string) ([]finding, error) {
	days, err := c.inbox.Days(ctx, domain, sqlstore.Last(missed, c.now))
	if err != nil || len(days) == 0 {
		return nil, err
	}
	last := days[len(days)-1].Day
	if days, err = c.inbox.Days(ctx, domain, sqlstore.Last(baseline, last)); err != nil || len(days) < baseline/2 {
		return nil, err
	}
	return []finding{{Domain: domain, Kind: noReports, Text: fmt.Sprintf(
		"no report came about the last %d days, the last one was about %s: are rua and its mailbox as they were?", c.silent+1, last.Format(time.DateOnly))}}, nil
}
