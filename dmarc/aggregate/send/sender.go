package send

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Sender sends the reports of a Queue. Its fields are set before its first use. Many Senders may
// share a Queue, in one program or in several.
type Sender struct {
	Queue  Queue
	Mailer Mailer

	// Resolver is asked whether destinations agree to get reports, and for what receivers of
	// the mail will check. Nil means resolver.Default.
	Resolver resolver.Resolver

	// Submitter is the domain of the receiver that reports. Org is its name; default
	// Submitter.
	Submitter string
	Org       string

	// From is the address that the mail is from, and that people write to about reports.
	// Contact says more, such as the URL of a page; it may be empty.
	//
	// A domain of its own with a DMARC record that has no rua serves best: then nobody
	// reports about reports.
	From    string
	Contact string

	// Bounces is the address for MAIL FROM, at a domain whose mail you read. To its local part
	// "+" and the ID of the delivery are added: give Bounced what comes there.
	Bounces string

	// Key signs the mail, with this selector and the domain of From. It is an *rsa.PrivateKey,
	// an ed25519.PrivateKey, or what signs as one of them does.
	Key      crypto.Signer
	Selector string

	// MaxSize is as Mail.MaxSize of package aggregate.
	MaxSize int

	// After is how long after its period a report is made, which has to be longer than the
	// Interval of those who count. Default 10 minutes.
	After time.Duration

	// Spread is over how long a time from then on the mails of a day go out, since everybody
	// else's day ends then too. Default 6 hours; a negative number sends them at once.
	Spread time.Duration

	// Keep is for how long reports stay in the Queue, sent or not. Default 14 days.
	Keep time.Duration

	// Attempted, if it is set, is called after each attempt, for the log.
	Attempted func(*Task)
}

// The defaults of Sender.
const (
	DefaultAfter  = 10 * time.Minute
	DefaultSpread = 6 * time.Hour
	DefaultKeep   = 14 * 24 * time.Hour
)

const (
	pollEvery = time.Minute
	lease     = 30 * time.Minute // of a delivery, which takes minutes at most
	deadline  = 5 * time.Minute  // of an attempt

	// The pauses between attempts grow from firstPause on to lastPause, until a day is over.
	firstPause = 15 * time.Minute
	lastPause  = 4 * time.Hour
	lastTry    = 24 * time.Hour

	// An address that bounced so often is not tried for as long as it was not heard of again.
	maxBounces  = 3
	bouncePause = 30 * 24 * time.Hour
)

// Run sends what is due, and looks again once a minute, until ctx ends. It returns the first error
// of the Queue, which nothing can be done without.
func (s *Sender) Run(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for pruned := (time.Time{}); ; {
		if _, err := s.Send(ctx); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(pruned) > 24*time.Hour {
			if err := s.Queue.Prune(ctx, now.Add(-limit.Of(s.Keep, DefaultKeep))); err != nil {
				return err
			}
			pruned = now
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Send sends all that is due now, and returns how many mails were accepted. The error is that of
// the Queue or of a context that ended; what became of a mail is told by Attempted.
func (s *Sender) Send(ctx context.Context) (sent int, err error) {
	now := time.Now()
	if err := s.Queue.Close(ctx, s.ended(now), s.due(now)); err != nil {
		return 0, err
	}
	for {
		t, err := s.Queue.Claim(ctx, time.Now(), lease)
		if err != nil || t == nil {
			return sent, err
		}
		s.attempt(ctx, t)
		if ctx.Err() != nil && t.State != StateSent {
			return sent, ctx.Err() // it is tried again when the lease is over
		}
		if err := s.settle(ctx, t); err != nil {
			return sent, err
		}
		if t.State == StateSent {
			sent++
		}
		if err := ctx.Err(); err != nil {
			return sent, err
		}
	}
}

// settle has the Queue take what became of a delivery, also where ctx ended meanwhile: what was sent
// must not be sent again.
func (s *Sender) settle(ctx context.Context, t *Task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.Queue.Settle(ctx, t); err != nil {
		return err
	}
	if s.Attempted != nil {
		s.Attempted(t)
	}
	return nil
}

// ended is the time before which a period has to end to be reported about.
func (s *Sender) ended(now time.Time) time.Time { return now.Add(-limit.Of(s.After, DefaultAfter)) }

// due returns when a delivery is due: at a time of the hours from now on that its ID decides.
func (s *Sender) due(now time.Time) func(*Task) time.Time {
	spread := max(cmp.Or(s.Spread, DefaultSpread), 1)
	return func(t *Task) time.Time {
		h := fnv.New64a()
		h.Write([]byte(t.ID))
		return now.Add(time.Duration(h.Sum64() % uint64(spread)))
	}
}

// attempt tries to deliver a report, and sets what became of it.
func (s *Sender) attempt(ctx context.Context, t *Task) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	mail, err := s.prepare(ctx, t, s.MaxSize)
	if err == nil {
		err = s.Mailer.Mail(ctx, s.mailFrom(t), mail.to, mail.octets)
	}
	var size *SizeError
	if errors.As(err, &size) && size.Max > 0 && size.Max < len(mail.octets) {
		if mail, err = s.prepare(ctx, t, size.Max); err == nil {
			err = s.Mailer.Mail(ctx, s.mailFrom(t), mail.to, mail.octets)
		}
	}
	s.outcome(t, mail, err)
}

// outcome sets the State of a delivery, and for another attempt its time.
func (s *Sender) outcome(t *Task, m mail, err error) {
	t.Reason = m.note
	if err != nil {
		t.Reason = printable(err.Error())
	}
	switch {
	case err == nil:
		t.State = StateSent
	case errors.Is(err, errGivenUp):
		t.State = StateGivenUp
	case errors.Is(err, ErrNotConfirmed):
		t.State = StateForbidden
	case errors.Is(err, aggregate.ErrTooLarge), errors.Is(err, aggregate.ErrIncomplete):
		t.State = StateFailed
	case permanent(err):
		t.State = StateBounced
	default:
		now := time.Now()
		t.Due = now.Add(min(firstPause<<min(t.Attempts-1, 10), lastPause))
		if t.Due.Sub(t.First) > lastTry {
			t.State, t.Due = StateFailed, now
		}
	}
}

// Preview says what Send would do with all that waits in the Queue, due or not, without sending
// anything and without a change to the Queue: for a dry run. It calls f for each delivery, with the
// mail, which is nil where none would be sent; the State and Reason of the Task say why, StateSent
// that it would be.
func (s *Sender) Preview(ctx context.Context, f func(t *Task, mail []byte)) error {
	for t, err := range s.Queue.Pending(ctx, s.ended(time.Now())) {
		if err != nil {
			return err
		}
		t.Attempts++
		m, err := s.prepare(ctx, t, s.MaxSize)
		s.outcome(t, m, err)
		f(t, m.octets)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// mailFrom is the address that a bounce of a delivery comes to.
func (s *Sender) mailFrom(t *Task) string {
	local, host, _ := strings.Cut(s.Bounces, "@")
	return local + "+" + t.ID + "@" + host
}

// Bounced takes that a mail came to an address, as a server got it in RCPT TO, which has the null
// sender or says otherwise that it is a bounce. It reports whether the address is one that reports
// are sent from. An address that bounces three times gets no more reports for 30 days.
func (s *Sender) Bounced(ctx context.Context, recipient string) (bool, error) {
	local, host, _ := strings.Cut(s.Bounces, "@")
	at := strings.LastIndexByte(recipient, '@')
	if at < 0 || !strings.EqualFold(recipient[at+1:], host) || at <= len(local) || !strings.EqualFold(recipient[:len(local)+1], local+"+") {
		return false, nil
	}
	return true, s.Queue.Bounce(ctx, strings.ToLower(recipient[len(local)+1:at]), time.Now())
}

// printable returns a text of another server as one line of printable ASCII.
func printable(text string) string {
	const most = 500
	quoted := strconv.QuoteToASCII(text)
	text = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(quoted[1 : len(quoted)-1])
	return fmt.Sprintf("%.*s", most, text)
}
