package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"golang.org/x/time/rate"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Job is what every step knows. Beam carries it to the workers as JSON.
type Job struct {
	Plan
	Out string // directory or URL

	Workers   int     // processes that share Questions
	Questions float64 // DNS questions a second, of all workers together; 0: no limit
	Parallel  int     // messages side by side in a process
}

// A Plan is what the output depends on. OUT/run.json has that of the run that wrote it.
type Plan struct {
	In     []string `json:"in"`
	Shards int      `json:"shards"`
	Zones  []string `json:"zones,omitempty"`
	DNS    string   `json:"dns,omitempty"`
	stored.Options
}

// A worker is what the steps in one process share: its resolver with the cache, its share of the DNS
// questions, its file systems, and how many messages it verifies at once.
type worker struct {
	files   *files
	checker *stored.Checker
	slots   chan struct{}
}

// workers has the worker of each job and pass in this process. It is the one variable of the program:
// Beam makes a DoFn of its own for each bundle and has no other place for what they share.
var workers sync.Map // of string to func() (*worker, error)

// workerOf returns the worker of this process. Each pass has a fresh cache, since a cache remembers
// failures too.
func workerOf(ctx context.Context, job Job, pass int) (*worker, error) {
	key, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	made, _ := workers.LoadOrStore(fmt.Sprintf("%d %s", pass, key), sync.OnceValues(func() (*worker, error) {
		return newWorker(context.WithoutCancel(ctx), job)
	}))
	return made.(func() (*worker, error))()
}

func newWorker(ctx context.Context, job Job) (*worker, error) {
	w := &worker{files: &files{}, slots: make(chan struct{}, job.Parallel)}
	w.checker = &stored.Checker{Store: w.files, Options: job.Options, AsOf: stored.AsOfNow}
	if len(job.Zones) == 0 {
		w.checker.Resolver = job.resolver()
		return w, nil
	}
	all := resolver.Zone{}
	for _, name := range job.Zones {
		f, err := w.files.Open(ctx, name)
		if err != nil {
			return nil, err
		}
		zone, err := resolver.ParseZone(f, name)
		f.Close()
		if err != nil {
			return nil, err
		}
		all.Add(zone)
	}
	w.checker.Resolver, w.checker.AsOf = all, "zone"
	return w, nil
}

// resolver returns the cache of a worker over its share of the questions.
func (j *Job) resolver() resolver.Resolver {
	client := &resolver.Client{}
	if j.DNS != "" {
		client.Servers = []string{j.DNS}
	}
	if j.Questions == 0 {
		return &resolver.Cache{Resolver: client}
	}
	return &resolver.Cache{Resolver: &paced{client, j.limiter()}}
}

// limiter returns the share of one worker in the questions a second.
func (j *Job) limiter() *rate.Limiter {
	share := j.Questions / float64(max(1, j.Workers))
	return rate.NewLimiter(rate.Limit(share), int(share)+1)
}

// paced asks so many questions a second.
type paced struct {
	resolver.Resolver
	limiter *rate.Limiter
}

// Resolve waits for its turn. A context that would end before is a question without an answer.
func (p *paced) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	if err := p.limiter.Wait(ctx); err != nil {
		return resolver.Answer{}, &resolver.Error{Question: q, Err: fmt.Errorf("%w: the limit of questions a second (-questions)", resolver.ErrTimeout)}
	}
	return p.Resolver.Resolve(ctx, q)
}
