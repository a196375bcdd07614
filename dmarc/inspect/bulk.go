package inspect

import (
	"context"
	_ "embed"
	"encoding/json"
	"sync"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// This file holds messages against the rules of large receivers. Which receiver has which rule is
// data, in receivers.json; how a rule is checked is in bulkrules.go.

// A BulkStatus says whether a message keeps a rule.
type BulkStatus string

// The statuses.
const (
	BulkMet     BulkStatus = "met"
	BulkNotMet  BulkStatus = "not-met"
	BulkUnknown BulkStatus = "unknown" // it cannot be seen from here
)

// String returns the word.
func (s BulkStatus) String() string { return string(s) }

// A BulkResult is a rule of a large receiver, and whether a message keeps it. Its texts are
// escaped.
type BulkResult struct {
	Receiver string     `json:"receiver"` // google, yahoo, microsoft or apple
	Rule     string     `json:"rule"`     // a stable word: one-click-unsubscribe
	For      string     `json:"for"`      // all, or bulk: for those who send much
	Status   BulkStatus `json:"status"`
	Message  string     `json:"message"`
}

// A Message is a message whose verdict is known.
type Message struct {
	Result *dmarc.Result
	Header []byte // as it came, up to the empty line; with CRLF or LF
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

// CheckMessage holds a message against the published rules of Google, Yahoo, Microsoft and Apple.
// DNS is asked for the name of the client alone. A rule for forwarders is left out for a message
// that nobody forwarded.
func (i *Inspector) CheckMessage(ctx context.Context, m Message) []BulkResult {
	f := readFacts(m)
	if ip := m.Result.Envelope.IP; ip.IsValid() {
		dns := newAsker(ctx, i.Resolver, &i.Options)
		f.reverse, f.names = reverse(dns, ip.Unmap().WithZone(""))
		f.client = true
	}
	var list []BulkResult
	for _, r := range receivers() {
		for _, rule := range r.Rules {
			check := bulkRules[rule.Rule]
			if check == nil {
				continue // a test sees to it that there is none
			}
			status, message := check(f)
			if status == "" {
				continue
			}
			if rule.Note != "" && status != BulkMet {
				message += " " + rule.Note
			}
			list = append(list, BulkResult{r.Receiver, rule.Rule, rule.For, status, visible.Line(message)})
		}
	}
	return list
}
