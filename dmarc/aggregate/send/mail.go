package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/feedback"
)

// A Mailer hands a mail over, to the receiver's own mail server as a rule. [SMTP] is one.
type Mailer interface {
	// Mail returns nil once somebody has taken the mail for at least one recipient. An error
	// is permanent if it wraps ErrRefused, or a *textproto.Error of a code from 500 on, as
	// those of net/smtp do; it may be a *SizeError. Others are temporary.
	Mail(ctx context.Context, from string, to []string, message []byte) error
}

// ErrRefused says that the destination does not want the mail, now or later.
var ErrRefused = causes.New("refused", "the mail was refused")

// A SizeError says that a mail is larger than what the destination takes.
type SizeError struct {
	Max int // octets that it takes (RFC 1870), or 0 where that is not known
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the destination takes mails of at most %d octets", e.Max)
}

// permanent reports whether another attempt is in vain.
func permanent(err error) bool {
	var reply *textproto.Error
	var size *SizeError
	return errors.Is(err, ErrRefused) || errors.As(err, &size) || errors.As(err, &reply) && reply.Code >= 500
}

var (
	errGivenUp = errors.New("mails to the address bounce")
	errNoPass  = errors.New("the mail would not pass DMARC")
)

// A mail is a report ready to go out.
type mail struct {
	to     []string
	octets []byte
	note   string // what the operator should know
}

// prepare makes the mail of a delivery, of at most size octets, and makes sure that it may go out:
// its destination agrees, and receivers will find that it passes DMARC.
func (s *Sender) prepare(ctx context.Context, t *Task, size int) (mail, error) {
	if t.Bounces >= maxBounces && time.Since(t.LastBounce) < bouncePause {
		return mail{}, errGivenUp
	}
	to, err := Confirm(ctx, s.Resolver, t.Report.Policy.Domain, t.Address)
	if err != nil {
		return mail{}, err
	}
	report := *t.Report
	report.Org, report.Email, report.Contact, report.Generator = s.Org, s.From, s.Contact, "mailverdict"
	if report.Org == "" {
		report.Org = s.Submitter
	}
	m := aggregate.Mail{
		Report: &report, Rows: s.Queue.Rows(ctx, t), Submitter: s.Submitter,
		From: s.From, To: to, Date: time.Now(), MaxSize: size,
	}
	octets, err := m.Bytes()
	if err != nil {
		return mail{}, err
	}
	octets, err = s.sign(octets)
	if err != nil {
		return mail{}, err
	}
	note, err := s.verify(ctx, t, octets)
	if err != nil {
		return mail{}, err
	}
	return mail{to, octets, note}, nil
}

// sign returns the mail with a signature of the domain of From. From is signed once more than it
// stands there, so that nobody adds another one.
func (s *Sender) sign(octets []byte) ([]byte, error) {
	var signed bytes.Buffer
	err := dkim.Sign(&signed, bytes.NewReader(octets), &dkim.SignOptions{
		Domain:                 s.From[strings.LastIndexByte(s.From, '@')+1:],
		Selector:               s.Selector,
		Signer:                 s.Key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             []string{"From", "From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Auto-Submitted"},
	})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return signed.Bytes(), nil
}

// verify makes sure that the signed mail passes DMARC as receivers will see it: RFC 9990, section
// 3.5.2, wants that of reports. SPF is not asked, as nobody knows by which address the mail leaves.
func (s *Sender) verify(ctx context.Context, t *Task, octets []byte) (note string, err error) {
	v := dmarc.Verifier{Resolver: s.Resolver}
	r, err := v.Verify(ctx, dmarc.Envelope{MailFromUnknown: true}, bytes.NewReader(octets))
	if err != nil {
		return "", err
	}
	if r.DMARC.Status != dmarc.StatusPass {
		err := r.DMARC.Err
		for _, d := range r.DKIM {
			if d.Err != nil {
				err = d.Err
			}
		}
		return "", cause.Wrap(errNoPass, "", err)
	}
	if rec := feedback.Record(r); rec != nil && len(feedback.Addresses(rec.AggregateReports)) > 0 {
		note = "the policy record of " + r.DMARC.PolicyDomain + " asks for reports about this report: publish one without rua for the domain of From"
	}
	return note, nil
}
