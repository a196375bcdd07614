package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emersion/go-mbox"
)

// A letter is a message to verify. It is read once.
type letter struct {
	name string // as the output calls it
	body io.Reader
	live bool // it is standard input, which may keep a reader waiting

	// sidecar is what stands beside the file, or nil.
	sidecar *sidecar
}

// errNoMessages is what is wrong with an argument that has no messages.
var errNoMessages = errors.New("no messages in it")

// An input is an argument, or a file of a directory that is one.
type input struct {
	files fs.FS // nil: the system's
	path  string
	name  string
	err   error // why it cannot be used, or nil
}

// expand returns the inputs that the arguments stand for: directories in the order of the
// names in them.
func expand(args []string) []input {
	var list []input
	for _, arg := range args {
		in := input{path: arg, name: arg}
		if info, err := os.Stat(arg); arg != "-" && err == nil && info.IsDir() {
			list = append(list, directory(arg)...)
			continue
		}
		list = append(list, in)
	}
	return list
}

// directory returns the messages and mbox files that stand in a directory.
func directory(dir string) []input {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []input{{name: dir, err: cause(err)}}
	}
	var list []input
	for _, e := range entries {
		in := input{path: filepath.Join(dir, e.Name())}
		in.name = in.path
		if info, err := os.Stat(in.path); err == nil && info.Mode().IsRegular() && isMail(in) {
			list = append(list, in)
		}
	}
	if len(list) == 0 {
		return []input{{name: dir, err: errNoMessages}}
	}
	return list
}

// isMail reports whether a file in a directory is taken for messages: by its name, or for
// one without an extension by what it begins with, as mail programs name mbox files.
func isMail(in input) bool {
	switch strings.ToLower(filepath.Ext(in.path)) {
	case ".eml", ".mbox", ".mbx":
		return true
	case "":
		f, err := in.open()
		if err != nil {
			return false
		}
		defer f.Close()
		start := make([]byte, len(mboxStart))
		_, err = io.ReadFull(f, start)
		return err == nil && string(start) == mboxStart
	}
	return false
}

// shipped returns the messages of a file system that is part of the program.
func shipped(files fs.FS, name string) ([]input, error) {
	paths, err := fs.Glob(files, "*.eml")
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var list []input
	for _, p := range paths {
		list = append(list, input{files: files, path: p, name: path.Join(name, p)})
	}
	return list, nil
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
	base := strings.TrimSuffix(in.path, filepath.Ext(in.path))
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

// mboxStart is what an mbox file begins with, and no message: a field's name has no space.
const mboxStart = "From "

// each calls yield for each message of an input, one after the other: a message has been
// read when yield returns, or may be read on if held says that all of it is in memory.
func (in input) each(ctx context.Context, stdin io.Reader, o *options, yield func(l letter, held bool)) error {
	if in.err != nil {
		return in.err
	}
	var source io.Reader = &interruptible{ctx: ctx, r: stdin}
	if in.path != "-" {
		f, err := in.open()
		if err != nil {
			return cause(err)
		}
		defer f.Close()
		source = f
	}
	r := bufio.NewReaderSize(source, 32<<10)
	start, err := r.Peek(len(mboxStart))
	if err != nil && err != io.EOF {
		return cause(err)
	}
	if string(start) == mboxStart {
		return eachOfMbox(ctx, in.name, r, yield)
	}
	l := letter{name: in.name, body: r, live: in.path == "-"}
	if in.path != "-" {
		if l.sidecar, err = in.readSidecar(len(o.zones) == 0); err != nil {
			return err
		}
	}
	yield(l, false)
	return nil
}

// smallMessage is how large a message of an mbox may be to be held in memory while the
// next one is read, in octets. Larger ones are verified one at a time, as they are read.
const smallMessage = 256 << 10

// eachOfMbox calls yield for the messages of an mbox: archive.mbox#1 and so on.
func eachOfMbox(ctx context.Context, name string, r *bufio.Reader, yield func(l letter, held bool)) error {
	box := mbox.NewReader(&mboxLines{r: r})
	for n := 1; ctx.Err() == nil; n++ {
		message, err := box.NextMessage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return cause(err)
		}
		l := letter{name: fmt.Sprintf("%s#%d", name, n)}
		head, err := io.ReadAll(io.LimitReader(message, smallMessage+1))
		switch {
		case err != nil:
			return fmt.Errorf("message %d: %w", n, cause(err))
		case len(head) > smallMessage:
			l.body = io.MultiReader(bytes.NewReader(head), message)
			yield(l, false)
		default:
			l.body = bytes.NewReader(head)
			yield(l, true)
		}
	}
	return nil
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
