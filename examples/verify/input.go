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
	"time"

	"github.com/emersion/go-mbox"
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
	sidecar *sidecar
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

// directory returns the messages and mbox files that stand in a directory, or the messages of
// a Maildir.
func directory(dir string) []input {
	list, err := files(dir, isMail)
	switch {
	case isMaildir(dir):
		list, err = maildir(dir)
	case isMaildir(filepath.Dir(filepath.Clean(dir))) && slices.Contains(maildirFolders, filepath.Base(dir)):
		list, err = files(dir, isDelivered)
	}
	switch {
	case err != nil:
		return []input{{name: dir, err: cause(err)}}
	case len(list) == 0:
		return []input{{name: dir, err: errNoMessages}}
	}
	return list
}

// files returns the files of a directory that are wanted, in the order of their names.
func files(dir string, wanted func(input) bool) ([]input, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []input
	for _, e := range entries {
		in := input{path: filepath.Join(dir, e.Name())}
		in.name = in.path
		if info, err := os.Stat(in.path); err == nil && info.Mode().IsRegular() && wanted(in) {
			list = append(list, in)
		}
	}
	return list, nil
}

// maildirFolders are the parts of a Maildir that have delivered messages.
var maildirFolders = []string{"new", "cur"}

func isMaildir(dir string) bool {
	for _, folder := range maildirFolders {
		if info, err := os.Stat(filepath.Join(dir, folder)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// maildir returns the messages of a Maildir.
func maildir(dir string) ([]input, error) {
	var all []input
	for _, folder := range maildirFolders {
		list, err := files(filepath.Join(dir, folder), isDelivered)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(all) > 0 {
		all[0].notes = []string{"read from a Maildir"}
	}
	return all, nil
}

// isDelivered reports whether a file of a Maildir is a message, whose name is for programs.
func isDelivered(in input) bool { return !strings.HasPrefix(filepath.Base(in.path), ".") }

// isMail reports whether a file in a directory is taken for messages: by its name, or for
// one without an extension by what it begins with, as mail programs name mbox files.
func isMail(in input) bool {
	switch name := strings.ToLower(in.path); filepath.Ext(strings.TrimSuffix(name, ".gz")) {
	case ".eml", ".emlx", ".mbox", ".mbx", ".msg":
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

// mboxStart is what an mbox file begins with, and no message: a field's name has no space.
const mboxStart = "From "

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
		r, err = unwrap(bufio.NewReaderSize(f, readAhead), &notes)
	}
	if err != nil {
		return cause(err)
	}
	if start, _ := r.Peek(len(mboxStart)); string(start) == mboxStart {
		return eachOfMbox(ctx, in.name, r, notes, yield)
	}
	l := message(in.name, r, notes)
	if in.path == "-" {
		l.live = true
	} else if l.sidecar, err = in.readSidecar(len(o.zones) == 0); err != nil {
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
	r, err := unwrap(bufio.NewReaderSize(source, readAhead), notes)
	if timeUp(first) && err != nil {
		err = fmt.Errorf("nothing came within %v (-timeout)", limit)
	}
	source.ctx = ctx
	return r, err
}

// message returns the message that r begins with, without what was saved with it.
func message(name string, r *bufio.Reader, notes []string) letter {
	l := letter{name: name, notes: notes}
	limited, isEmlx := emlx(r)
	if isEmlx {
		l.notes = append(l.notes, "read from an .emlx file of Apple Mail")
		r = bufio.NewReaderSize(limited, readAhead)
	}
	if line := dropMailboxLine(r); line != "" {
		l.notes = append(l.notes, fmt.Sprintf("the line %q of a mailbox on top was left out", line+"…"))
	}
	body := &trimmed{r: r}
	l.body = body
	l.late = func() (late []string) {
		if body.after > 0 && body.err == io.EOF {
			late = append(late, count(int(body.after), "NUL octet at the end was left out", "NUL octets at the end were left out"))
		}
		if isEmlx && limited.N > 0 && body.err == io.EOF {
			late = append(late, "the .emlx file ends before its message does: it was cut short")
		}
		return late
	}
	return l
}

// smallMessage is how large a message of an mbox may be to be held in memory while the
// next one is read, in octets. Larger ones are verified one at a time, as they are read.
const smallMessage = 256 << 10

// eachOfMbox calls yield for the messages of an mbox: archive.mbox#1 and so on.
func eachOfMbox(ctx context.Context, name string, r *bufio.Reader, notes []string, yield func(l letter, held bool)) error {
	notes = append(notes, "read from an mbox") // of the first message alone
	box := mbox.NewReader(&mboxLines{r: r})
	for n := 1; ctx.Err() == nil; n++ {
		next, err := box.NextMessage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return cause(err)
		}
		head, err := io.ReadAll(io.LimitReader(next, smallMessage+1))
		if err != nil {
			return fmt.Errorf("message %d: %w", n, cause(err))
		}
		held := len(head) <= smallMessage
		all := io.Reader(bytes.NewReader(head))
		if !held {
			all = io.MultiReader(all, next)
		}
		yield(message(fmt.Sprintf("%s#%d", name, n), bufio.NewReader(all), notes), held)
		notes = nil
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
