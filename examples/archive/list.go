package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
)

// listNames is the step that finds out what there is.
type listNames struct {
	Job  Job
	Part part
}

// ProcessElement emits the names that one of the -in stands for, with their shards.
func (l *listNames) ProcessElement(ctx context.Context, in string, emit func(int, stored.Name)) error {
	w, err := workerOf(ctx, l.Job, 1)
	if err != nil {
		return err
	}
	names, err := w.files.names(ctx, in, l.Job.Out)
	if err != nil {
		return err
	}
	for _, n := range names {
		if shard := shardOf(n, l.Job.Shards); shard%l.Part.Of == l.Part.Number {
			emit(shard, n)
		}
	}
	return nil
}

// shardOf returns the shard of a name, which depends on nothing else.
func shardOf(n stored.Name, shards int) int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s@%d", n.File, n.Offset)
	return int(h.Sum64() % uint64(shards))
}

// maxLevels is how deep a URL that ends in a slash is looked into.
const maxLevels = 8

// names returns the names of the messages that a pattern, a directory or a URL stands for.
func (f *files) names(ctx context.Context, in, out string) ([]stored.Name, error) {
	found, err := f.expand(ctx, in)
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(found))
	for _, name := range found {
		there[name] = true
	}
	var names []stored.Name
	for _, name := range found {
		switch base := path.Base(name); {
		case strings.HasPrefix(base, "."), isBeside(name), strings.HasPrefix(name, strings.TrimSuffix(out, "/")+"/"):
			continue
		}
		n := stored.Name{File: name}
		stem := strings.TrimSuffix(name, ".gz")
		stem = strings.TrimSuffix(strings.TrimSuffix(stem, ".eml"), ".emlx")
		if there[stem+".json"] {
			n.Sidecar = stem + ".json"
		}
		if there[stem+".zone"] {
			n.Zone = stem + ".zone"
		}
		parts, err := parted(n)
		if err != nil {
			return nil, err
		}
		names = append(names, parts...)
	}
	return names, nil
}

// isBeside reports whether a name is that of a file beside a message.
func isBeside(name string) bool { return slices.Contains([]string{".json", ".zone"}, path.Ext(name)) }

// expand returns what there is for a pattern, with what may stand beside it.
func (f *files) expand(ctx context.Context, in string) ([]string, error) {
	var patterns []string
	switch info, err := os.Stat(in); {
	case scheme(in) == "" && err == nil && info.IsDir():
		return tree(in)
	case scheme(in) != "" && strings.HasSuffix(in, "/"):
		for level, p := 1, in+"*"; level <= maxLevels; level, p = level+1, p+"/*" {
			patterns = append(patterns, p)
		}
	default:
		patterns = []string{in}
		stem := strings.TrimSuffix(in, ".gz")
		if trimmed := strings.TrimSuffix(strings.TrimSuffix(stem, ".eml"), ".emlx"); !strings.HasSuffix(trimmed, "*") || trimmed != stem {
			patterns = append(patterns, trimmed+".json", trimmed+".zone")
		}
	}
	var all []string
	for i, p := range patterns {
		found, err := f.list(ctx, p)
		if err != nil {
			return nil, err
		}
		if i == 0 && len(found) == 0 && scheme(in) == "" {
			return nil, fmt.Errorf("%s: there is no such file", in)
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), isDirectory), nil
}

// isDirectory reports whether a name is that of a local directory, or the marker of one in a bucket.
func isDirectory(name string) bool {
	if scheme(name) != "" {
		return strings.HasSuffix(name, "/")
	}
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// tree returns the files below a local directory that may be messages: of a Maildir those that were
// delivered, elsewhere those whose names say so or say nothing, and what stands beside them.
func tree(dir string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() {
			return nil
		}
		folder := filepath.Dir(name)
		switch base := filepath.Base(folder); {
		case isMaildir(filepath.Dir(folder)) && (base == "cur" || base == "new"):
			list = append(list, name)
		case isMaildir(folder), isMaildir(filepath.Dir(folder)) && base == "tmp":
		case slices.Contains([]string{"", ".eml", ".emlx", ".mbox", ".mbx", ".msg", ".json", ".zone"}, filepath.Ext(strings.TrimSuffix(name, ".gz"))):
			list = append(list, name)
		}
		return nil
	})
	return list, err
}

func isMaildir(dir string) bool {
	for _, folder := range []string{"cur", "new"} {
		if info, err := os.Stat(filepath.Join(dir, folder)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// partSize is how large the parts of a large mbox are, in octets.
const partSize = 32 << 20

// parted returns the parts of an mbox that is large and can be read from any place on: a local file.
// Everything else is one part.
func parted(n stored.Name) ([]stored.Name, error) {
	if scheme(n.File) != "" {
		return []stored.Name{n}, nil
	}
	f, err := os.Open(n.File)
	if err != nil {
		// It is a line of the output that it cannot be read.
		return []stored.Name{n}, nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= partSize {
		return []stored.Name{n}, err
	}
	if start, err := bufio.NewReader(f).Peek(len(mailbox.Start)); err != nil || string(start) != mailbox.Start {
		return []stored.Name{n}, ignoreEOF(err)
	}
	var parts []stored.Name
	for offset := int64(0); offset < info.Size(); offset += partSize {
		parts = append(parts, stored.Name{File: n.File, Offset: offset, End: min(offset+partSize, info.Size())})
	}
	return parts, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
