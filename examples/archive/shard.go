package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

// A record says that a shard is finished, what of it is open, and what was counted.
type record struct {
	Names   string         `json:"names"`          // digest of the names of the shard
	Pass    int            `json:"pass"`           // 1, or 2 where a second pass was made
	Open    []open         `json:"open,omitempty"` // what a second pass is for
	Summary stored.Summary `json:"summary"`
}

// An open is a name of which DNS or the store left something open: its lines are Lines of the shard,
// from number At on.
type open struct {
	Name  stored.Name `json:"name"`
	At    int         `json:"at"`
	Lines int         `json:"lines"`
}

func (j *Job) verdictsFile(shard int) string {
	return fmt.Sprintf("%s/verdicts-%05d-of-%05d.jsonl", strings.TrimSuffix(j.Out, "/"), shard, j.Shards)
}

func (j *Job) recordFile(shard int) string {
	return fmt.Sprintf("%s/summary-%05d-of-%05d.json", strings.TrimSuffix(j.Out, "/"), shard, j.Shards)
}

// verifyShard is the step that writes the verdicts of a shard.
type verifyShard struct{ Job Job }

// ProcessElement emits the number of a shard that is done, or with it how many names are to be asked
// again. A shard that an earlier run finished, with the same names, is not done again.
func (v *verifyShard) ProcessElement(ctx context.Context, shard int, next func(*stored.Name) bool, done func(int), again func(int, int)) error {
	w, err := workerOf(ctx, v.Job, 1)
	if err != nil {
		return err
	}
	names := sorted(next)
	r, err := v.Job.finished(ctx, w, shard)
	if err != nil {
		return err
	}
	if digest := digestOf(names); r == nil || r.Names != digest {
		if r, err = v.Job.first(ctx, w, shard, names); err != nil {
			return err
		}
	}
	if r.Pass > 1 || len(r.Open) == 0 {
		done(shard)
	} else {
		again(shard, len(r.Open))
	}
	return nil
}

// first does the first pass of a shard.
func (j *Job) first(ctx context.Context, w *worker, shard int, names []stored.Name) (*record, error) {
	r := &record{Names: digestOf(names), Pass: 1}
	err := j.finish(ctx, w, shard, r, func(add func([]byte) error) error {
		var this open // the name whose lines come
		again, at := false, 0
		end := func() {
			if again {
				r.Open = append(r.Open, this)
			}
		}
		err := w.lines(ctx, names, func(n stored.Name, l stored.Line) error {
			if n != this.Name {
				end()
				this, again = open{Name: n, At: at}, false
			}
			this.Lines++
			again = again || l.Again
			at++
			return add(l.Text)
		})
		end()
		return err
	})
	return r, err
}

// verifyAgain is the second pass: it replaces the lines of a shard that DNS or the store left open.
type verifyAgain struct{ Job Job }

// ProcessElement emits the number of the shard. Which names are open is in its record.
func (v *verifyAgain) ProcessElement(ctx context.Context, shard int, _ func(*int) bool, done func(int)) error {
	w, err := workerOf(ctx, v.Job, 2)
	if err != nil {
		return err
	}
	r, err := v.Job.finished(ctx, w, shard)
	if err != nil || r == nil {
		return cmp.Or(err, fmt.Errorf("%s is gone", v.Job.recordFile(shard)))
	}
	var names []stored.Name
	for _, o := range r.Open {
		names = append(names, o.Name)
	}
	lines := map[stored.Name][]byte{}
	err = w.lines(ctx, names, func(n stored.Name, l stored.Line) error {
		lines[n] = append(lines[n], l.Text...)
		return nil
	})
	if err != nil {
		return err
	}
	old, err := w.files.Open(ctx, v.Job.verdictsFile(shard))
	if err != nil {
		return err
	}
	defer old.Close()
	err = v.Job.finish(ctx, w, shard, &record{Names: r.Names, Pass: 2}, func(add func([]byte) error) error {
		return replace(bufio.NewReader(old), r.Open, lines, add)
	})
	if err != nil {
		return err
	}
	done(shard)
	return nil
}

// replace calls add with the lines that r has, and with those that replace what was open.
func replace(r *bufio.Reader, list []open, by map[stored.Name][]byte, add func([]byte) error) error {
	for at := 0; ; at++ {
		if len(list) > 0 && at == list[0].At {
			for line := range bytes.Lines(by[list[0].Name]) {
				if err := add(line); err != nil {
					return err
				}
			}
		}
		line, err := r.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if len(list) == 0 || at < list[0].At {
			if err := add(line); err != nil {
				return err
			}
			continue
		}
		if at == list[0].At+list[0].Lines-1 {
			list = list[1:]
		}
	}
}

// finished returns the record of a shard that was finished, or nil.
func (j *Job) finished(ctx context.Context, w *worker, shard int) (*record, error) {
	text, err := w.files.read(ctx, j.recordFile(shard))
	if err != nil || text == nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", j.recordFile(shard), err)
	}
	return r, nil
}

// finish writes the lines of a shard, which fill adds, and counts them. The record of that is
// written last.
func (j *Job) finish(ctx context.Context, w *worker, shard int, r *record, fill func(add func([]byte) error) error) error {
	err := w.files.write(ctx, j.verdictsFile(shard), func(out io.Writer) error {
		buffered := bufio.NewWriter(out)
		err := fill(func(line []byte) error {
			if err := r.Summary.Add(line); err != nil {
				return err
			}
			_, err := buffered.Write(line)
			return err
		})
		return cmp.Or(err, buffered.Flush())
	})
	if err != nil {
		return err
	}
	return w.files.writeJSON(ctx, j.recordFile(shard), r)
}

// lines verifies messages side by side, and calls yield with their lines in the order of the names.
func (w *worker) lines(ctx context.Context, names []stored.Name, yield func(stored.Name, stored.Line) error) error {
	group, ctx := errgroup.WithContext(ctx)
	queue := make(chan (chan stored.Line), cap(w.slots))
	group.Go(func() error {
		defer close(queue)
		for _, n := range names {
			// A message has a slot only after those before it have theirs, for which yield waits.
			select {
			case w.slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			lines := make(chan stored.Line, 16)
			group.Go(func() error {
				defer func() { <-w.slots }()
				defer close(lines)
				return w.checker.Check(ctx, n, func(l stored.Line) error {
					select {
					case lines <- l:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
			})
			select {
			case queue <- lines:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	next := 0
	group.Go(func() error {
		for lines := range queue {
			for l := range lines {
				if err := yield(names[next], l); err != nil {
					return err
				}
			}
			next++
		}
		return nil
	})
	return group.Wait()
}

// sorted returns all names, each once, in their order.
func sorted(next func(*stored.Name) bool) []stored.Name {
	var names []stored.Name
	for n := (stored.Name{}); next(&n); n = (stored.Name{}) {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b stored.Name) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
	})
	return slices.CompactFunc(names, func(a, b stored.Name) bool { return a.File == b.File && a.Offset == b.Offset })
}

// digestOf returns a digest of names.
func digestOf(names []stored.Name) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, n := range names {
		e.Encode(n) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}
