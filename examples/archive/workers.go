package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/runnerlib"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"golang.org/x/sync/errgroup"
)

// errWorkerLost is why a job is given up: a job server may wait for a worker that is gone for ever.
var errWorkerLost = errors.New("a worker is gone")

// onPrism runs the job on a job server that is a Prism, with worker processes of this program.
//
// Prism gives a job one worker, and counts what two of the Go SDK report as if it were one. So there is
// a job for each worker, with a part of the shards. The last job has all shards: it finds them finished,
// and adds them up.
func (o *options) onPrism(ctx context.Context, stderr io.Writer) error {
	group, parts := errgroup.WithContext(ctx)
	if o.job.Workers > 1 {
		for i := range o.job.Workers {
			group.Go(func() error { return o.persist(parts, part{i, o.job.Workers}, stderr) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return o.persist(ctx, everything, stderr)
}

// persist runs a part on a worker, again if that was lost: what is finished stays so.
func (o *options) persist(ctx context.Context, part part, stderr io.Writer) error {
	for attempt := 1; ; attempt++ {
		err := onWorker(ctx, *jobopts.Endpoint, o.job, part)
		if !errors.Is(err, errWorkerLost) || attempt == o.attempts {
			return err
		}
		complain(stderr, fmt.Errorf("attempt %d: %w: what it had not finished is done again", attempt, err))
	}
}

// onWorker runs a part as a job of its own, on a worker of its own.
func onWorker(ctx context.Context, server string, job Job, part part) error {
	pool, err := startPool(ctx)
	if err != nil {
		return err
	}
	defer pool.close()
	p, s := beam.NewPipelineWithRoot()
	build(s, job, part)
	pipeline, err := marshal(ctx, p, pool.address)
	if err != nil {
		return err
	}
	// The worker is this program, which is there already: nothing has to be sent.
	nothing, err := os.CreateTemp("", "archive-worker-*")
	if err != nil {
		return err
	}
	nothing.Close()
	defer os.Remove(nothing.Name())
	if err := runnerlib.UpdateGoEnvironmentWorker(nothing.Name(), pipeline); err != nil {
		return err
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	go func() {
		select {
		case <-pool.lost:
			giveUp(errWorkerLost)
		case <-ctx.Done():
		}
	}()
	err = submit(ctx, server, pipeline, nothing.Name())
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		// The job server may know first that its worker is gone. It fails the job, and stops what
		// is left of the worker.
		if pool.workerLost(10 * time.Second) {
			return errWorkerLost
		}
	}
	return err
}

// marshal returns a pipeline as job servers take it, in the one environment of a pool.
func marshal(ctx context.Context, p *beam.Pipeline, pool string) (*pipepb.Pipeline, error) {
	edges, _, err := p.Build()
	if err != nil {
		return nil, err
	}
	environment, err := graphx.CreateEnvironment(ctx, graphx.URNEnvExternal, func(context.Context) string { return pool })
	if err != nil {
		return nil, err
	}
	return graphx.Marshal(edges, &graphx.Options{Environment: environment})
}

// submit runs a pipeline on a job server, and cancels it there when the context ends.
func submit(ctx context.Context, server string, p *pipepb.Pipeline, binary string) error {
	conn, err := grpcx.Dial(ctx, server, time.Minute)
	if err != nil {
		return fmt.Errorf("the job server %s: %w", server, err)
	}
	defer conn.Close()
	client := jobpb.NewJobServiceClient(conn)
	options := &runnerlib.JobOptions{Name: jobopts.GetJobName(), Experiments: slices.Clone(jobopts.GetExperiments()), Worker: binary}
	id, artifacts, session, err := runnerlib.Prepare(ctx, client, p, options)
	if err != nil {
		return err
	}
	token, err := runnerlib.Stage(ctx, id, artifacts, binary, session)
	if err != nil {
		return err
	}
	job, err := runnerlib.Submit(ctx, client, id, token)
	if err != nil {
		return err
	}
	err = runnerlib.WaitForCompletion(ctx, client, job)
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		client.Cancel(last, &jobpb.CancelJobRequest{JobId: job}) // its answer changes nothing any more
	}
	return err
}
