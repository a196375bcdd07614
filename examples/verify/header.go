package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/examples/received"
)

// maxHeader is how many octets of a header are read for the fields of the envelope. It is
// above the library's own limit: what the verifier takes, this program has seen all of.
const maxHeader = 1 << 20

// errNotAMessage is what is wrong with a file that has nothing in it that could be a header.
var errNotAMessage = errors.New("not a message: it has no header field")

// The library reads the header by itself; what is read here says how the message came.

// readHeader reads a message up to the end of its header, and returns the fields and a reader
// for all of the message, which are those so far where the error is that of r. A header of more
// than maxHeader octets has no fields here: the verifier will say what is wrong with it.
func readHeader(r io.Reader) ([]received.Field, io.Reader, error) {
	var head bytes.Buffer
	lines := bufio.NewReaderSize(io.TeeReader(r, &head), 4<<10)
	var list []received.Field
	size, unix, first := 0, false, true
	found := false // a field, or a line that looks like one: a fault on which there is a verdict
	for {
		line, err := readLine(lines, unix || first)
		size += len(line)
		if err != nil && err != io.EOF {
			return list, io.MultiReader(&head, r), cause(err)
		}
		if first {
			first, unix = false, !strings.HasSuffix(line, "\r\n")
		}
		if size > maxHeader {
			return nil, io.MultiReader(&head, r), nil
		}
		text := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if text == "" || err == io.EOF && line == "" {
			break
		}
		list = addLine(list, text)
		found = found || parseField(text).Name != "" || list[len(list)-1].Name != ""
		if err == io.EOF {
			break
		}
	}
	if !found {
		return nil, nil, errNotAMessage
	}
	return list, io.MultiReader(&head, r), nil
}

// readLine reads a line with its end: an LF, or where bareLF is false only a CRLF. It reads at
// most a little more than maxHeader octets.
func readLine(r *bufio.Reader, bareLF bool) (string, error) {
	var b strings.Builder
	for b.Len() <= maxHeader {
		part, err := r.ReadSlice('\n')
		b.Write(part)
		switch {
		case err == bufio.ErrBufferFull:
		case err != nil:
			return b.String(), err
		case bareLF || strings.HasSuffix(b.String(), "\r\n"):
			return b.String(), nil
		}
	}
	return b.String(), nil
}

// addLine adds a line of a header to its fields: a new field, or more of the last one. What is
// neither becomes a field without a name.
func addLine(list []received.Field, line string) []received.Field {
	if last := len(list) - 1; last >= 0 && (line[0] == ' ' || line[0] == '\t') {
		if f := &list[last]; f.Name == "" {
			*f = parseField(f.Body + line)
		} else {
			f.Body += line
		}
		return list
	}
	return append(list, parseField(line))
}

// parseField parts a line at its colon. Without a valid name, all of it is the body.
func parseField(line string) received.Field {
	name, body, found := strings.Cut(line, ":")
	if name = strings.TrimSpace(name); found && isFieldName(name) {
		return received.Field{Name: name, Body: body}
	}
	return received.Field{Body: line}
}

// isFieldName reports whether name is that of a field: RFC 5322, section 2.2.
func isFieldName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == ':' }) < 0
}
