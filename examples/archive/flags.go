package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/flink"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/spark"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
)

const usage = `usage: archive -in GLOB|DIR|URL [-in …] -out DIR|URL [flags]

DMARC verdicts over stored mail: .eml, .emlx and mbox files, Maildirs, gzip, and
the objects that Amazon SES writes into a bucket. OUT gets the results as JSON
lines in shards and summary.json. Given the same -in and -out again, a run that
was killed goes on: shards that it had finished are not done twice.

  -in WHERE        messages: a pattern (mail/*.eml), a directory with all below
                   it, s3://BUCKET/KEY or gs://…, with * for a part of a key, or
                   with a slash at the end for all below it (repeatable)
  -out WHERE       directory or URL for the results
  -shards N        files of results (default 64)
  -zone FILE       all of DNS, of then, is in this zone file (repeatable)
  -dns HOST:PORT   ask this recursive server (default: the system's)
  -questions N     DNS questions a second, of all workers together; 0: no limit
                   (default 500)
  -now TIME        evaluate at this time: RFC 3339 or Unix seconds (default: when
                   the message came, by its sidecar or topmost Received field)
  -psl             discover by public suffix list (RFC 7489)
  -journal         the messages are journal reports: verify what is in them. Only
                   where nobody else can write into the store
  -stored-id ID    compare with Authentication-Results of this authserv-id
                   (default: that of the topmost field)
  -authserv-id ID  name to put in Authentication-Results (default: archive)
  -max-size N      octets of a message; larger ones are listed (default 50 MiB)
  -timeout D       for one message (default 1m)
  -json            print summary.json, and not a table

  -runner NAME     local (default: all in this process), prism, flink, spark,
                   dataflow or universal
  -endpoint H:P    job server of -runner prism, flink, spark or universal
  -workers N       processes that work. With -runner prism they are started here;
                   elsewhere they share -questions (default 1)
  -j N             messages side by side in a process (default 4 for each CPU)
  -attempts N      how often a job is tried whose worker was lost (default 3)
  -v               show Beam's log

Beside a/b.eml, a/b.json is its envelope (as for verify) or a notification of SES,
and a/b.zone all of DNS for it. Flags of Beam's runners are taken as well.

Exit status: 0 done, 1 the job failed, 2 wrong usage.
`

// Options are what the command line says.
type options struct {
	job      Job
	runner   string
	attempts int
	json     bool
	verbose  bool
}

// parse reads the command line. It takes the flags of Beam, too, but for -zone, which is one of
// Dataflow's and means something else here: -worker_zone says the same.
func parse(args []string) (*options, error) {
	o := &options{job: Job{Plan: Plan{Shards: 64}, Questions: 500, Workers: 1, Parallel: 4 * runtime.NumCPU()}, runner: "local", attempts: 3}
	o.job.AuthservID = "archive"
	set := flag.NewFlagSet("archive", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	var dns dnsflags.Flags
	o.define(set, &dns)
	flag.CommandLine.VisitAll(func(f *flag.Flag) {
		if set.Lookup(f.Name) == nil {
			set.Var(f.Value, f.Name, f.Usage)
		}
	})
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	flag.CommandLine = set // Beam sends the flags that are set to the workers
	o.job.In = append(o.job.In, set.Args()...)
	o.job.Zones, o.job.DNS = dns.Zones, dns.Server
	if isWorker := set.Lookup("worker"); isWorker != nil && isWorker.Value.String() == "true" {
		return o, nil
	}
	if err := dns.Check(); err != nil {
		return nil, err
	}
	return o, o.check()
}

// define tells set which flags there are.
func (o *options) define(set *flag.FlagSet, dns *dnsflags.Flags) {
	j := &o.job
	dns.Define(set)
	set.Func("in", "", func(s string) error { j.In = append(j.In, s); return nil })
	set.StringVar(&j.Out, "out", "", "")
	set.IntVar(&j.Shards, "shards", j.Shards, "")
	set.Float64Var(&j.Questions, "questions", j.Questions, "")
	set.Func("now", "", func(s string) (err error) { j.Now, err = sidecar.ParseTime(s); return err })
	set.BoolVar(&j.PublicSuffix, "psl", false, "")
	set.BoolVar(&j.Journal, "journal", false, "")
	set.StringVar(&j.StoredID, "stored-id", "", "")
	set.StringVar(&j.AuthservID, "authserv-id", j.AuthservID, "")
	set.Int64Var(&j.MaxSize, "max-size", stored.DefaultMaxSize, "")
	set.DurationVar(&j.Timeout, "timeout", stored.DefaultTimeout, "")
	set.BoolVar(&o.json, "json", false, "")
	set.StringVar(&o.runner, "runner", o.runner, "")
	set.IntVar(&j.Workers, "workers", j.Workers, "")
	set.IntVar(&j.Parallel, "j", j.Parallel, "")
	set.IntVar(&o.attempts, "attempts", o.attempts, "")
	set.BoolVar(&o.verbose, "v", false, "")
}

// check reports what is wrong with the flags, and completes paths: workers may run elsewhere.
func (o *options) check() error {
	j := &o.job
	runners := []string{"local", "prism", "flink", "spark", "dataflow", "universal"}
	switch {
	case len(j.In) == 0:
		return errors.New("-in says which messages, and is missing")
	case j.Out == "":
		return errors.New("-out says where the results go, and is missing")
	case strings.ContainsAny(j.Out, `*?[\`):
		return errors.New("-out has a character of patterns in it (*, ?, [ or \\)")
	case j.Shards < 1 || j.Shards > 100_000:
		return errors.New("-shards is not from 1 to 100000")
	case j.Workers < 1 || j.Workers > 10_000:
		return errors.New("-workers is not from 1 to 10000")
	case j.Parallel < 1 || j.Parallel > 4096:
		return errors.New("-j is not from 1 to 4096")
	case j.Questions < 0 || j.MaxSize < 1 || j.Timeout <= 0 || o.attempts < 1:
		return errors.New("-questions, -max-size, -timeout and -attempts are not negative")
	case j.AuthservID == "" || strings.ContainsFunc(j.AuthservID, func(c rune) bool { return c <= ' ' || c > '~' }):
		return errors.New("-authserv-id is not a host name")
	case !slices.Contains(runners, o.runner):
		return fmt.Errorf("-runner is none of %s", strings.Join(runners, ", "))
	case slices.Contains([]string{"prism", "flink", "spark", "universal"}, o.runner) && *jobopts.Endpoint == "":
		return fmt.Errorf("-runner %s needs -endpoint, the address of its job server", o.runner)
	case o.runner == "local" && j.Workers > 1:
		return errors.New("-workers are of a job server: -runner local has one")
	}
	for i := range j.In {
		if err := absolute(&j.In[i]); err != nil {
			return err
		}
	}
	for i := range j.Zones {
		if err := absolute(&j.Zones[i]); err != nil {
			return err
		}
		if _, err := os.Stat(j.Zones[i]); scheme(j.Zones[i]) == "" && err != nil {
			return err
		}
	}
	return absolute(&j.Out)
}

// absolute completes a path. A directory keeps no slash at its end.
func absolute(name *string) (err error) {
	if scheme(*name) == "" {
		*name, err = filepath.Abs(*name)
	}
	return err
}
