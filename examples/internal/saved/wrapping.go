package saved

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
)

// What programs that save messages put around them. None of it is the sender's, and the
// verifier does not see it.

const byteOrderMark = "\xef\xbb\xbf"

// ReadAhead is how much of a file is looked at to know what it is, in octets.
const ReadAhead = 32 << 10

// peek returns up to n octets that r begins with. It waits for enough to tell an mbox, and takes
// of the rest what is there: standard input may stop at any time.
func peek(r *bufio.Reader, n int) ([]byte, error) {
	if start, err := r.Peek(len(">From ")); err != nil {
		return start, err
	}
	return r.Peek(min(n, r.Buffered()))
}

// Unwrap takes away what stands before a message, or before the first one of an mbox, and
// notes what it was. The error says what the file is, if it is no message.
func Unwrap(r *bufio.Reader, notes *[]string) (*bufio.Reader, error) {
	return unwrap(r, notes, math.MaxInt64)
}

// ErrTooLarge says that a file unpacks to more than it may.
var ErrTooLarge = errors.New("unpacked with gzip, it is too large")

// UnwrapUpTo is Unwrap for files of strangers: a few octets of gzip can be made to unpack for
// minutes. No more than limit octets are unpacked; after them, reading fails with ErrTooLarge.
func UnwrapUpTo(r *bufio.Reader, notes *[]string, limit int64) (*bufio.Reader, error) {
	return unwrap(r, notes, limit)
}

func unwrap(r *bufio.Reader, notes *[]string, limit int64) (*bufio.Reader, error) {
	if start, _ := r.Peek(2); string(start) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		*notes = append(*notes, "unpacked with gzip")
		r = bufio.NewReaderSize(&limited{unzipped, limit}, ReadAhead)
	}
	start, err := peek(r, 64)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case len(start) == 0:
		return nil, errEmpty
	}
	if err := errForeign(start); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(start, []byte(byteOrderMark)) {
		r.Discard(len(byteOrderMark))
		*notes = append(*notes, "a byte order mark before the message was left out")
	}
	if n := skipEmptyLines(r); n > 0 {
		*notes = append(*notes, count(n, "empty line before the header was left out", "empty lines before the header were left out"))
	}
	return r, nil
}

// A limited reads so many octets, and then fails.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// count returns a number and the word for so many.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// skipEmptyLines reads the empty lines on top, and returns how many there were.
func skipEmptyLines(r *bufio.Reader) int {
	for n := 0; ; n++ {
		switch start, _ := r.Peek(2); {
		case len(start) > 0 && start[0] == '\n':
			r.Discard(1)
		case string(start) == "\r\n":
			r.Discard(2)
		default:
			return n
		}
	}
}

// emlx returns the message in an .emlx file of Apple Mail, which begins with the number of
// octets of the message and ends with a property list. ok is false for other files.
func emlx(r *bufio.Reader) (message *io.LimitedReader, ok bool) {
	const longest = 20
	start, _ := peek(r, longest)
	line, _, found := bytes.Cut(start, []byte("\n"))
	n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 10, 64)
	if !found || err != nil || n < 0 {
		return nil, false
	}
	r.Discard(len(line) + 1)
	return &io.LimitedReader{R: r, N: n}, true
}

// dropMailboxLine takes away a line of a mailbox that was left on top of a message, and returns
// what it begins with.
func dropMailboxLine(r *bufio.Reader) string {
	start, _ := peek(r, 1<<10)
	end := bytes.IndexByte(start, '\n')
	for _, beginning := range []string{"From ", ">From "} {
		if end > 0 && bytes.HasPrefix(start, []byte(beginning)) {
			r.Discard(end + 1)
			return beginning
		}
	}
	return ""
}

// A trimmed reads a message without the NUL octets at its end, with which some programs fill
// up what they save.
type trimmed struct {
	r      io.Reader
	buffer []byte
	before int64  // NUL octets to return before text
	text   []byte // to return, without NUL octets at its end
	after  int64  // NUL octets that were read after text
	err    error
	ended  atomic.Bool // the end was read, so that nothing here changes any more
}

func (t *trimmed) Read(p []byte) (int, error) {
	for {
		switch {
		case t.before > 0:
			n := int(min(t.before, int64(len(p))))
			clear(p[:n])
			t.before -= int64(n)
			return n, nil
		case len(t.text) > 0:
			n := copy(p, t.text)
			t.text = t.text[n:]
			return n, nil
		case t.err != nil:
			return 0, t.err
		}
		if t.buffer == nil {
			t.buffer = make([]byte, ReadAhead)
		}
		var n int
		n, t.err = t.r.Read(t.buffer)
		if t.text = bytes.TrimRight(t.buffer[:n], "\x00"); len(t.text) > 0 {
			t.before, t.after = t.after, 0
		}
		t.after += int64(n - len(t.text))
		t.ended.Store(t.err == io.EOF)
	}
}
