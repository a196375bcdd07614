package main

import (
	"context"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

// build lays out the data flow:
//
//	what -in says ─► names ─► shards of names ─► verdicts and counts of each shard, as files
//	                                   │                                         │
//	                                   └► shards to ask again ─► second pass ────┴► summary.json
//
// What travels between the steps is a name, or the number of a shard: never the octets of a message.
// A step may be done more than once, on any worker. It leaves the same files.
//
// A pipeline of one part out of several has only its shards, and no summary.
func build(s beam.Scope, job Job, part part) {
	names := beam.ParDo(s, &listNames{job, part}, beam.CreateList(s, job.In))
	shards := beam.GroupByKey(s, names)
	first, again := beam.ParDo2(s, &verifyShard{job}, shards)
	// Nothing comes out of this GroupByKey before the first pass is done.
	second := beam.ParDo(s, &verifyAgain{job}, beam.GroupByKey(s, again))
	if part.Of > 1 {
		return
	}
	all := beam.GroupByKey(s, beam.AddFixedKey(s, beam.Flatten(s, first, second)))
	beam.ParDo0(s, &summarize{job}, all)
}

// A part is the shards whose numbers leave Number when divided by Of.
type part struct{ Number, Of int }

// everything is the part that has all shards.
var everything = part{0, 1}

// registered makes the steps known to Beam under their names. It has to be called first in every
// process, also in one that is a worker.
func registered() {
	beam.RegisterType(reflect.TypeFor[stored.Name]())
	register.DoFn3x1[context.Context, string, func(int, stored.Name), error](&listNames{})
	register.DoFn5x1[context.Context, int, func(*stored.Name) bool, func(int), func(int, int), error](&verifyShard{})
	register.DoFn4x1[context.Context, int, func(*int) bool, func(int), error](&verifyAgain{})
	register.DoFn3x1[context.Context, int, func(*int) bool, error](&summarize{})
	register.Emitter1[int]()
	register.Emitter2[int, stored.Name]()
	register.Emitter2[int, int]()
	register.Iter1[stored.Name]()
	register.Iter1[int]()
}
