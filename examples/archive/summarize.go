package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

// summarize is the last step: it adds up what the shards counted.
type summarize struct{ Job Job }

func (j *Job) summaryFile() string { return strings.TrimSuffix(j.Out, "/") + "/summary.json" }

// ProcessElement gets the numbers of all shards, under one key.
func (s *summarize) ProcessElement(ctx context.Context, _ int, next func(*int) bool) error {
	w, err := workerOf(ctx, s.Job, 1)
	if err != nil {
		return err
	}
	var shards []int
	for shard := 0; next(&shard); {
		shards = append(shards, shard)
	}
	slices.Sort(shards)
	shards = slices.Compact(shards)
	var all stored.Summary
	for _, shard := range shards {
		r, err := s.Job.finished(ctx, w, shard)
		if err != nil {
			return err
		}
		if r == nil {
			return fmt.Errorf("%s is gone", s.Job.recordFile(shard))
		}
		all.Merge(&r.Summary)
	}
	if err := s.sweep(ctx, w, shards); err != nil {
		return err
	}
	return w.files.writeJSON(ctx, s.Job.summaryFile(), &all)
}

// sweep removes what is no part of this run: files that a killed worker was writing, and shards
// whose messages are not there any more.
func (s *summarize) sweep(ctx context.Context, w *worker, shards []int) error {
	keep := map[string]bool{}
	for _, shard := range shards {
		keep[s.Job.verdictsFile(shard)], keep[s.Job.recordFile(shard)] = true, true
	}
	for _, pattern := range []string{"/verdicts-*-of-*", "/summary-*-of-*"} {
		found, err := w.files.list(ctx, strings.TrimSuffix(s.Job.Out, "/")+pattern)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(name string) bool { return keep[name] })
		if err := w.files.remove(ctx, found...); err != nil {
			return err
		}
	}
	return nil
}
