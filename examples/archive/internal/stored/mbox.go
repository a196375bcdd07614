package stored

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
)

// mbox calls yield for the messages of an mbox, or of the part of it that n names. Then r reads file
// from its beginning, and is moved to the part. A message is called FILE@OFFSET, whatever the parts.
func (c *Checker) mbox(ctx context.Context, n Name, file io.Reader, r *bufio.Reader, notes []string, yield func(Line) error) error {
	box := &box{r: r}
	if n.Offset > 0 {
		if err := box.start(n.Offset, file); err != nil {
			return yield(failed(n.File, err))
		}
	}
	n.Sidecar, n.Zone = "", "" // they would be of one message
	for ctx.Err() == nil {
		raw, err := box.next()
		if err == io.EOF || n.End > 0 && raw.at >= n.End {
			return nil
		}
		if err != nil {
			return yield(failed(n.File, err))
		}
		name := fmt.Sprintf("%s@%d", n.File, raw.at)
		message, err := mailbox.NewReader(bufio.NewReader(raw)).NextMessage()
		if err != nil {
			return yield(failed(name, err))
		}
		line := c.message(ctx, n, name, bufio.NewReaderSize(message, saved.ReadAhead), notes)
		if box.err != nil {
			return yield(failed(name, box.err))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(line); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// A box parts an mbox into its messages, and knows where each begins.
type box struct {
	r   *bufio.Reader
	at  int64   // octets before what r has next
	raw rawMail // the message that is read
	err error   // of r, but io.EOF

	inLine bool // the line is not at its end
	empty  bool // the line before has nothing in it
	begun  bool // a message has begun
}

// A rawMail reads a message of a box, with the line that begins it.
type rawMail struct {
	box  *box
	at   int64
	line []byte
	some bool // the first line was read
	done bool
}

// start moves to the first message that begins at an offset or after it.
func (b *box) start(offset int64, file io.Reader) error {
	// Enough before it to see whether an empty line stands there.
	b.at = max(0, offset-int64(len("\r\n\r\n")))
	if seeker, ok := file.(io.Seeker); ok {
		if _, err := seeker.Seek(b.at, io.SeekStart); err != nil {
			return err
		}
		b.r.Reset(file)
	} else if _, err := io.CopyN(io.Discard, b.r, b.at); err != nil {
		return err
	}
	b.begun = true
	b.raw = rawMail{box: b, at: b.at, some: true}
	for b.at < offset && !b.raw.done {
		if _, err := b.line(); err != nil {
			return err
		}
	}
	return nil
}

// next returns the next message, once what is left of the one before was passed over.
func (b *box) next() (*rawMail, error) {
	if _, err := io.Copy(io.Discard, &b.raw); err != nil {
		return nil, err
	}
	if _, err := b.r.Peek(1); err != nil {
		return nil, b.fault(err)
	}
	b.begun = true
	b.raw = rawMail{box: b, at: b.at}
	return &b.raw, nil
}

func (b *box) fault(err error) error {
	if err != io.EOF {
		b.err = err
	}
	return err
}

// starts reports whether a message begins here.
func (b *box) starts() bool {
	if b.inLine || !b.empty {
		return false
	}
	start, _ := b.r.Peek(len(mailbox.Start))
	return string(start) == mailbox.Start
}

// line reads a line, or a part of one that is longer than the buffer. The octets hold until the next
// call.
func (b *box) line() ([]byte, error) {
	part, err := b.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	b.at += int64(len(part))
	b.empty = !b.inLine && len(bytes.TrimRight(part, "\r\n")) == 0
	b.inLine = !bytes.HasSuffix(part, []byte("\n"))
	if err == io.EOF && len(part) > 0 {
		err = nil
	}
	return part, err
}

func (m *rawMail) Read(p []byte) (int, error) {
	if m.box == nil || m.done {
		return 0, io.EOF
	}
	if len(m.line) == 0 {
		if m.some && m.box.starts() {
			m.done = true
			return 0, io.EOF
		}
		m.some = true
		line, err := m.box.line()
		if err != nil {
			m.done = true
			return 0, m.box.fault(err)
		}
		m.line = line
	}
	n := copy(p, m.line)
	m.line = m.line[n:]
	return n, nil
}
