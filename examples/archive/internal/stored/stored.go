// Package stored gives the verdict on messages that lie in a store: files, or objects of a bucket.
// It is one step of a pipeline and of a Lambda, and knows neither of them.
//
//	checker := &stored.Checker{Store: store, Resolver: cache}
//	err := checker.Check(ctx, stored.Name{File: "s3://mail/inbox/4vk2"}, func(l stored.Line) error { … })
//
// A message is read once, as a stream. Its line is the JSON object of examples/verify, with one more
// key: "archive" says of when the DNS answers are, what a stored verdict says, and what differs. What
// gives no verdict has a line too, which says why.
package stored

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/internal/verdictjson"
	"github.com/mailverdict/mailverdict/examples/received"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Name is a file of messages: what travels in place of its octets.
type Name struct {
	File string

	// Offset and End bound the part of an mbox: the messages that begin at Offset or after it,
	// and before End. An End of 0 is that of the file.
	Offset, End int64

	// Sidecar is the file beside the message that tells its envelope, and Zone that with the
	// DNS answers of then; "" where there is none.
	Sidecar, Zone string
}

// A Store opens what a Name names.
type Store interface {
	Open(ctx context.Context, name string) (io.ReadCloser, error)

	// Encryption names the algorithm with which the writer of a file encrypted it, or is "".
	// It is asked only for files that are no messages.
	Encryption(ctx context.Context, name string) (string, error)
}

// A Checker gives verdicts. It is safe for concurrent use.
type Checker struct {
	Store Store

	// Resolver answers what no zone beside the message does. AsOf says of when its answers
	// are, for the line: "now", or "zone" for a zone that is given for all messages.
	Resolver resolver.Resolver
	AsOf     string

	Options
}

// Options are what a user may choose. The zero value is the recommended configuration.
type Options struct {
	// MaxSize is how large a message may be, in octets. Zero means DefaultMaxSize.
	MaxSize int64 `json:"max_size"`

	// Timeout is for one message. Zero means DefaultTimeout.
	Timeout time.Duration `json:"timeout"`

	// Now is when messages are evaluated. The zero time means: when each came, as its sidecar
	// or its topmost Received field tells.
	Now time.Time `json:"now,omitzero"`

	// Started is when messages are evaluated of which nobody tells when they came. The zero time
	// means the present.
	Started time.Time `json:"started,omitzero"`

	// PublicSuffix discovers by the public suffix list (RFC 7489).
	PublicSuffix bool `json:"psl,omitempty"`

	// Journal unwraps journal reports. A message can call itself one, so that this is for
	// stores that nothing but a journal writes into.
	Journal bool `json:"journal,omitempty"`

	// AuthservID is the name in the Authentication-Results of the line.
	AuthservID string `json:"authserv_id"`

	// StoredID is whose stored Authentication-Results are compared. "" means: those of the
	// topmost field.
	StoredID string `json:"stored_id,omitempty"`
}

// Defaults of Options.
const (
	DefaultMaxSize = 50 << 20
	DefaultTimeout = time.Minute
)

// SetupNotification is the name of the object that Amazon SES writes into a bucket when a rule is
// made: no mail.
const SetupNotification = "AMAZON_SES_SETUP_NOTIFICATION"

// Check calls yield with a line for each message of a file, in their order. The error is that of
// yield or of the context: what is wrong with the file is a line.
func (c *Checker) Check(ctx context.Context, n Name, yield func(Line) error) error {
	if path.Base(n.File) == SetupNotification {
		return yield(skip(n.File, "setup-notification", errors.New("written by Amazon SES when the rule was made: no mail")))
	}
	f, err := c.Store.Open(ctx, n.File)
	if err != nil {
		return yield(failed(n.File, err))
	}
	defer f.Close()
	if n.Offset > 0 {
		return c.mbox(ctx, n, f, bufio.NewReaderSize(f, saved.ReadAhead), nil, yield)
	}
	var notes []string
	broken := &watched{r: f}
	r, err := saved.Unwrap(bufio.NewReaderSize(broken, saved.ReadAhead), &notes)
	switch {
	case broken.err != nil:
		return yield(failed(n.File, broken.err))
	case err != nil:
		return yield(c.noMessage(ctx, n.File, err))
	}
	if start, _ := r.Peek(len(mailbox.Start)); string(start) == mailbox.Start {
		return c.mbox(ctx, n, nil, r, notes, yield)
	}
	line := c.message(ctx, n, n.File, r, notes)
	if broken.err != nil {
		line = failed(n.File, broken.err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return yield(line)
}

// noMessage returns the line about a file that is no message.
func (c *Checker) noMessage(ctx context.Context, file string, err error) Line {
	algorithm, headErr := c.Store.Encryption(ctx, file)
	switch {
	case headErr != nil:
		return failed(file, headErr)
	case algorithm != "":
		return skip(file, "encrypted", fmt.Errorf("it was encrypted by its writer (%s), before it came into the store: decrypt it first", algorithm))
	}
	return skip(file, "no-message", err)
}

// message returns the line of the message that r begins with.
func (c *Checker) message(ctx context.Context, n Name, file string, r *bufio.Reader, notes []string) Line {
	beside, err := c.beside(ctx, n)
	if err != nil {
		return skip(file, "sidecar", err)
	}
	capped := &capped{r: r, left: cmp.Or(c.MaxSize, DefaultMaxSize)}
	m := saved.NewMessage(bufio.NewReader(capped)) // r has the large buffer
	notes = append(notes, m.Notes...)
	fields, body, err := saved.ReadHeader(m.Body)
	if err == nil {
		fields, body, notes, err = c.unwrapJournal(fields, body, notes)
	}
	var line Line
	switch {
	case capped.left < 0:
	case err != nil:
		line = c.noMessage(ctx, file, err)
	default:
		line = c.verify(ctx, file, fields, body, beside, func() []string { return append(notes, m.Late()...) })
	}
	if capped.left < 0 {
		return skip(file, "too-large", fmt.Errorf("more than %d octets", cmp.Or(c.MaxSize, DefaultMaxSize)))
	}
	return line
}

// verify gives the verdict on a message.
func (c *Checker) verify(ctx context.Context, file string, fields []received.Field, body io.Reader, b *beside, notes func() []string) Line {
	known, from := envelope.Find(fields, b.known()...)
	if missing := from.Missing(); missing != "" {
		from.Doubts = append(from.Doubts, "SPF could not be checked, and the verdict rests on DKIM alone: "+missing)
	}
	now := c.evaluatedAt(fields, b)
	v := &dmarc.Verifier{Resolver: c.Resolver}
	about := About{DNS: c.AsOf}
	if b.zone != nil {
		v.Resolver, about.DNS = b.zone, "stored"
	}
	v.SPF.Receiver, v.SPF.Trace = c.AuthservID, true // the answer goes through the record term by term
	if c.PublicSuffix {
		v.Discovery.Mode = discovery.PublicSuffix
	}
	if !now.IsZero() {
		v.Now = func() time.Time { return now }
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, DefaultTimeout))
	defer cancel()
	result, err := v.Verify(limited, known, body)
	if result == nil || err != nil && limited.Err() == nil {
		return failed(file, err)
	}
	about.compare(c.stored(fields, b), result)
	if about.DNS == AsOfNow {
		about.KeysChanged = changedKeys(result, about.Stored)
	}
	var text bytes.Buffer
	checked := verdictjson.Checked{File: file, Result: result, From: from, Notes: notes(), AuthservID: c.AuthservID}
	if err := checked.Write(&text); err != nil {
		return failed(file, err)
	}
	return Line{File: file, Text: withAbout(text.Bytes(), about), Again: isOpen(result), Disposition: result.DMARC.Disposition.String()}
}

// evaluatedAt returns when a message is evaluated, or the zero time for the present.
func (c *Checker) evaluatedAt(fields []received.Field, b *beside) time.Time {
	switch {
	case !c.Now.IsZero():
		return c.Now
	case !b.now.IsZero():
		return b.now
	}
	if came := received.When(fields); !came.IsZero() {
		return came
	}
	return c.Started
}

// capped reads up to so many octets, and fails where there are more.
type capped struct {
	r    io.Reader
	left int64 // negative: there were more
}

var errTooLarge = errors.New("the message is too large")

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(int64(len(p)), max(c.left, 0)+1)])
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// watched keeps the error with which the store broke off, which is no fault of the file's.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
