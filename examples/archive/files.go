package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/gcs"   // gs://
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local" // no scheme
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/s3"    // s3://
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mailverdict/mailverdict/examples/archive/internal/bucket"
)

// files are Beam's file systems, each opened once.
type files struct {
	mu      sync.Mutex
	systems map[string]filesystem.Interface
	client  *s3.Client // for what Beam's file system does not tell
}

// scheme returns the scheme of a URL, or "" for a path.
func scheme(name string) string {
	s, _, found := strings.Cut(name, "://")
	if !found {
		return ""
	}
	return s
}

// system returns the file system of a name.
func (f *files) system(ctx context.Context, name string) (fs filesystem.Interface, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fs := f.systems[scheme(name)]; fs != nil {
		return fs, nil
	}
	defer func() { // Beam panics where it finds no credentials
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %v", name, p)
		}
	}()
	if fs, err = filesystem.New(context.WithoutCancel(ctx), name); err != nil {
		return nil, err
	}
	if f.systems == nil {
		f.systems = map[string]filesystem.Interface{}
	}
	f.systems[scheme(name)] = fs
	return fs, nil
}

func (f *files) list(ctx context.Context, pattern string) ([]string, error) {
	fs, err := f.system(ctx, pattern)
	if err != nil {
		return nil, err
	}
	return fs.List(ctx, pattern)
}

func (f *files) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	fs, err := f.system(ctx, name)
	if err != nil {
		return nil, err
	}
	return fs.OpenRead(ctx, name)
}

// Encryption implements stored.Store.
func (f *files) Encryption(ctx context.Context, name string) (string, error) {
	if scheme(name) != "s3" {
		return "", nil
	}
	client, err := f.s3(ctx)
	if err != nil {
		return "", err
	}
	return bucket.Store{Client: client}.Encryption(ctx, name)
}

func (f *files) s3(ctx context.Context) (*s3.Client, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.client == nil {
		c, err := config.LoadDefaultConfig(context.WithoutCancel(ctx))
		if err != nil {
			return nil, err
		}
		f.client = s3.NewFromConfig(c)
	}
	return f.client, nil
}

// read returns all of a small file, or nil where there is none.
func (f *files) read(ctx context.Context, name string) ([]byte, error) {
	found, err := f.list(ctx, name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	r, err := f.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// remove removes files.
func (f *files) remove(ctx context.Context, names ...string) error {
	for _, name := range names {
		fs, err := f.system(ctx, name)
		if err != nil {
			return err
		}
		if r, ok := fs.(filesystem.Remover); ok {
			if err := r.Remove(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// partInfix stands in the names of files that are being written.
const partInfix = ".part-"

// write writes a file that is there as a whole or not at all: fill gets what to write to.
func (f *files) write(ctx context.Context, name string, fill func(io.Writer) error) error {
	fs, err := f.system(ctx, name)
	if err != nil {
		return err
	}
	// An object of a bucket appears when its writer is closed, and not when its context ends.
	limited, giveUp := context.WithCancel(ctx)
	defer giveUp()
	part := name
	renamer, renames := fs.(filesystem.Renamer)
	if renames {
		part += partInfix + rand.Text()
	}
	w, err := fs.OpenWrite(limited, part)
	if err != nil {
		return err
	}
	if err := fill(w); err != nil {
		if giveUp(); renames {
			return errors.Join(err, w.Close(), f.remove(ctx, part))
		}
		return err
	}
	if err := w.Close(); err != nil || !renames {
		return err
	}
	return renamer.Rename(ctx, part, name)
}

// writeJSON writes a file of one value.
func (f *files) writeJSON(ctx context.Context, name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return f.write(ctx, name, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
