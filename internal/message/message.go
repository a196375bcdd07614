// Package message reads one message once, for all checks that need something of it.
//
// A [Message] takes the octets of a message as they come. It parts the header from
// the body, parses the header, and makes the body hashes that the checks ask for.
// Each check attaches to the message before the header has ended, and is told when it
// has; a body hash that two checks ask for is made once.
//
//	var pool message.Pool
//	m := pool.Get(message.Limits{})
//	m.Attach(check) // check.HeaderEnded(m) asks for body hashes: m.BodyHash
//	io.Copy(m, r)
//	err := m.End() // now the body hashes are there
//	pool.Put(m)
//
// The header comes by Write, as part of the message, or by WriteField and EndHeader,
// as a milter gets it; after EndHeader, Write takes the body. The first error is final:
// every later call returns it.
//
// Line ends are read as package header says. A Message is for one goroutine.
package message

import (
	"errors"

	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/limit"
)

// Errors of the calls that a Message takes. Packages whose users make these calls export
// the same errors.
var (
	// ErrOrder: the header came by Write and by WriteField, or a field came after the
	// header.
	ErrOrder = errors.New("the header comes either by Write or by WriteField and EndHeader, before the body")

	// ErrClosed: the message has ended or was given up.
	ErrClosed = errors.New("the message has ended or was given up")
)

// Limits bound what a message may be and cost. In each, zero is the default and a
// negative number is no limit.
type Limits struct {
	Header header.Limits

	// BodyHashes is how many hashes are made over the body, for all checks together.
	// Default 4.
	BodyHashes int
}

// DefaultBodyHashes is the default of Limits.BodyHashes.
const DefaultBodyHashes = 4

// A Check is what attaches to a message.
type Check interface {
	// HeaderEnded is called once, when the header is complete, before the first octet
	// of the body is hashed. It is not called if the message fails before.
	HeaderEnded(m *Message)
}

// A Message is one message on its way: New makes one, and a Pool gives one that uses the
// memory of an earlier one.
type Message struct {
	limits   Limits
	splitter header.Splitter
	source   source
	err      error
	ended    bool

	header header.Header // once parsed
	parsed bool
	checks []Check

	index     header.Index
	indexed   bool
	selection Selection
	without   []byte // see Without

	bodies [2]canon.Body // by canon.Form
	hashes int           // how many hashes the bodies have

	buffer []byte // see Buffer
}

// source is where the header comes from.
type source uint8

const (
	unknown  source = iota
	byOctets        // Write
	byFields        // WriteField, up to EndHeader
)

// New returns a Message with these limits.
func New(l Limits) *Message {
	m := new(Message)
	m.begin(l)
	return m
}

// begin makes m ready for a message.
func (m *Message) begin(l Limits) {
	m.limits = l
	m.splitter.Reset(l.Header)
	m.bodies[canon.Simple].Reset(canon.Simple)
	m.bodies[canon.Relaxed].Reset(canon.Relaxed)
}

// Attach adds a check, before the first octet or field. Checks are told of the header
// in the order in which they were attached.
func (m *Message) Attach(c Check) { m.checks = append(m.checks, c) }

// Write takes the next octets of the message, or of its body after EndHeader.
func (m *Message) Write(p []byte) (int, error) {
	if err := m.open(); err != nil {
		return 0, err
	}
	if m.source == byFields && !m.parsed {
		return 0, m.Fail(ErrOrder)
	}
	if m.source == unknown && len(p) > 0 {
		m.source = byOctets
	}
	for rest := p; len(rest) > 0; {
		octets, next, err := m.splitter.Next(rest)
		if err != nil {
			return 0, m.Fail(err)
		}
		if len(octets) > 0 {
			m.bodies[canon.Simple].Write(octets)
			m.bodies[canon.Relaxed].Write(octets)
		} else {
			m.parse()
		}
		rest = next
	}
	return len(p), nil
}

// WriteField takes the next field of the header: its name, and what stood after the
// colon, white space and folds included. An LF in a fold is read as CRLF.
func (m *Message) WriteField(name, value string) error {
	if err := m.open(); err != nil {
		return err
	}
	if m.source == byOctets || m.parsed {
		return m.Fail(ErrOrder)
	}
	m.source = byFields
	if err := m.splitter.Field(name, value); err != nil {
		return m.Fail(err)
	}
	return nil
}

// EndHeader ends a header that came by WriteField.
func (m *Message) EndHeader() error {
	if err := m.open(); err != nil {
		return err
	}
	if m.source == byOctets || m.parsed {
		return m.Fail(ErrOrder)
	}
	m.source = byFields
	return m.endHeader()
}

func (m *Message) endHeader() error {
	if err := m.splitter.End(); err != nil {
		return m.Fail(err)
	}
	m.parse()
	return nil
}

// Buffer returns memory with which the message may be read: it is for io.CopyBuffer, and
// valid until the Message goes back to its Pool.
func (m *Message) Buffer() []byte {
	if m.buffer == nil {
		m.buffer = make([]byte, 32<<10)
	}
	return m.buffer
}

// Fail gives up the message, and returns why: err, or the error of an earlier failure.
func (m *Message) Fail(err error) error {
	if m.err == nil {
		m.err = err
	}
	return m.err
}

// Err returns why the message was given up, or nil.
func (m *Message) Err() error { return m.err }

// open returns why nothing more is taken, or nil.
func (m *Message) open() error {
	if m.err == nil && m.ended {
		return ErrClosed
	}
	return m.err
}

// End ends the message: the header, if it has not ended, and the body hashes. It
// returns why the message was given up, or nil if it was read to its end.
func (m *Message) End() error {
	if m.ended || m.err != nil {
		return m.err
	}
	if !m.parsed {
		if err := m.endHeader(); err != nil {
			return err
		}
	}
	m.ended = true
	m.bodies[canon.Simple].End()
	m.bodies[canon.Relaxed].End()
	return nil
}

// parse parses the header if it has ended, and tells the checks.
func (m *Message) parse() {
	block, ends, ok := m.splitter.Header()
	if !ok || m.parsed {
		return
	}
	m.parsed = true
	m.header.Parse(block, ends)
	for _, c := range m.checks {
		c.HeaderEnded(m)
	}
}

// Header returns the header, or nil before it has ended. It is valid until the Message
// goes back to its Pool.
func (m *Message) Header() *header.Header {
	if !m.parsed {
		return nil
	}
	return &m.header
}

// BodyHash returns the hash over the first length octets of the canonical body, or over
// canon.Whole. It is called when the header ends. It returns nil if that would be one hash
// more than the limit.
func (m *Message) BodyHash(form canon.Form, length int64) *canon.Hash {
	b := &m.bodies[form]
	if h := b.Find(length); h != nil {
		return h
	}
	if m.hashes >= limit.Of(m.limits.BodyHashes, DefaultBodyHashes) {
		return nil
	}
	m.hashes++
	return b.Add(length)
}
