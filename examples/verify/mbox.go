package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/emersion/go-mbox"
)

// mboxStart is what an mbox file begins with, and no message: a field's name has no space.
const mboxStart = "From "

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

// mboxLines reads an mbox, and escapes lines that begin as a separator does and follow no
// empty line: go-mbox parts messages at every such line that is not escaped. A file that
// begins with the line of an envelope is most often one message, and its text is not to be
// taken for the next one.
type mboxLines struct {
	r      *bufio.Reader
	line   []byte // what is left of what was read
	inLine bool   // line does not end with an LF
	text   bool   // the line before has something in it
	err    error
}

func (m *mboxLines) Read(p []byte) (int, error) {
	if len(m.line) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		if m.next(); len(m.line) == 0 {
			return 0, m.err
		}
	}
	n := copy(p, m.line)
	m.line = m.line[n:]
	return n, nil
}

// next reads a line, or a part of one that is longer than the buffer.
func (m *mboxLines) next() {
	if start, err := m.r.Peek(len(mboxStart)); err == nil && !m.inLine && m.text && string(start) == mboxStart {
		m.line, m.inLine = []byte(">"), true // go-mbox takes it away
		return
	}
	m.line, m.err = m.r.ReadSlice('\n')
	if m.err == bufio.ErrBufferFull {
		m.err = nil
	}
	m.text = m.inLine || len(bytes.TrimRight(m.line, "\r\n")) > 0
	m.inLine = !bytes.HasSuffix(m.line, []byte("\n"))
}
