package send

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/enum"
)

// A Queue has the reports that are to be sent, each to each of its destinations. Package sqlstore
// is one. Many Senders may share a Queue.
type Queue interface {
	// Close closes the reports whose period ended before a time, and queues their
	// deliveries, each due at a time that due returns. What is counted for such a period
	// later is another report. A report without a row or without a destination is not queued.
	Close(ctx context.Context, ended time.Time, due func(t *Task) time.Time) error

	// Claim returns a delivery that is due, or nil. It counts as an attempt, and is due again
	// only after the lease, so that no other Sender claims it, and one that dies delays it.
	Claim(ctx context.Context, now time.Time, lease time.Duration) (*Task, error)

	// Rows yields the rows of the report of a delivery, those with the most messages first.
	Rows(ctx context.Context, t *Task) iter.Seq2[aggregate.Row, error]

	// Settle takes the State, Due and Reason of a delivery that was claimed. StateBounced
	// counts as a bounce of its address.
	Settle(ctx context.Context, t *Task) error

	// Bounce takes that the mail of a delivery came back, which counts once as a bounce of
	// its address. An unknown ID is not an error.
	Bounce(ctx context.Context, id string, now time.Time) error

	// Pending yields the deliveries that are not settled, and those that the reports of
	// periods that ended would have. It changes nothing.
	Pending(ctx context.Context, ended time.Time) iter.Seq2[*Task, error]

	// Prune forgets what ended before a time, sent or not.
	Prune(ctx context.Context, before time.Time) error
}

// A Task is one report on its way to one destination.
type Task struct {
	ID      string // letters and digits; part of MAIL FROM, so that a bounce names it
	Address string // as the policy record has it

	// Report has the ID, period, policy and Errors of the report, and no rows.
	Report *aggregate.Report

	Attempts int       // this one included
	First    time.Time // when it was due first
	Due      time.Time // when it is due next, while State is StateWaiting
	State    State
	Reason   string // of the last attempt, for people; escaped

	// Bounces is how many mails to the address bounced, none of them 30 days after the one
	// before, and LastBounce is when the last one did.
	Bounces    int
	LastBounce time.Time
}

// State is how far a delivery is.
type State uint8

const (
	StateWaiting   State = iota // for its first attempt, or another one
	StateSent                   // the destination accepted the mail
	StateBounced                // it refused the mail, or the mail came back
	StateFailed                 // it could not be delivered within a day, or not at all
	StateForbidden              // the destination did not agree to get such reports
	StateGivenUp                // the destination bounces, and was not tried
)

var stateWords = []string{"waiting", "sent", "bounced", "failed", "forbidden", "given-up"}

// String returns a word for the state, such as "sent" or "given-up".
func (s State) String() string { return enum.String(stateWords, s) }

// MarshalText returns the word of String.
func (s State) MarshalText() ([]byte, error) { return enum.MarshalText(stateWords, s) }

// UnmarshalText reads a word that MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error { return enum.UnmarshalText(stateWords, s, text) }

// LogValue returns what people want to know of a delivery.
func (t *Task) LogValue() slog.Value {
	list := []slog.Attr{
		slog.String("domain", t.Report.Policy.Domain), slog.String("report_id", t.Report.ID), slog.String("to", t.Address),
		slog.String("state", t.State.String()), slog.Int("attempts", t.Attempts),
	}
	if t.State == StateWaiting {
		list = append(list, slog.Time("due", t.Due))
	}
	if t.Reason != "" {
		list = append(list, slog.String("reason", t.Reason))
	}
	return slog.GroupValue(list...)
}

// String returns the delivery as one line.
func (t *Task) String() string {
	text := t.Report.Policy.Domain + " to " + t.Address + ": " + t.State.String()
	if t.Reason != "" {
		text += ": " + t.Reason
	}
	return text
}
