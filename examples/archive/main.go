// Command archive gives DMARC verdicts over stored mail: what would DMARC have done to it? It runs on
// Apache Beam: in one process, or on the workers of Flink, Spark, Dataflow or Prism.
//
//	archive -in mail/ -out verdicts
//	archive -in s3://inbound/2026/11/ -out s3://verdicts/2026-11
//
// The files, in the order in which data goes through them: flags; list (which messages there are);
// pipeline (the steps); shard (the messages of one shard, and what of it is finished), for each message
// package stored; summarize. Job is what all steps know, files where they read and write. Workers and
// pool run a job on other processes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx := context.Background()
	if !slices.Contains(os.Args, "-worker") { // a worker just ends
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		// The second signal kills, should the first one not be enough.
		context.AfterFunc(ctx, stop)
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if !beam.Initialized() {
		registered()
	}
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitOK
	case err != nil:
		complain(stderr, fmt.Errorf("%w (archive -h lists the flags)", err))
		return exitUsage
	}
	if !beam.Initialized() {
		o.initialize()
	}
	files := &files{}
	if err := o.begin(ctx, files); err != nil {
		complain(stderr, err)
		return exitUsage
	}
	if err := o.execute(ctx, stderr); err != nil {
		complain(stderr, cause(err))
		return exitFailed
	}
	if err := o.report(ctx, files, stdout); err != nil {
		complain(stderr, err)
		return exitFailed
	}
	return exitOK
}

// initialize readies Beam, once in a process. It does not return in one that is a worker.
func (o *options) initialize() {
	if !o.verbose {
		// Beam logs what it returns as an error, too, several times.
		beamlog.SetupLogging("error", "text")
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	beam.Init()
}

func (o *options) runFile() string { return strings.TrimSuffix(o.job.Out, "/") + "/run.json" }

// begin makes sure that what lies in OUT, if anything, is of a run with the same plan.
func (o *options) begin(ctx context.Context, f *files) error {
	text, err := f.read(ctx, o.runFile())
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	if text == nil {
		o.job.Started = time.Now().UTC().Truncate(time.Second)
		return f.writeJSON(ctx, o.runFile(), o.job.Plan)
	}
	var before Plan
	if err := json.Unmarshal(text, &before); err != nil {
		return fmt.Errorf("%s: %w", o.runFile(), err)
	}
	o.job.Started = before.Started
	if !reflect.DeepEqual(before, o.job.Plan) {
		return fmt.Errorf("%s has results of a run with other flags (run.json in it says which): give another -out", o.job.Out)
	}
	// The summary is of all shards, or is not there.
	if old, err := f.list(ctx, o.job.summaryFile()); err != nil || len(old) == 0 {
		return err
	}
	return f.remove(ctx, o.job.summaryFile())
}

// execute runs the pipeline.
func (o *options) execute(ctx context.Context, stderr io.Writer) error {
	if o.runner == "prism" {
		return o.onPrism(ctx, stderr)
	}
	p, s := beam.NewPipelineWithRoot()
	build(s, o.job, everything)
	runner := o.runner
	if runner == "local" {
		runner = "prism" // which it is, in this process
	}
	_, err := beam.Run(ctx, runner, p)
	return err
}

// report prints what the run found.
func (o *options) report(ctx context.Context, f *files, stdout io.Writer) error {
	if *jobopts.Async {
		return nil
	}
	text, err := f.read(ctx, o.job.summaryFile())
	if err != nil {
		return err
	}
	if text == nil {
		return errors.New("there are no messages in what -in says")
	}
	if o.json {
		_, err := stdout.Write(text)
		return err
	}
	var s stored.Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	return table(stdout, &s)
}

// cause returns what a step failed of, without the plan of the pipeline that Beam puts before it.
func cause(err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, "failed:\n"); i >= 0 && strings.Contains(text, "DoFn[") {
		return errors.New(strings.TrimSpace(text[i+len("failed:\n"):]))
	}
	return err
}

// complain writes one line about something that is wrong.
func complain(stderr io.Writer, err error) {
	fmt.Fprintf(stderr, "archive: %s\n", visible.Line(err.Error()))
}
