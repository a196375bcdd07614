package send_test

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
)

// A memory is a Queue of reports that are given to it whole.
type memory struct {
	mu      sync.Mutex
	open    []*aggregate.Report
	tasks   []*send.Task
	bounces map[string]int
	last    map[string]time.Time
	pruned  []time.Time
	err     error
}

func (m *memory) Close(_ context.Context, ended time.Time, due func(*send.Task) time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = slices.DeleteFunc(m.open, func(r *aggregate.Report) bool {
		if !r.End.Before(ended) {
			return false
		}
		for _, address := range r.Destinations {
			t := &send.Task{ID: "t" + r.ID + address[:1], Address: address, Report: r}
			t.First = due(t)
			t.Due = t.First
			m.tasks = append(m.tasks, t)
		}
		return true
	})
	return m.err
}

func (m *memory) Claim(_ context.Context, now time.Time, lease time.Duration) (*send.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.State == send.StateWaiting && !t.Due.After(now) {
			t.Attempts++
			t.Due = now.Add(lease)
			copied := *t
			copied.Bounces, copied.LastBounce = m.bounces[t.Address], m.last[t.Address]
			return &copied, m.err
		}
	}
	return nil, m.err
}

func (m *memory) Rows(_ context.Context, t *send.Task) iter.Seq2[aggregate.Row, error] {
	return func(yield func(aggregate.Row, error) bool) {
		for _, row := range t.Report.Rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (m *memory) Settle(_ context.Context, done *send.Task) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.ID == done.ID {
			t.State, t.Due, t.Reason = done.State, done.Due, done.Reason
			if t.State == send.StateBounced {
				m.bounced(t.Address)
			}
		}
	}
	return m.err
}

func (m *memory) bounced(address string) {
	if m.bounces == nil {
		m.bounces, m.last = map[string]int{}, map[string]time.Time{}
	}
	m.bounces[address]++
	m.last[address] = time.Now()
}

func (m *memory) Bounce(_ context.Context, id string, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.ID == id && t.State != send.StateBounced {
			t.State = send.StateBounced
			m.bounced(t.Address)
		}
	}
	return nil
}

func (m *memory) Pending(context.Context, time.Time) iter.Seq2[*send.Task, error] {
	return func(yield func(*send.Task, error) bool) {
		for _, t := range m.tasks {
			copied := *t
			if t.State == send.StateWaiting && !yield(&copied, nil) {
				return
			}
		}
	}
}

func (m *memory) Prune(_ context.Context, before time.Time) error {
	m.pruned = append(m.pruned, before)
	return m.err
}
