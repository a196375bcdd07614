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
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/resolver"
)

// planTime is how long a plan waits for DNS.
const planTime = 3 * time.Second

// askDNS adds to the input of a plan what DNS says: the record that is published, and which names do not
// exist. It returns what DNS did not answer, in sentences.
func askDNS(ctx context.Context, r resolver.Resolver, in *rollout.Input) (doubts []string) {
	ctx, cancel := context.WithTimeout(ctx, planTime)
	defer cancel()
	var err error
	if in.Record, err = published(ctx, r, in.Domain); err != nil {
		doubts = append(doubts, fmt.Sprintf("The record is what reports tell of it, as the published one could not be read: %s.", err))
	} else if in.Record == "" {
		doubts = append(doubts, fmt.Sprintf("No record is published at _dmarc.%s now, so that nothing is asked for.", in.Domain))
		in.Reported.P, in.Reported.SP, in.Reported.NP, in.Since = "none", "", "", time.Time{} // whatever was published before
	}
	in.NoMail = sendsNoMail(ctx, r, in.Domain)
	var open int
	if in.Missing, open = missing(ctx, r, names(in.Domain, in.Flows)); open > 0 {
		doubts = append(doubts, fmt.Sprintf("DNS did not say of %d names whether they exist: their mail is counted under sp.", open))
	}
	return doubts
}

// published returns the policy record of a domain, or "" where it has none.
func published(ctx context.Context, r resolver.Resolver, domain string) (found string, err error) {
	answer, err := r.Resolve(ctx, resolver.Question{Name: "_dmarc." + domain, Type: resolver.TypeTXT})
	if err != nil {
		return "", unlessNotFound(err)
	}
	for _, text := range answer.TXT {
		if _, isDMARC, _ := record.Parse(text, record.RFC9989); isDMARC {
			if found != "" {
				return "", errors.New("there are two, which is as good as none (RFC 9989, section 4.10)")
			}
			found = text
		}
	}
	return found, nil
}

// sendsNoMail reports whether the SPF record of a domain lets nobody send.
func sendsNoMail(ctx context.Context, r resolver.Resolver, domain string) bool {
	answer, err := r.Resolve(ctx, resolver.Question{Name: domain, Type: resolver.TypeTXT})
	return err == nil && slices.ContainsFunc(answer.TXT, func(text string) bool {
		return strings.EqualFold(strings.Join(strings.Fields(text), " "), "v=spf1 -all")
	})
}

// missing returns of names whether they do not exist in DNS, and of how many DNS did not say.
func missing(ctx context.Context, r resolver.Resolver, names []string) (absent map[string]bool, open int) {
	absent = make(map[string]bool)
	var lock sync.Mutex
	sideBySide(names, func(name string) {
		_, err := r.Resolve(ctx, resolver.Question{Name: name, Type: resolver.TypeA})
		lock.Lock()
		defer lock.Unlock()
		switch {
		case errors.Is(err, resolver.ErrNXDomain):
			absent[name] = true
		case unlessNotFound(err) != nil:
			open++
		default:
			absent[name] = false
		}
	})
	return absent, open
}

// maxAsked is how many questions of one page or answer are under way.
const maxAsked = 10

// sideBySide calls f for each of a list, and returns when all calls have.
func sideBySide[T any](list []T, f func(T)) {
	var wait sync.WaitGroup
	free := make(chan struct{}, maxAsked)
	for _, one := range list {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			f(one)
		})
	}
	wait.Wait()
}
