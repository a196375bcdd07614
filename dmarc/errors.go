package dmarc

import (
	"errors"

	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
)

// causes gives the errors their words in JSON.
var causes cause.Table

// Why a verdict is not what it might have been. Verdict.Err wraps one of them for
// every Status but Pass.
var (
	// None: no policy applies.
	ErrNoRecord    = causes.Adopt(discovery.ErrNoRecord)
	ErrRecordLimit = causes.Adopt(record.ErrRecordLimit) // an ErrNoPolicy too
	ErrNoPolicy    = causes.Adopt(record.ErrNoPolicy)

	// Fail: no Authenticated Identifier is aligned.
	ErrNotAuthenticated = causes.New("not-authenticated", "neither SPF nor DKIM passed")
	ErrNotAligned       = causes.New("not-aligned", "what passed is not aligned with the Author Domain")

	// TempError: DNS left the outcome open.
	ErrPolicyUnknown    = causes.Adopt(discovery.ErrPolicyUnknown)
	ErrExistenceUnknown = causes.New("existence-unknown", "whether the Author Domain exists could not be found out")
	ErrAlignmentUnknown = causes.New("alignment-unknown", "whether an identifier is aligned could not be found out")
	ErrResultUnknown    = causes.New("result-unknown", "an identifier that could align could not be checked")
	ErrInterrupted      = causes.Adopt(author.ErrInterrupted) // the header was not read to its end

	// PermError: the message has no single Author Domain (RFC 9989, section 5.3.1).
	ErrNoFrom           = causes.Adopt(author.ErrNoFrom)
	ErrSeveralFrom      = causes.Adopt(author.ErrSeveralFrom)
	ErrNoMailbox        = causes.Adopt(author.ErrNoMailbox)
	ErrSeveralDomains   = causes.Adopt(author.ErrSeveralDomains)
	ErrTooManyMailboxes = causes.Adopt(author.ErrTooManyMailboxes)
	ErrAddressLiteral   = causes.Adopt(author.ErrAddressLiteral)
	ErrFromDomain       = causes.Adopt(author.ErrDomain)
	ErrFromSyntax       = causes.Adopt(author.ErrSyntax)
	ErrHeader           = causes.Adopt(author.ErrHeader)
	ErrHeaderLimit      = causes.Adopt(author.ErrHeaderLimit)
)

// authorFault returns the text of the exported error that err wraps, without the details
// that come from the message.
func authorFault(err error) string {
	for _, c := range causes {
		if errors.Is(err, c.Err) {
			return c.Err.Error()
		}
	}
	return "it has no single Author Domain"
}
