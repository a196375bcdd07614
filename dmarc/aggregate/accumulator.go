package aggregate

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/feedback"
	"github.com/mailverdict/mailverdict/internal/limit"
)

// An Accumulator counts messages for the reports that their Domain Owners ask for. It keeps one
// counter for each row of each report, and gives them to a Store from time to time. It is safe for
// concurrent use and must not be copied. Its fields are set before its first use.
type Accumulator struct {
	// Store takes what was counted.
	Store Store

	// Exclude lists what is in no report: domains, which stand for all names below them too,
	// and addresses of recipients. List the addresses that your own reports come to: else
	// two receivers that report to each other never stop, as their reports are messages too.
	Exclude []string

	// MaxRows is how many rows are held until the Store has taken them. Run has them taken
	// before there are so many. A message that needs one more is counted in
	// Report.Omitted. Default 100,000.
	MaxRows int

	// MaxPolicies is how many policies are reported about in one day. A message under
	// another one is counted in Batch.Lost. One organization may have a hundredth of them:
	// a wildcard in DNS gives every invented name a policy. Default 20,000.
	MaxPolicies int

	// Interval is how often Run gives the Store what was counted, which is what a crash
	// loses. Default one minute.
	Interval time.Duration

	// Flushed, if it is set, is called after each attempt to have the Store take a Batch,
	// with its error: for the log.
	Flushed func(*Batch, error)

	once     sync.Once
	excluded map[string]bool
	full     chan struct{} // tells Run that there are nearly MaxRows rows

	mu     sync.Mutex // guards counts
	counts counters

	flushing sync.Mutex // guards pending
	pending  *Batch     // what the Store has not confirmed
}

// The defaults of Accumulator.
const (
	DefaultMaxRows     = 100_000
	DefaultMaxPolicies = 20_000
	DefaultInterval    = time.Minute
)

// A Store takes what an Accumulator counted and adds it to what it has. Package sqlstore has one
// for SQLite and PostgreSQL.
type Store interface {
	// Add adds all of a batch, or nothing where it returns an error. A batch with the ID of
	// one that was added before is not added again: a batch is given once more where nobody
	// knows what became of it.
	Add(ctx context.Context, b *Batch) error
}

// A Batch is what was counted since the last one.
type Batch struct {
	ID string `json:"id"` // letters and digits; no other batch has it

	// Reports have a period, a policy, Destinations, Errors, Omitted and the rows that were
	// counted. Whoever writes a report fills in the rest.
	Reports []*Report `json:"reports"`

	// Lost is how many messages are in no report, as there were too many policies.
	Lost int64 `json:"lost,omitempty"`
}

// Messages returns how many messages a batch counts, without the lost ones.
func (b *Batch) Messages() int64 {
	var sum int64
	for _, r := range b.Reports {
		sum = addCounts(sum, addCounts(r.Messages(), r.Omitted))
	}
	return sum
}

// A Delivery is what became of a message.
type Delivery struct {
	// Disposition is what was done with the message because of DMARC: none also where it was
	// refused for another reason. A message that got DispositionTempFail comes again, and is
	// counted then.
	Disposition dmarc.Disposition

	// Reasons say why that is not what the policy asks for, where the Verifier did not decide
	// it: RFC 9990, section 3.1.6.
	Reasons []Reason

	// Recipients are the addresses of RCPT TO. They are in no report. A message whose
	// recipients are all excluded is not counted.
	Recipients []string
}

// Add counts a message, and reports whether it did: it does not where the Domain Owner asks for no
// reports, the message is excluded, or there are too many policies. It never waits for the Store.
func (a *Accumulator) Add(r *dmarc.Result, d Delivery) bool {
	a.once.Do(a.begin)
	var reasons []feedback.Reason
	for _, reason := range d.Reasons {
		reasons = append(reasons, feedback.Reason(reason))
	}
	row, why := feedback.RowOf(r, d.Disposition, reasons)
	if why != "" || a.excludes(r, d) {
		return false
	}
	var room [512]byte
	key := appendRow(room[:groupOctets], &row)
	policy := dayPolicy{dayOf(r.Time), Policy(feedback.PolicyOf(r))}

	a.mu.Lock()
	defer a.mu.Unlock()
	g, n := a.counts.group(policy, r.DMARC.OrganizationalDomain, limit.Of(a.MaxPolicies, DefaultMaxPolicies))
	if g == nil {
		a.counts.lost++
		return false
	}
	g.saw(feedback.Record(r))
	binary.BigEndian.PutUint32(key, n)
	most := limit.Of(a.MaxRows, DefaultMaxRows)
	if a.counts.add(g, key, most) == most-most/8 {
		select {
		case a.full <- struct{}{}:
		default: // it was said
		}
	}
	return true
}

func (a *Accumulator) begin() {
	a.full = make(chan struct{}, 1)
	a.excluded = make(map[string]bool)
	for _, s := range a.Exclude {
		if name, err := domain.Canonical(s); err == nil {
			s = name
		}
		a.excluded[strings.ToLower(s)] = true
	}
}

// excludes reports whether a message is not to be counted.
func (a *Accumulator) excludes(r *dmarc.Result, d Delivery) bool {
	if len(a.excluded) == 0 {
		return false
	}
	for name := r.DMARC.AuthorDomain; name != ""; name = domain.Parent(name) {
		if a.excluded[name] {
			return true
		}
	}
	return a.excluded[r.DMARC.PolicyDomain] || len(d.Recipients) > 0 &&
		!slices.ContainsFunc(d.Recipients, func(s string) bool { return !a.excluded[strings.ToLower(s)] })
}

// Flush has the Store take what was counted: first what it did not take before. After an error
// nothing is lost, as long as Flush is called again.
func (a *Accumulator) Flush(ctx context.Context) error {
	a.once.Do(a.begin)
	a.flushing.Lock()
	defer a.flushing.Unlock()
	if a.pending != nil {
		if err := a.store(ctx); err != nil {
			return err
		}
	}
	if a.pending = a.take(); a.pending == nil {
		return nil
	}
	return a.store(ctx)
}

// store has the Store take the pending batch.
func (a *Accumulator) store(ctx context.Context) error {
	err := a.Store.Add(ctx, a.pending)
	if a.Flushed != nil {
		a.Flushed(a.pending, err)
	}
	if err == nil {
		a.pending = nil
	}
	return err
}

// take returns what was counted, or nil where that is nothing.
func (a *Accumulator) take() *Batch {
	a.mu.Lock()
	c := a.counts.take()
	a.mu.Unlock()
	return c.batch()
}

// Run has the Store take what was counted once an Interval, and before there is too much of it,
// until ctx ends; then once more, for which it has half a minute. It returns the error of that
// last time. An error before is given to Flushed, and what the Store did not take is given to it
// again.
func (a *Accumulator) Run(ctx context.Context) error {
	a.once.Do(a.begin)
	ticker := time.NewTicker(limit.Of(a.Interval, DefaultInterval))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			return a.Flush(last)
		case <-ticker.C:
		case <-a.full:
		}
		_ = a.Flush(ctx) // Flushed has the error
	}
}
