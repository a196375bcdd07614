// Package mailbox reads mbox files as people have them.
package mailbox

import (
	"bufio"
	"bytes"

	"github.com/emersion/go-mbox"
)

// Start is what an mbox file begins with, and no message: a field's name has no space.
const Start = "From "

// NewReader returns a reader of the messages of an mbox. A line of text that begins as a separator
// does, and follows no empty line, does not end a message.
func NewReader(r *bufio.Reader) *mbox.Reader { return mbox.NewReader(&lines{r: r}) }

// lines reads an mbox, and escapes lines that begin as a separator does and follow no
// empty line: go-mbox parts messages at every such line that is not escaped. A file that
// begins with the line of an envelope is most often one message, and its text is not to be
// taken for the next one.
type lines struct {
	r      *bufio.Reader
	line   []byte // what is left of what was read
	inLine bool   // line does not end with an LF
	text   bool   // the line before has something in it
	err    error
}

func (m *lines) Read(p []byte) (int, error) {
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
func (m *lines) next() {
	if start, err := m.r.Peek(len(Start)); err == nil && !m.inLine && m.text && string(start) == Start {
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
