package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
)

// A letter is a message to verify. It is read once.
type letter struct {
	name string // as the output calls it
	body io.Reader
	live bool // it is standard input, which may keep a reader waiting

	// notes say what was taken away from around it, in a few words each; late returns what
	// is known only when it has been read, and may be nil.
	notes []string
	late  func() []string

	// sidecar is what stands beside the file, or nil.
	sidecar *sidecar.Sidecar
}

// errNoMessages is what is wrong with an argument that has no messages.
var errNoMessages = errors.New("no messages in it")

// An input is an argument, or a file of a directory that is one.
type input struct {
	files fs.FS // nil: the system's
	path  string
	name  string
	notes []string // on its first message
	err   error    // why it cannot be used, or nil
}

func (in input) open() (fs.File, error) {
	if in.files == nil {
		return os.Open(in.path)
	}
	return in.files.Open(in.path)
}

// beside returns the content of the file NAME.ext beside NAME.eml, or nil where there is
// none.
func (in input) beside(ext string) ([]byte, string, error) {
	base := strings.TrimSuffix(in.path, ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if base == in.path {
		return nil, "", nil
	}
	other := in
	other.path = base + ext
	f, err := other.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSidecar+1))
	if err == nil && len(text) > maxSidecar {
		err = fmt.Errorf("more than %d octets", maxSidecar)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", filepath.Base(other.path), cause(err))
	}
	return text, filepath.Base(other.path), nil
}

// each calls yield for each message of an input, one after the other: a message has been
// read when yield returns, or may be read on if held says that all of it is in memory.
func (in input) each(ctx context.Context, stdin io.Reader, o *options, yield func(l letter, held bool)) error {
	if in.err != nil {
		return in.err
	}
	notes := slices.Clone(in.notes)
	var r *bufio.Reader
	var err error
	if in.path == "-" {
		r, err = fromStdin(ctx, stdin, o.timeout, &notes)
	} else {
		f, openErr := in.open()
		if errors.Is(openErr, fs.ErrNotExist) && isDomain(in.path) {
			return fmt.Errorf("no such file; what a domain publishes is shown by: go run ./examples/inspect %s", in.path)
		}
		if openErr != nil {
			return cause(openErr)
		}
		defer f.Close()
		r, err = saved.Unwrap(bufio.NewReaderSize(f, saved.ReadAhead), &notes)
	}
	if err != nil {
		return cause(err)
	}
	if start, _ := r.Peek(len(mailbox.Start)); string(start) == mailbox.Start {
		return eachOfMbox(ctx, in.name, r, notes, yield)
	}
	l := message(in.name, r, notes)
	if in.path == "-" {
		l.live = true
	} else if l.sidecar, err = in.readSidecar(len(o.dns.Zones) == 0); err != nil {
		return err
	}
	yield(l, false)
	return nil
}

// isDomain reports whether an argument is more likely a domain than the name of a file.
func isDomain(arg string) bool {
	name := strings.ToLower(strings.TrimSuffix(arg, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch last {
	case name, "eml", "emlx", "mbox", "mbx", "msg", "gz", "txt", "json", "zone":
		return false
	}
	if len(last) < 2 || strings.Trim(last, "0123456789") == "" {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// fromStdin returns standard input, which is an error where nothing comes in time.
func fromStdin(ctx context.Context, stdin io.Reader, limit time.Duration, notes *[]string) (*bufio.Reader, error) {
	first, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	source := &interruptible{ctx: first, r: stdin}
	r, err := saved.Unwrap(bufio.NewReaderSize(source, saved.ReadAhead), notes)
	if timeUp(first) && err != nil {
		err = fmt.Errorf("nothing came within %v (-timeout)", limit)
	}
	source.ctx = ctx
	return r, err
}

// message returns the message that r begins with, without what was saved with it.
func message(name string, r *bufio.Reader, notes []string) letter {
	m := saved.NewMessage(r)
	return letter{name: name, body: m.Body, notes: append(notes, m.Notes...), late: m.Late}
}

// cause returns what is wrong with a file without its name and the system call, which
// stand in the line already.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// interruptible reads standard input, which may never end, until the context does.
type interruptible struct {
	ctx context.Context
	r   io.Reader
	buf []byte
}

type readOutcome struct {
	n   int
	err error
}

func (i *interruptible) Read(p []byte) (int, error) {
	if i.buf == nil {
		i.buf = make([]byte, 32<<10)
	}
	done := make(chan readOutcome, 1)
	buf := i.buf[:min(len(i.buf), len(p))]
	go func() {
		n, err := i.r.Read(buf)
		done <- readOutcome{n, err}
	}()
	select {
	case o := <-done:
		return copy(p, buf[:o.n]), o.err
	case <-i.ctx.Done():
		i.buf = nil // the read under way has it
		return 0, i.ctx.Err()
	}
}
