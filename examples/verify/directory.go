package main

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
)

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
		start := make([]byte, len(mailbox.Start))
		_, err = io.ReadFull(f, start)
		return err == nil && string(start) == mailbox.Start
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
