package main

import (
	"html/template"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A visitor is somebody who watches: an address that takes mail, and a page that shows it.
type visitor struct {
	all          *visitors
	client       netip.Prefix
	mailbox, key string
	free         func()

	mu       sync.Mutex
	until    time.Time
	end      *time.Timer
	messages []*message // the last ones, oldest first
	number   int        // of the last one
	busy     bool       // one is under way
	events   []event
	octets   int // of events and messages
	lastID   int
	changed  chan struct{} // closed when there are more events
	gone     chan struct{} // closed when the visitor is
}

// An event is a piece of page, or the JSON of a result.
type event struct {
	id      int
	message int
	kind    string // "step" or "result"
	data    string
}

func (v *visitor) address() string { return v.mailbox + "@" + v.all.domain }
func (v *visitor) path() string    { return "/s/" + v.key }

// begin takes a message on, unless another one is under way.
func (v *visitor) begin(m *message) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.busy || v.isGone() {
		return false
	}
	v.busy = true
	v.number++
	m.number = v.number
	v.messages = append(v.messages, m)
	v.end.Reset(v.all.limits.life)
	v.until = time.Now().Add(v.all.limits.life)
	for len(v.messages) > v.all.limits.messages {
		v.dropOldest()
	}
	return true
}

// add tells those who watch of an event.
func (v *visitor) add(message int, kind, data string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.isGone() {
		return
	}
	v.lastID++
	v.events = append(v.events, event{v.lastID, message, kind, data})
	v.octets += len(data)
	for v.octets > v.all.limits.octets && len(v.messages) > 1 {
		v.dropOldest()
	}
	// Of one message alone the first events go: who comes back later sees the page as a whole.
	for v.octets > v.all.limits.octets && len(v.events) > 1 {
		v.octets -= len(v.events[0].data)
		v.events = slices.Delete(v.events, 0, 1)
	}
	close(v.changed)
	v.changed = make(chan struct{})
}

// weigh counts memory that a message takes besides its events.
func (v *visitor) weigh(octets int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.octets += octets
}

// dropOldest forgets the oldest message. It is called with v.mu held.
func (v *visitor) dropOldest() {
	oldest := v.messages[0]
	v.messages = slices.Delete(v.messages, 0, 1)
	v.events = slices.DeleteFunc(v.events, func(e event) bool {
		if e.message == oldest.number {
			v.octets -= len(e.data)
		}
		return e.message == oldest.number
	})
	v.octets -= oldest.weight
}

// done says that the message that was under way has ended.
func (v *visitor) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.busy = false
}

// isBusy reports whether a message is under way.
func (v *visitor) isBusy() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.busy
}

// after returns the events after one, of one message or of all (0), and a channel that is closed when
// there are more. Lost says that some are not there any more.
func (v *visitor) after(id, message int) (list []event, more <-chan struct{}, lost bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id = min(id, v.lastID) // what is not there yet cannot have been seen
	if len(v.events) > 0 && id > 0 {
		lost = v.events[0].id > id+1
	}
	for _, e := range v.events {
		if e.id > id && (message == 0 || e.message == message) {
			list = append(list, e)
		}
	}
	return list, v.changed, lost
}

// message returns a message that is kept, or nil; 0 is the last one.
func (v *visitor) message(number int) *message {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range slices.Backward(v.messages) {
		if number == 0 || m.number == number {
			return m
		}
	}
	return nil
}

// kept returns the messages that are kept, and the id of the last event.
func (v *visitor) kept() ([]*message, int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.messages), v.lastID
}

// ends returns until when the address takes mail.
func (v *visitor) ends() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.until
}

// delete forgets the visitor, the messages and the links.
func (v *visitor) delete() {
	v.all.mu.Lock()
	delete(v.all.byMail, v.mailbox)
	delete(v.all.byKey, v.key)
	v.all.mu.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.isGone() {
		return
	}
	close(v.gone)
	v.end.Stop()
	v.events, v.messages = nil, nil
	v.free()
}

// deleteLinks forgets the links, which otherwise live longer than the visitor.
func (v *visitor) deleteLinks() {
	v.all.mu.Lock()
	defer v.all.mu.Unlock()
	for id, l := range v.all.links {
		if l.visitor == v {
			v.all.drop(id)
		}
	}
}

func (v *visitor) isGone() bool {
	select {
	case <-v.gone:
		return true
	default:
		return false
	}
}

// emit tells of a piece of page.
func (v *visitor) emit(message int, html template.HTML) {
	if html != "" {
		v.add(message, "step", string(html))
	}
}
