package authres

import (
	"bufio"
	"errors"
	"io"

	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
)

// RemoveForged copies a message from r to w without the Authentication-Results fields that
// claim to be written under id, and returns how many it removed. It is Filter.Remove for a
// Filter with that ID.
func RemoveForged(w io.Writer, r io.Reader, id string) (removed int, err error) {
	return Filter{ID: id}.Remove(w, r)
}

// A Filter removes fields from a message that claim to be written by the receiver.
type Filter struct {
	// ID is the receiver's authserv-id. If it is empty, every Authentication-Results
	// field claims to be the receiver's.
	ID string

	// ReceivedSPF asks for Received-SPF fields (RFC 7208, section 9.1) to be removed
	// too. Such a field need not name its author: it stays only if receiver= names
	// another host than ID. Default false: they stay.
	ReceivedSPF bool
}

// Remove copies a message from r to w without the fields that claim to be written under the
// ID: a receiver has to do so with every message that comes from outside, before it adds a
// field of its own (RFC 8601, section 5). It returns how many fields it removed, and the
// error of r or w. Memory is bounded, whatever the message. What Remove has written, Remove
// leaves as it is.
//
// Case, folding, comments, quotes, the version and white space before the colon make no
// difference to a claim. A field that cannot be read is removed if the ID may be meant, and
// one of more than 64 KiB unless it begins with the id of somebody else.
//
// All other octets of the message stay as they are. No octet changes below the empty line
// that ends the header: the first CRLF CRLF or, where all lines above it end in LF alone,
// the first line that is empty or has but a CR.
//
// Programs that take a bare CR or LF in a header with CRLF for a line end see no forged
// field either: it is removed together with the rest of the line that CRLF ends, so that no
// program comes to see a field that it did not see before. Two bare line ends in a row are
// no end of such a header, since programs that go by CRLF read on: fields down to the first
// CRLF CRLF are removed, even where other programs take them for the beginning of the body.
func (f Filter) Remove(w io.Writer, r io.Reader) (removed int, err error) {
	h := &filter{
		in:      bufio.NewReaderSize(r, 32<<10),
		out:     joiner{w: bufio.NewWriterSize(w, 32<<10)},
		id:      newClaim(f.ID),
		options: f,
	}
	if err := h.header(); err != nil {
		return h.removed, err
	}
	if err := h.out.flush(); err != nil {
		return h.removed, err
	}
	// The body, whose beginning is in the buffer already.
	_, err = h.in.WriteTo(w)
	return h.removed, err
}

// A filter is a header on its way through. It takes the header apart into pieces: a line
// and its continuations, where CRLF, LF and CR all end lines. CRLF is regular, and so is LF
// if the first line ends in it: regular line ends part fields for programs that read by the
// rule; the others are bare.
type filter struct {
	in      *bufio.Reader
	out     joiner
	id      claim
	options Filter
	removed int

	known, unix bool   // whether the line end of the first line is known, and is LF
	crlf        bool   // a line before ends in CRLF
	before      string // the line end before the piece under way

	// The line end before the piece under way, which is not written yet.
	pending string
	bare    bool // it is not a regular one

	drop  drop
	held  []byte
	state state
	match matcher
}

// drop is what goes of the field, up to its regular line end, that the piece under way is
// part of.
type drop uint8

const (
	dropNone  drop = iota
	dropWhole      // all of it, and the line end after it
	dropRest       // what follows the piece before, up to the line end after it
)

// state is what becomes of the octets of a piece.
type state uint8

const (
	deciding state = iota // held until it is known whether the piece is a forged field
	passing
	dropped
)

// header copies the header and the empty line after it.
func (f *filter) header() error {
	for first := true; ; first = false {
		f.begin(first)
		end, octets, err := f.piece()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if octets == 0 && f.last(end) {
			f.out.write(f.pending)
			f.out.write(end)
			return nil
		}
		f.crlf = f.crlf || end == "\r\n"
		f.before = end
		f.end(end)
		if err != nil {
			f.out.write(f.pending)
			return nil
		}
	}
}

// last reports whether an empty line with that end ends the header. An LF alone is not
// enough below a CRLF, even if the first line ends in LF: that line may be removed, and a
// program that reads what is left by CRLF must not find fields there that nobody looked at.
func (f *filter) last(end string) bool {
	if f.unix && f.crlf {
		return end == "\r\n" && f.before == "\r\n"
	}
	return !f.bare && f.regular(end)
}

// begin starts a piece.
func (f *filter) begin(first bool) {
	f.state, f.held, f.match = deciding, f.held[:0], matcher{leading: first, receivedSPF: f.options.ReceivedSPF}
	if !f.bare {
		f.drop = dropNone
	}
	if f.drop != dropNone {
		f.state = dropped
	}
}

// piece reads a piece and returns the line end after it, "" at the end of the message, and
// whether there was anything in it.
func (f *filter) piece() (end string, octets int, err error) {
	for ; ; octets++ {
		c, err := f.in.ReadByte()
		if err != nil {
			return "", octets, err
		}
		end := f.lineEnd(c)
		if end == "" {
			f.add(c)
			continue
		}
		if next, err := f.in.Peek(1); octets == 0 || err != nil || next[0] != ' ' && next[0] != '\t' {
			return end, octets, nil
		}
		f.crlf = f.crlf || end == "\r\n"
		for i := range len(end) {
			f.add(end[i])
		}
	}
}

// lineEnd returns the line end that begins with c, or "".
func (f *filter) lineEnd(c byte) string {
	switch c {
	case '\n':
		if !f.known {
			f.known, f.unix = true, true
		}
		return "\n"
	case '\r':
		next, err := f.in.Peek(1)
		if err != nil || next[0] != '\n' {
			return "\r"
		}
		f.known = true
		f.in.Discard(1)
		return "\r\n"
	}
	return ""
}

func (f *filter) regular(end string) bool {
	return end == "\r\n" || end == "\n" && f.unix
}

// add takes an octet of a piece.
func (f *filter) add(c byte) {
	switch f.state {
	case passing:
		f.out.writeByte(c)
	case deciding:
		f.held = append(f.held, c)
		f.match.next(c)
		switch {
		case f.match.failed:
			f.release()
		case len(f.held) == rfc8601.MaxOctets:
			f.judge(false)
		}
	}
}

// judge decides on the piece as far as it is held.
func (f *filter) judge(whole bool) {
	switch {
	case f.match.value == 0 && whole: // no field of this name
		f.release()
	case f.match.value == 0 || f.id.makes(f.match.name, string(f.held[f.match.value:]), f.unix, whole):
		f.state = dropped
		f.out.gap()
		f.removed++
	default:
		f.release()
	}
}

// release lets the piece pass.
func (f *filter) release() {
	f.out.write(f.pending)
	f.out.write(string(f.held))
	f.pending, f.state = "", passing
}

// end ends a piece with the line end after it.
func (f *filter) end(end string) {
	if f.state == deciding {
		f.judge(true)
	}
	if f.state == dropped && f.drop == dropNone {
		f.drop = dropWhole
		if f.bare {
			f.drop, f.pending = dropRest, ""
		}
	}
	f.bare = !f.regular(end)
	// Of the line ends before and after a removed field one stays: the CRLF, if one is. The
	// CRLF CRLF that ends a header would else be none any more.
	keep := f.drop == dropWhole && end == "\r\n" && f.pending != ""
	if keep || f.state == passing || f.drop == dropRest && !f.bare {
		f.pending = end
	}
}

// A joiner writes what is left of a header. A CR before a field that was removed and an LF
// behind it would become a CRLF that nobody sent: such a CR goes too.
type joiner struct {
	w      *bufio.Writer // keeps its first error until Flush
	crs    int           // CRs that were not written yet
	before int           // how many of them stand before a removed field
}

func (j *joiner) gap() { j.before = j.crs }

func (j *joiner) writeByte(c byte) {
	switch {
	case c == '\r':
		j.crs++
		return
	case c == '\n' && j.before > 0 && j.before == j.crs:
		j.crs = 0
	}
	j.writeCRs()
	j.w.WriteByte(c)
}

func (j *joiner) writeCRs() {
	for ; j.crs > 0; j.crs-- {
		j.w.WriteByte('\r')
	}
	j.before = 0
}

func (j *joiner) write(text string) {
	for i := range len(text) {
		j.writeByte(text[i])
	}
}

func (j *joiner) flush() error {
	j.writeCRs()
	return j.w.Flush()
}

// A matcher finds the name of the field and the colon after it, octet by octet.
type matcher struct {
	leading     bool   // skip white space before the name: it is the first line
	receivedSPF bool   // look for Received-SPF too
	name        string // the one that may stand here, once its first letter was met
	matched     int    // octets of it
	seen        int    // octets
	failed      bool   // it is another field
	value       int    // offset of what follows the colon, once it was met
}

func (m *matcher) next(c byte) {
	m.seen++
	space := c <= ' ' // and control characters, which some programs take for space
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	if m.name == "" {
		if m.leading && space {
			return
		}
		m.name = lowerName
		if m.receivedSPF && c == lowerReceived[0] {
			m.name = lowerReceived
		}
	}
	switch {
	case m.value > 0 || m.failed:
	case m.matched < len(m.name):
		m.failed = c != m.name[m.matched]
		m.matched++
	case c == ':':
		m.value = m.seen
	default:
		m.failed = !space
	}
}
