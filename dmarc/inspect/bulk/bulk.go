// Package bulk says what large receivers ask of a message (Google, Yahoo, Microsoft, Apple), whether
// it keeps to that, and what the codes mean with which they refuse mail.
//
//	message := bulk.Message{Result: result, Header: header} // result is that of package dmarc
//	for _, r := range bulk.Check(ctx, nil, message) {
//		fmt.Println(r.Receiver, r.Rule, r.Status, r.Message)
//	}
//
// A rule is met, not met, or unknown: TLS and the complaints of recipients, for instance, cannot be
// seen in a message. [Text] and [HTML] lay the rules out, and [Explain] reads a refusal such as
// "550 5.7.515 Access denied".
package bulk

import (
	"context"
	_ "embed"
	"encoding/json"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/reverse"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// Which receiver has which rule is data, in receivers.json. How a rule is checked is in rules.go.

// Status says whether a message keeps a rule.
type Status string

// The statuses.
const (
	Met     Status = "met"
	NotMet  Status = "not-met"
	Unknown Status = "unknown" // it cannot be seen from here
)

// String returns the word.
func (s Status) String() string { return string(s) }

// A Result is a rule of a large receiver, and whether a message keeps it. Its texts are escaped.
type Result struct {
	Receiver string `json:"receiver"` // google, yahoo, microsoft or apple
	Rule     string `json:"rule"`     // a stable word: one-click-unsubscribe
	For      string `json:"for"`      // all, or bulk: for those who send much
	Status   Status `json:"status"`
	Message  string `json:"message"`
}

// A Message is a message whose verdict is known.
type Message struct {
	Result *dmarc.Result // nothing is said of a message without
	Header []byte        // as it came, up to the empty line; with CRLF or LF
}

// A receiver is one whose rules are known.
type receiver struct {
	Receiver string `json:"receiver"`
	Name     string `json:"name"`
	Bulk     string `json:"bulk"` // who is a bulk sender
	Rules    []struct {
		Rule string `json:"rule"`
		For  string `json:"for"`
		Note string `json:"note"`
	} `json:"rules"`
	Source   string `json:"source"`
	LookedUp string `json:"looked_up"`
}

//go:embed receivers.json
var receiversJSON []byte

// receivers is the table. A test reads it.
var receivers = sync.OnceValue(func() []receiver {
	var list []receiver
	if json.Unmarshal(receiversJSON, &list) != nil {
		return nil
	}
	return list
})

// The bounds of the questions for one message, which are about the name of its client alone.
const (
	maxQuestions = 1 + reverse.MaxNames
	maxTime      = 10 * time.Second
)

// Check holds a message against the published rules of the receivers. A nil resolver means
// resolver.Default. At most six questions are asked, for the name of the client, in ten seconds at
// most. A rule for forwarders is left out for a message that nobody forwarded.
func Check(ctx context.Context, r resolver.Resolver, m Message) []Result {
	if m.Result == nil {
		return nil
	}
	f := readFacts(m)
	if ip := m.Result.Envelope.IP; ip.IsValid() {
		f.client = true
		f.reverse, f.names = reverse.Look(asker(ctx, r), ip)
	}
	var list []Result
	for _, r := range receivers() {
		for _, rule := range r.Rules {
			check := rules[rule.Rule]
			if check == nil {
				continue // a test sees to it that there is none
			}
			status, message := check(f)
			if status == "" {
				continue
			}
			if rule.Note != "" && status != Met {
				message += " " + rule.Note
			}
			list = append(list, Result{r.Receiver, rule.Rule, rule.For, status, visible.Line(message)})
		}
	}
	return list
}

// asker asks within the bounds. What does not exist is an empty answer.
func asker(ctx context.Context, r resolver.Resolver) func(resolver.Question) (resolver.Answer, error) {
	budget := &resolver.Budget{Resolver: r, Questions: maxQuestions, Time: maxTime}
	return func(q resolver.Question) (resolver.Answer, error) {
		answer, err := ask.Do(ctx, budget, q)
		if err != nil && !resolver.Temporary(err) {
			return resolver.Answer{}, nil
		}
		return *answer, err
	}
}
