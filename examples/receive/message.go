package main

import (
	"bytes"
	"context"
	"html/template"
	"strconv"
	"strings"
	"sync"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/verdictjson"
	"github.com/mailverdict/mailverdict/examples/receive/show"
	"github.com/mailverdict/mailverdict/resolver/trace"
	"github.com/mailverdict/mailverdict/spf"
)

// A message is one on its way to a visitor, or that has come. Every change of its view is an event.
type message struct {
	mu      sync.Mutex
	view    *show.View
	visitor *visitor        // nil until it is known whose it is
	pending []template.HTML // until then
	number  int             // of the visitor's
	json    []byte          // the result, once it is there
	weight  int             // octets that it takes besides its events

	from  envelope.Origins
	notes []string

	head   bytes.Buffer // the header, until it has ended
	ended  bool         // the header has
	header int          // octets of the header
	octets int64        // of the body
}

// do changes the view, and tells of it.
func (m *message) do(change func(v *show.View) template.HTML) {
	m.mu.Lock()
	defer m.mu.Unlock()
	html := change(m.view)
	if m.visitor == nil {
		m.pending = append(m.pending, html)
		return
	}
	m.visitor.emit(m.number, html)
}

// belong gives the message to a visitor; it is false where another one is under way. What has been
// seen before is told piece by piece, as it came.
func (m *message) belong(v *visitor) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !v.begin(m) {
		return false
	}
	m.visitor = v
	m.view.Number = m.number
	empty := show.New(m.view.Start, m.view.Via, m.view.Envelope)
	empty.Number, empty.Notes = m.number, m.view.Notes
	v.emit(m.number, empty.Page()+m.entryLocked(false).html())
	for _, html := range m.pending {
		v.emit(m.number, html)
	}
	m.pending = nil
	return true
}

// watch returns a context whose DNS questions are shown.
func (m *message) watch(ctx context.Context) context.Context {
	return trace.With(ctx, func(e trace.Event) {
		m.do(func(v *show.View) template.HTML { return v.Question(e) })
	})
}

// spf shows the results of SPF.
func (m *message) spf(mailFrom, helo *spf.Result) {
	m.do(func(v *show.View) template.HTML { return v.SPF(mailFrom, helo) })
}

// finish shows the verdict, and ends the message.
func (m *message) finish(r *dmarc.Result, authservID string) {
	if !m.ended {
		m.showHeader(m.head.Bytes())
	}
	m.do(func(v *show.View) template.HTML { return v.Received(m.octets) })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.view.AuthservID = authservID
	m.view.Base = m.visitor.path() + "/" + strconv.Itoa(m.number)
	pieces := m.view.Finish(r)
	pieces[len(pieces)-1] += m.entryLocked(false).html()
	for _, html := range pieces {
		m.visitor.emit(m.number, html)
	}
	var json strings.Builder
	_ = verdictjson.Checked{File: m.view.Via, Result: r, From: m.from, Notes: m.notes, AuthservID: authservID}.Write(&json)
	m.json = []byte(json.String())
	m.weight = 4 * len(m.json) // the result and the view have the same texts
	m.visitor.weigh(m.weight)
	m.visitor.add(m.number, "result", json.String())
	m.visitor.done()
}

// fail ends a message that did not come to its end.
func (m *message) fail(why string) {
	m.do(func(v *show.View) template.HTML { return v.Fail(why) })
	m.visitor.done()
}

// page returns what is shown of the message now.
func (m *message) page(c show.Change) template.HTML {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := *m.view
	v.Chosen = c
	return v.Page()
}

// whatIf returns the verdict for another policy; ok is false where there is none.
func (m *message) whatIf(c show.Change) (html template.HTML, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.view.CanChange() {
		return "", false
	}
	return m.view.WhatIf(c).HTML(), true
}

// result returns the JSON, nil where there is no result.
func (m *message) result() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.json
}

func (m *message) hasEnded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.json != nil || m.view.Failed != ""
}

// share returns a view of the message without what only its visitor may do.
func (m *message) share() (*show.View, []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := *m.view
	v.Base = ""
	return &v, m.json
}
