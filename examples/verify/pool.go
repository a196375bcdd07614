package main

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// A pool verifies the messages of many inputs side by side, and gives the outcomes in the
// order of the inputs.
type pool struct {
	checker *checker
	stdin   io.Reader
	slots   chan struct{} // one for each message that is being verified
}

// A stream is one input, and the messages that came out of it so far.
type stream struct {
	name  string
	tasks chan *task
	err   error // to be read once tasks is closed

	// Inputs take their first slots in their order: turn is closed once the input
	// before this one has had its, and taken when this one has.
	turn, taken chan struct{}
}

type task struct {
	outcome outcome
	done    chan struct{}
}

// run calls yield with each outcome, in order, and next after each input, until all are
// done or the context has ended.
func (p *pool) run(ctx context.Context, inputs []input, yield func(outcome), next func()) {
	workers := p.checker.options.workers
	p.slots = make(chan struct{}, workers)
	streams := make(chan *stream, workers) // inputs that are open ahead of what is printed
	go func() {
		defer close(streams)
		turn := make(chan struct{})
		close(turn)
		for _, in := range inputs {
			s := &stream{name: in.name, tasks: make(chan *task, workers), turn: turn, taken: make(chan struct{})}
			turn = s.taken
			select {
			case streams <- s:
				go p.read(ctx, in, s)
			case <-ctx.Done():
				return
			}
		}
	}()
	for s := range streams {
		for t := range s.tasks {
			select {
			case <-t.done:
			case <-ctx.Done():
				return
			}
			if ctx.Err() != nil {
				return
			}
			yield(t.outcome)
		}
		if ctx.Err() != nil {
			return
		}
		if s.err != nil {
			yield(outcome{file: s.name, err: s.err})
		}
		next()
	}
}

// read goes through an input. A task is in its stream before it waits for a slot, so that
// inputs that are ahead never keep the slots from the one that is waited for.
func (p *pool) read(ctx context.Context, in input, s *stream) {
	defer close(s.tasks)
	taken := sync.OnceFunc(func() { close(s.taken) })
	defer taken() // an input without messages
	s.err = in.each(ctx, p.stdin, p.checker.options, func(l letter, held bool) {
		t := &task{done: make(chan struct{})}
		select {
		case s.tasks <- t:
		case <-ctx.Done():
			return
		}
		select {
		case <-s.turn:
		case <-ctx.Done():
			return
		}
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		taken()
		verify := func() {
			defer close(t.done)
			defer func() { <-p.slots }()
			t.outcome = p.checker.verify(ctx, l)
		}
		if held {
			go verify()
		} else {
			verify()
		}
	})
}

// error returns the line about an input that could not be read.
func (o outcome) error() error { return fmt.Errorf("%s: %w", o.file, o.err) }
