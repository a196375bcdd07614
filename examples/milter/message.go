package main

import (
	"context"
	"errors"
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

// maxRecipients is how many recipients of one message are kept. Postfix takes 1,000.
const maxRecipients = 100_000

// errRecipients says that the MTA gave more.
var errRecipients = errors.New("too many recipients")

// A field is a header field as the MTA gives it: what stands before the colon and what after it, with
// its leading space, and LF in folds.
type field struct{ name, value string }

// A message is one message on its way.
type message struct {
	setup      *setup
	authservID string
	client     client
	kind       clientKind
	from       string // MAIL FROM
	rcpts      []string
	utf8       bool
	exempt     bool   // the sender or a recipient is never refused
	queue      string // queue id
	began      time.Time

	questions atomic.Int64
	ctx       context.Context
	cancel    context.CancelFunc
	session   *dmarc.Session // nil if nothing is checked, or the client is not yet known
	pending   bool           // a gateway connected, and the header has to say who the client is
	held      []field        // while pending
	heldSize  int

	ended   bool           // the header has ended
	seen    map[string]int // how many fields of each name came that may have to be removed; names in lower case
	remove  []removal
	others  []string // Authentication-Results fields, for shadow mode
	failure error    // the first error: the message is answered as one that could not be checked
}

// A removal is a field to remove: the n-th of its name, from 1.
type removal struct {
	name string
	n    int
}

// begin starts a message at MAIL.
func (d *daemon) begin(s *setup, c client, from string) *message {
	msg := &message{
		setup: s, client: c, kind: s.kind(c), pending: s.isGateway(c), from: from, exempt: s.senders.has(from) && from != "",
		began: time.Now(), seen: map[string]int{},
	}
	msg.ctx, msg.cancel = context.WithCancel(context.WithValue(context.Background(), questionsKey{}, &msg.questions))
	d.metrics.underway.Inc()
	d.messages.Add(1)
	return msg
}

// checked reports whether messages of this client are to be checked.
func (msg *message) checked() bool { return msg.setup.word(msg.kind) != "skip" }

// start starts to check the message, unless its client is not to be checked, or is not yet known.
func (msg *message) start() {
	if msg.pending || !msg.checked() {
		return
	}
	msg.session = msg.setup.verifier.Begin(msg.ctx, dmarc.Envelope{IP: msg.client.ip, HELO: msg.client.helo, MailFrom: msg.from})
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

func (msg *message) recipient(to string) {
	if len(msg.rcpts) == maxRecipients {
		msg.note(errRecipients)
		return
	}
	msg.rcpts = append(msg.rcpts, to)
	msg.exempt = msg.exempt || msg.setup.recipients.has(to)
}

// field takes the next field, and notes whether it is to be removed.
func (msg *message) field(f field) {
	switch name := strings.ToLower(f.name); {
	case name == "authentication-results":
		text := f.name + ":" + f.value
		msg.suspect(f.name, authres.Claims(msg.authservID, text))
		if msg.setup.Shadow != "" && len(msg.others) < 20 {
			msg.others = append(msg.others, text)
		}
	case name == "received-spf":
		msg.suspect(f.name, msg.setup.ReceivedSPF && authres.Claims(msg.authservID, f.name+":"+f.value))
	case strings.EqualFold(name, msg.setup.MarkField):
		msg.suspect(f.name, true)
	}
	if msg.pending && msg.heldSize < maxHeld {
		msg.held = append(msg.held, f)
		msg.heldSize += len(f.name) + len(f.value)
		return
	}
	msg.release()
	msg.verify(f)
}

// verify gives a field to the verifier.
func (msg *message) verify(f field) {
	if msg.session != nil {
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
	msg.release()
	if msg.session != nil {
		msg.note(msg.session.EndHeader())
	}
}

// release finds the client behind the gateway, if it is pending, and verifies the fields that were held.
func (msg *message) release() {
	if !msg.pending {
		return
	}
	msg.pending = false
	ip, helo := behindGateway(msg.setup.gateways, msg.held)
	msg.client = client{ip: ip, helo: helo}
	msg.kind = msg.setup.kind(msg.client)
	msg.start()
	for _, f := range msg.held {
		msg.verify(f)
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
