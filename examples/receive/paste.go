package main

import (
	"bufio"
	"bytes"
	"errors"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/receive/show"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

// A pasted is a message that a visitor has, and what the visitor says of how it came.
type pasted struct {
	text  []byte
	known envelope.Known
}

// A letter is a pasted message that has been found to be one.
type letter struct {
	text     []byte
	envelope dmarc.Envelope
	from     envelope.Origins
	notes    []string
}

// read takes away what was saved with the message, and finds out how it came.
func (p pasted) read(limit int64) (*letter, error) {
	l := &letter{}
	r, err := saved.UnwrapUpTo(bufio.NewReaderSize(bytes.NewReader(p.text), saved.ReadAhead), &l.notes, 2*limit)
	if err != nil {
		return nil, err
	}
	if start, _ := r.Peek(len(mailbox.Start)); string(start) == mailbox.Start {
		first, err := mailbox.NewReader(r).NextMessage()
		if err != nil {
			return nil, err
		}
		l.notes = append(l.notes, "read from an mbox: the first message in it")
		r = bufio.NewReaderSize(first, saved.ReadAhead)
	}
	m := saved.NewMessage(r)
	if l.text, err = io.ReadAll(io.LimitReader(m.Body, limit+1)); err != nil {
		return nil, err
	}
	if int64(len(l.text)) > limit {
		return nil, errors.New("larger than 10 MiB")
	}
	fields, _, err := saved.ReadHeader(bytes.NewReader(l.text))
	if err != nil {
		return nil, err
	}
	l.notes = append(append(l.notes, m.Notes...), m.Late()...)
	l.envelope, l.from = envelope.Find(fields, p.known)
	if missing := l.from.Missing(); missing != "" {
		l.from.Doubts = append(l.from.Doubts, "SPF could not be checked, and the verdict rests on DKIM alone: "+missing)
	}
	return l, nil
}

var (
	errChecks    = errors.New("many messages are being checked just now: try again in a minute")
	errQuestions = errors.New("your messages have asked DNS so much that there is nothing left for this hour")
	errUnderWay  = errors.New("another message of yours is under way: wait until it is done")
)

// check begins to check a pasted message for a visitor, and returns its number.
func (s *server) check(v *visitor, l *letter) (int, error) {
	if !s.dns.allows(v.client, maxQuestions) {
		return 0, errQuestions
	}
	free := s.checks.take(v.client)
	if free == nil {
		return 0, errChecks
	}
	m := &message{view: show.New(time.Now(), "pasted", l.envelope), from: l.from, notes: l.notes}
	m.view.Notes = append(append(m.view.Notes, l.from.Doubts...), l.notes...)
	if !m.belong(v) {
		free()
		return 0, errUnderWay
	}
	go func() {
		defer free()
		s.run(m, l)
	}()
	return m.number, nil
}

// run checks a pasted message.
func (s *server) run(m *message, l *letter) {
	m.do(func(v *show.View) template.HTML {
		return v.Note("A saved message. How it came: " + l.from.String() + ".")
	})
	// Each question counts at once: the next message may come with the result of this one.
	ctx := trace.With(m.watch(s.closing), func(trace.Event) { s.dns.use(m.visitor.client, 1) })
	session := s.verifier.Begin(ctx, l.envelope)
	defer session.Close()
	if mailFrom, helo, err := session.SPF(s.closing); err == nil {
		m.spf(mailFrom, helo)
	}
	if _, err := io.Copy(io.MultiWriter(session, m), bytes.NewReader(l.text)); err != nil {
		m.fail(strings.ToLower(reason(err)))
		return
	}
	r, err := session.Finish()
	if err != nil {
		m.fail("the server is being stopped")
		return
	}
	m.finish(r, s.authservID)
}
