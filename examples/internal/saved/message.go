package saved

import (
	"bufio"
	"fmt"
	"io"
)

// A Message is a message without what was saved with it.
type Message struct {
	Body io.Reader // its octets, header included

	// Notes say what was left out, in a few words each.
	Notes []string

	end  *trimmed
	emlx *io.LimitedReader // of an .emlx file, else nil
}

// NewMessage returns the message that r, which Unwrap returned, begins with.
func NewMessage(r *bufio.Reader) *Message {
	m := &Message{}
	if limited, ok := emlx(r); ok {
		m.emlx = limited
		m.Notes = append(m.Notes, "read from an .emlx file of Apple Mail")
		r = bufio.NewReaderSize(limited, ReadAhead)
	}
	if line := dropMailboxLine(r); line != "" {
		m.Notes = append(m.Notes, fmt.Sprintf("the line %q of a mailbox on top was left out", line+"…"))
	}
	m.end = &trimmed{r: r}
	m.Body = m.end
	return m
}

// Late returns the notes that are known only when Body has been read to its end. It may be
// called while a read is under way.
func (m *Message) Late() (notes []string) {
	if !m.end.ended.Load() {
		return nil
	}
	if m.end.after > 0 {
		notes = append(notes, count(int(m.end.after), "NUL octet at the end was left out", "NUL octets at the end were left out"))
	}
	if m.emlx != nil && m.emlx.N > 0 {
		notes = append(notes, "the .emlx file ends before its message does: it was cut short")
	}
	return notes
}
