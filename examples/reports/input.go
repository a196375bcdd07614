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
	"path/filepath"
	"strings"

	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
)

// maxInput is how many octets a file or mail with a report may have. Those of the largest reporters
// have 10 MiB.
const maxInput = 64 << 20

// An item is a file or mail that may hold a report.
type item struct {
	name string
	data []byte
	err  error // why it could not be read, or nil
}

// errNothing is what is wrong with a folder that is empty.
var errNothing = errors.New("nothing in it")

// items calls yield for each file and mail that an argument stands for, until it returns false.
func (p *program) items(ctx context.Context, argument string, yield func(item) bool) {
	for _, path := range files(argument) {
		if ctx.Err() != nil || !p.file(path, yield) {
			return
		}
	}
}

// files returns the files that an argument stands for, in the order of their names: those in a folder
// and in the folders in it, but for hidden ones, and for what is not delivered yet in a Maildir. An
// argument that is no folder stands for itself.
func files(argument string) (list []string) {
	if info, err := os.Stat(argument); argument == "-" || err != nil || !info.IsDir() {
		return []string{argument}
	}
	filepath.WalkDir(argument, func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case path == argument && err == nil:
		case err != nil:
			list = append(list, path) // reading it gives the error
		case entry.IsDir() && (strings.HasPrefix(name, ".") && !isMaildir(path) || name == "tmp" && isMaildir(filepath.Dir(path))):
			return fs.SkipDir
		case !entry.IsDir() && !strings.HasPrefix(name, ".") && !isBookkeeping(path):
			list = append(list, path)
		}
		return nil
	})
	if len(list) == 0 {
		return []string{argument}
	}
	return list
}

// isMaildir reports whether a folder is a Maildir. Folders of one are hidden folders in it, and are
// Maildirs themselves.
func isMaildir(dir string) bool {
	for _, part := range []string{"new", "cur"} {
		if info, err := os.Stat(filepath.Join(dir, part)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// isBookkeeping reports whether a file is one that a server keeps in a Maildir beside the mails.
func isBookkeeping(path string) bool { return isMaildir(filepath.Dir(path)) }

// file calls yield for a file, or for each mail of an mbox. It returns what yield did.
func (p *program) file(path string, yield func(item) bool) bool {
	var in io.Reader = p.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return yield(item{name: path, err: cause(err)})
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return yield(item{name: path, err: errNothing})
		}
		in = f
	}
	r := bufio.NewReader(in)
	if start, _ := r.Peek(len(mailbox.Start)); string(start) != mailbox.Start {
		return yield(load(path, r))
	}
	box := mailbox.NewReader(r)
	for n := 1; ; n++ {
		mail, err := box.NextMessage()
		switch {
		case err == io.EOF:
			return true
		case err != nil:
			return yield(item{name: path, err: cause(err)})
		}
		next := load(fmt.Sprintf("%s#%d", path, n), mail)
		if next.err != nil && !errors.Is(next.err, errTooLarge) {
			return yield(next)
		}
		if !yield(next) {
			return false
		}
	}
}

var errTooLarge = fmt.Errorf("it has more than %d MiB", maxInput>>20)

// load reads an item.
func load(name string, r io.Reader) item {
	var b bytes.Buffer
	_, err := b.ReadFrom(io.LimitReader(r, maxInput+1))
	if err == nil && b.Len() > maxInput {
		err = errTooLarge
	}
	if err != nil {
		return item{name: name, err: cause(err)}
	}
	return item{name: name, data: b.Bytes()}
}

// cause returns what is wrong with a file without its name and the system call.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
