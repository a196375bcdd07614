package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// A field is one header field as this program reads it: the name as written, and the body on
// one line. The library reads the message by itself; these fields only say how it came.
type field struct {
	name, body string
}

func (f field) is(name string) bool { return strings.EqualFold(f.name, name) }

// maxHeader is how many octets of a header are read for the fields of the envelope. It is
// above the library's own limit: what the verifier takes, this program has seen all of.
const maxHeader = 1 << 20

// errNotAMessage is what is wrong with a file that has nothing in it that could be a header.
var errNotAMessage = errors.New("not a message: it has no header field")

// readHeader reads a message up to the end of its header, and returns the fields and a reader
// for all of the message. A header of more than maxHeader octets has no fields here: the
// verifier will say what is wrong with it.
func readHeader(r io.Reader) ([]field, io.Reader, error) {
	var head bytes.Buffer
	lines := bufio.NewReaderSize(io.TeeReader(r, &head), 4<<10)
	var list []field
	size, unix, first := 0, false, true
	found := false // a field, or a line that looks like one: a fault on which there is a verdict
	for {
		line, err := readLine(lines, unix || first)
		size += len(line)
		if err != nil && err != io.EOF {
			return nil, nil, cause(err)
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
		found = found || parseField(text).name != "" || list[len(list)-1].name != ""
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
func addLine(list []field, line string) []field {
	if last := len(list) - 1; last >= 0 && (line[0] == ' ' || line[0] == '\t') {
		if f := &list[last]; f.name == "" {
			*f = parseField(f.body + line)
		} else {
			f.body += line
		}
		return list
	}
	return append(list, parseField(line))
}

// parseField parts a line at its colon. Without a valid name, all of it is the body.
func parseField(line string) field {
	name, body, found := strings.Cut(line, ":")
	if name = strings.TrimSpace(name); found && isFieldName(name) {
		return field{name, body}
	}
	return field{body: line}
}

// isFieldName reports whether name is that of a field: RFC 5322, section 2.2.
func isFieldName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == ':' }) < 0
}
