package saved

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/mailverdict/mailverdict/examples/received"
)

// MaxHeader is how many octets of a header are read for the fields of the envelope. It is
// above the library's own limit: what the verifier takes, this program has seen all of.
const MaxHeader = 1 << 20

// errNotAMessage is what is wrong with a file that has nothing in it that could be a header.
var errNotAMessage = errors.New("not a message: it has no header field")

// The library reads the header by itself; what is read here says how the message came.

// ReadHeader reads a message up to the end of its header, and returns the fields and a reader
// for all of the message, which are those so far where the error is that of r. A header of more
// than MaxHeader octets has no fields here: the verifier will say what is wrong with it.
func ReadHeader(r io.Reader) ([]received.Field, io.Reader, error) {
	var head bytes.Buffer
	lines := bufio.NewReaderSize(io.TeeReader(r, &head), 4<<10)
	var h fieldList
	size, unix := 0, true
	for first := true; ; first = false {
		line, err := readLine(lines, unix)
		size += len(line)
		if first {
			unix = !strings.HasSuffix(line, "\r\n")
		}
		if err != nil && err != io.EOF {
			return h.end(), io.MultiReader(&head, r), err
		}
		if size > MaxHeader {
			return nil, io.MultiReader(&head, r), nil
		}
		text := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if text != "" {
			h.add(text)
		}
		if text == "" || err == io.EOF {
			break
		}
	}
	fields := h.end()
	if !h.found {
		return nil, nil, errNotAMessage
	}
	return fields, io.MultiReader(&head, r), nil
}

// readLine reads a line with its end: an LF, or where bareLF is false only a CRLF. It reads at
// most a little more than MaxHeader octets.
func readLine(r *bufio.Reader, bareLF bool) (string, error) {
	var b strings.Builder
	for b.Len() <= MaxHeader {
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

// A fieldList makes fields of lines.
type fieldList struct {
	fields []received.Field
	lines  []string // of the field that more lines may follow

	// found says that there is a field, or a line that looks like one: a fault on which
	// the verifier has a verdict.
	found bool
}

// add adds a line: a new field, or more of the last one.
func (l *fieldList) add(line string) {
	if line[0] != ' ' && line[0] != '\t' {
		l.end()
	}
	l.lines = append(l.lines, line)
	l.found = l.found || parseField(line).Name != ""
}

// end ends the last field, and returns all. What is no field becomes one without a name.
func (l *fieldList) end() []received.Field {
	if len(l.lines) > 0 {
		f := parseField(strings.Join(l.lines, ""))
		l.fields = append(l.fields, f)
		l.found = l.found || f.Name != ""
		l.lines = l.lines[:0]
	}
	return l.fields
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
