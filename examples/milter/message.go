package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
)

// maxHeld is how many octets of a header are held while the client behind a gateway is not yet
// known. The verifier takes less.
const maxHeld = 512 << 10

// maxRemovals is how many forged fields are removed from one message. One that has more is refused:
// Postfix goes through the header once for each.
const maxRemovals = 1000

// A field is a header field as the MTA gives it: what stands before the colon and what after it, with
// its leading space, and LF in folds.
type field struct{ name, value string }

// A message is one message on its way.
type message struct {
	setup  *setup
	client client
	kind   clientKind
	from   string // MAIL FROM
	rcpts  []string
	utf8   bool
	exempt bool
	queue  string
	began  time.Time

	questions atomic.Int64
	ctx       context.Context
	cancel    context.CancelFunc
	session   *dmarc.Session // nil if nothing is checked, or the client is not yet known
	gateway   bool           // the client is a gateway
	held      []field        // of a gateway's message, until its header ends
	heldSize  int

	ended   bool           // the header has ended
	seen    map[string]int // of the names of fields that may be removed, in lower case
	remove  []removal
	others  []string // Authentication-Results fields, for shadow mode
	failure error    // why nothing more is to be known
}

// A removal is a field to remove: the n-th of its name, from 1.
type removal struct {
	name string
	n    int
}

// begin starts a message at MAIL.
func (d *daemon) begin(s *setup, c client, kind clientKind, from string) *message {
	msg := &message{setup: s, client: c, kind: kind, from: from, began: time.Now(), seen: map[string]int{}, exempt: s.senders.has(from) && from != ""}
	msg.ctx, msg.cancel = context.WithCancel(context.WithValue(context.Background(), questionsKey{}, &msg.questions))
	d.metrics.underway.Inc()
	d.messages.Add(1)
	return msg
}

// start starts to check the message, unless its client is not to be checked, or is not yet known.
func (msg *message) start() {
	if msg.setup.word(msg.kind) == "skip" {
		return
	}
	if msg.gateway = msg.setup.gateways.has(msg.client.ip, ""); !msg.gateway {
		msg.check()
	}
}

// end ends a message, whatever became of it.
func (d *daemon) end(msg *message) {
	if msg.session != nil {
		_ = msg.session.Close()
	}
	msg.cancel()
	d.metrics.underway.Dec()
	d.messages.Add(-1)
}

// check starts to check the message, whose client is known now.
func (msg *message) check() {
	msg.session = msg.setup.verifier.Begin(msg.ctx, dmarc.Envelope{IP: msg.client.ip, HELO: msg.client.helo, MailFrom: msg.from})
}

func (msg *message) recipient(to string) {
	msg.rcpts = append(msg.rcpts, to)
	msg.exempt = msg.exempt || msg.setup.recipients.has(to)
}

// field takes the next field, and notes whether it is to be removed.
func (msg *message) field(f field, id string) {
	switch name := strings.ToLower(f.name); {
	case name == "authentication-results":
		text := f.name + ":" + f.value
		msg.suspect(f.name, authres.Claims(id, text))
		if msg.setup.Shadow != "" && len(msg.others) < 20 {
			msg.others = append(msg.others, text)
		}
	case name == "received-spf":
		msg.suspect(f.name, msg.setup.ReceivedSPF && authres.Claims(id, f.name+":"+f.value))
	case strings.EqualFold(name, msg.setup.MarkField):
		msg.suspect(f.name, true)
	}
	switch {
	case msg.session != nil:
		msg.note(msg.session.WriteField(f.name, f.value))
	case msg.gateway && msg.heldSize < maxHeld:
		msg.held = append(msg.held, f)
		msg.heldSize += len(f.name) + len(f.value)
	case msg.gateway:
		msg.releaseHeld()
		msg.note(msg.session.WriteField(f.name, f.value))
	}
}

// suspect counts a field whose name we write too, and notes whether it is forged.
func (msg *message) suspect(name string, forged bool) {
	key := strings.ToLower(name)
	msg.seen[key]++
	if forged && len(msg.remove) <= maxRemovals {
		msg.remove = append(msg.remove, removal{name, msg.seen[key]})
	}
}

// endHeader ends the header, if that was not yet done: the client behind a gateway is known by now.
func (msg *message) endHeader() {
	if msg.ended {
		return
	}
	msg.ended = true
	if msg.gateway && msg.session == nil {
		msg.releaseHeld()
	}
	if msg.session != nil {
		msg.note(msg.session.EndHeader())
	}
}

// releaseHeld finds the client behind the gateway, and hands over the fields that were held.
func (msg *message) releaseHeld() {
	msg.client.ip, msg.client.helo = behindGateway(msg.setup.gateways, msg.held)
	msg.check()
	for _, f := range msg.held {
		msg.note(msg.session.WriteField(f.name, f.value))
	}
	msg.held = nil
}

func (msg *message) write(chunk []byte) {
	msg.endHeader()
	if msg.session != nil {
		_, err := msg.session.Write(chunk)
		msg.note(err)
	}
}

// note keeps the first error.
func (msg *message) note(err error) {
	if msg.failure == nil {
		msg.failure = err
	}
}
