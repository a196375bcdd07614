package dmarc

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A Reply is what an SMTP server answers after the message: RFC 5321, section 4.2, with the
// enhanced status code of RFC 3463.
type Reply struct {
	Code         int    // 550 or 451
	EnhancedCode [3]int // {5, 7, 1} or another
	Enhanced     string // the same as text: "5.7.1"
	Text         string // printable ASCII, one line, without the codes
}

func newReply(code int, enhanced [3]int, text string) Reply {
	return Reply{code, enhanced, fmt.Sprintf("%d.%d.%d", enhanced[0], enhanced[1], enhanced[2]), visible.ASCII(text)}
}

// String returns the reply as one line without its line end: "550 5.7.1 text".
func (r Reply) String() string { return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text) }

// SMTPReply returns how to refuse the message, where its disposition is to refuse it; ok is
// false where the disposition is none or quarantine. The text names DMARC and the domain, as
// RFC 9989, section 7.2, advises, and holds nothing else that a sender wrote.
//
//   - reject for the policy of a domain: 550 5.7.1;
//   - reject for a message without a single Author Domain: 550 5.6.0, since the message and
//     not a policy is at fault (RFC 3463, section 3.7);
//   - tempfail: 451 4.7.0 where it is DNS of the sender that has to answer first, or the
//     message was not read to its end.
func (r *Result) SMTPReply() (reply Reply, ok bool) {
	v := &r.DMARC
	switch {
	case v.Disposition == DispositionTempFail:
		checked := "The message"
		if v.AuthorDomain != "" {
			checked = "DMARC for " + v.AuthorDomain
		}
		return newReply(451, [3]int{4, 7, 0}, checked+" could not be checked because "+whyOpen(v.Err)+", try again later"), true
	case v.Disposition != DispositionReject:
		return Reply{}, false
	case v.Status == StatusPermError:
		return newReply(550, [3]int{5, 6, 0}, "Message refused: "+authorFault(v.Err)), true
	}
	return newReply(550, [3]int{5, 7, 1}, "Message refused per DMARC policy for "+v.AuthorDomain), true
}

// whyOpen says why a verdict is temperror.
func whyOpen(err error) string {
	is := func(list ...error) bool {
		for _, e := range list {
			if errors.Is(err, e) {
				return true
			}
		}
		return false
	}
	switch {
	case is(ErrInterrupted, dkim.ErrInterrupted):
		return "the message was not read to its end"
	case is(context.Canceled, context.DeadlineExceeded, spf.ErrCanceled, spf.ErrTimeLimit, resolver.ErrLimit):
		return "the check ended before DNS had answered"
	}
	return "of a DNS failure"
}
