package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

// build lays out the data flow:
//
//	what -in says ─► names ─► shards of names ─► verdicts and counts of each shard, as files
//	                                   │                                         │
//	                                   └► names to ask again ─► second pass ─────┴► summary.json
//
// What travels between the steps is a name, or the number of a shard: never the octets of a message.
// A step may be done more than once, on any worker. It leaves the same files.
//
// With several branches the shards are dealt out among them, and each branch has all steps of its
// own, so that a runner can give it to another process (see onWorkers).
func build(s beam.Scope, job Job, branches int) {
	names := beam.ParDo(s, &listNames{job}, beam.CreateList(s, job.In))
	var written []beam.PCollection
	for i := range branches {
		s := s.Scope(branchName(i))
		shards := beam.GroupByKey(s, beam.ParDo(s, &dealOut{i, branches}, names))
		first, again := beam.ParDo2(s, &verifyShard{job}, shards)
		// Nothing comes out of this GroupByKey before the first pass is done.
		second := beam.ParDo(s, &verifyAgain{job}, beam.GroupByKey(s, again))
		written = append(written, first, second)
	}
	all := beam.GroupByKey(s, beam.AddFixedKey(s, beam.Flatten(s, written...)))
	beam.ParDo0(s, &summarize{job}, all)
}

func branchName(i int) string { return fmt.Sprintf("worker %d", i) }

// A shardName is a name and the number of its shard.
type shardName struct {
	Shard int
	Name  stored.Name
}

// dealOut is the step that takes the shards of a branch, and makes their numbers keys.
type dealOut struct{ Branch, Of int }

// ProcessElement emits the name if it is one of the branch.
func (d *dealOut) ProcessElement(n shardName, emit func(int, stored.Name)) {
	if n.Shard%d.Of == d.Branch {
		emit(n.Shard, n.Name)
	}
}

// registered makes the steps known to Beam under their names. It has to be called first in every
// process, also in one that is a worker.
func registered() {
	beam.RegisterType(reflect.TypeFor[shardName]())
	beam.RegisterType(reflect.TypeFor[stored.Name]())
	register.DoFn2x0[shardName, func(int, stored.Name)](&dealOut{})
	register.DoFn3x1[context.Context, string, func(shardName), error](&listNames{})
	register.DoFn5x1[context.Context, int, func(*stored.Name) bool, func(int), func(int, stored.Name), error](&verifyShard{})
	register.DoFn4x1[context.Context, int, func(*stored.Name) bool, func(int), error](&verifyAgain{})
	register.DoFn3x1[context.Context, int, func(*int) bool, error](&summarize{})
	register.Emitter1[shardName]()
	register.Emitter1[int]()
	register.Emitter2[int, stored.Name]()
	register.Iter1[stored.Name]()
	register.Iter1[int]()
}
