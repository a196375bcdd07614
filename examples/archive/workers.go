package main

import (
	"context"
	"errors"
	"fmt"
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
	"google.golang.org/protobuf/proto"
)

// errWorkerLost is why a job is given up: a job server may wait for a worker that is gone for ever.
var errWorkerLost = errors.New("a worker is gone")

// onWorkers runs a pipeline of so many branches on a job server, with one worker process for each.
//
// Prism has one worker for each environment of a pipeline, however many processes would like to work.
// So each branch gets an environment of its own: the same program, in another process.
func onWorkers(ctx context.Context, p *beam.Pipeline, server string, branches int) error {
	pool, err := startPool(ctx)
	if err != nil {
		return err
	}
	defer pool.close()
	pipeline, err := marshal(ctx, p, pool.address)
	if err != nil {
		return err
	}
	// The workers are this program, which is there already: nothing has to be sent.
	nothing, err := os.CreateTemp("", "archive-worker-*")
	if err != nil {
		return err
	}
	nothing.Close()
	defer os.Remove(nothing.Name())
	if err := runnerlib.UpdateGoEnvironmentWorker(nothing.Name(), pipeline); err != nil {
		return err
	}
	if err := spread(pipeline, branches); err != nil {
		return err
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	go func() {
		select {
		case id := <-pool.lost:
			giveUp(fmt.Errorf("%w: %s", errWorkerLost, id))
		case <-ctx.Done():
		}
	}()
	err = submit(ctx, server, pipeline, nothing.Name())
	if cause := context.Cause(ctx); cause != nil {
		return cause
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

// spread gives each branch of a pipeline an environment of its own. The first one keeps that of the
// steps outside of the branches.
func spread(p *pipepb.Pipeline, branches int) error {
	c := p.GetComponents()
	for i := 1; i < branches; i++ {
		root := ""
		for id, t := range c.GetTransforms() {
			if t.GetUniqueName() == branchName(i) {
				root = id
			}
		}
		if root == "" {
			return fmt.Errorf("the pipeline has no branch %q", branchName(i))
		}
		old := c.GetTransforms()[firstStep(c, root)].GetEnvironmentId()
		id := fmt.Sprintf("%s-%d", old, i)
		c.Environments[id] = proto.CloneOf(c.GetEnvironments()[old])
		move(c, root, id)
	}
	return nil
}

// firstStep returns a transform below another one that has an environment.
func firstStep(c *pipepb.Components, id string) string {
	t := c.GetTransforms()[id]
	if len(t.GetSubtransforms()) == 0 || t.GetEnvironmentId() != "" {
		return id
	}
	return firstStep(c, t.GetSubtransforms()[0])
}

// move moves a transform and all below it into an environment. What has none is the job server's own.
func move(c *pipepb.Components, id, environment string) {
	t := c.GetTransforms()[id]
	if t.GetEnvironmentId() != "" {
		t.EnvironmentId = environment
	}
	for _, sub := range t.GetSubtransforms() {
		move(c, sub, environment)
	}
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
