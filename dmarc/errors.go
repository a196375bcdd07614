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
	ErrNoRecord    = causes.Adopt(discovery.ErrNoRecord) // no record is published for the Author Domain
	ErrRecordLimit = causes.Adopt(record.ErrRecordLimit) // the record is too long: an ErrNoPolicy too
	ErrNoPolicy    = causes.Adopt(record.ErrNoPolicy)    // the record states no valid policy, and asks for no reports

	// Fail: no Authenticated Identifier is aligned.
	ErrNotAuthenticated = causes.New("not-authenticated", "neither SPF nor DKIM passed")
	ErrNotAligned       = causes.New("not-aligned", "what passed is not aligned with the Author Domain")

	// TempError: DNS left the outcome open.
	ErrPolicyUnknown    = causes.Adopt(discovery.ErrPolicyUnknown) // the policy could not be found out
	ErrExistenceUnknown = causes.New("existence-unknown", "whether the Author Domain exists could not be found out")
	ErrAlignmentUnknown = causes.New("alignment-unknown", "whether an identifier is aligned could not be found out")
	ErrResultUnknown    = causes.New("result-unknown", "an identifier that could align could not be checked")
	ErrInterrupted      = causes.Adopt(author.ErrInterrupted) // the header was not read to its end

	// PermError: the message has no single Author Domain (RFC 9989, section 5.3.1).
	ErrNoFrom           = causes.Adopt(author.ErrNoFrom)           // there is no From field
	ErrSeveralFrom      = causes.Adopt(author.ErrSeveralFrom)      // there is more than one From field
	ErrNoMailbox        = causes.Adopt(author.ErrNoMailbox)        // the From field has no mailbox
	ErrSeveralDomains   = causes.Adopt(author.ErrSeveralDomains)   // it has mailboxes of more than one domain
	ErrTooManyMailboxes = causes.Adopt(author.ErrTooManyMailboxes) // it has more than 20 mailboxes
	ErrAddressLiteral   = causes.Adopt(author.ErrAddressLiteral)   // it has an address literal instead of a domain
	ErrFromDomain       = causes.Adopt(author.ErrDomain)           // the Author Domain is not a domain name
	ErrFromSyntax       = causes.Adopt(author.ErrSyntax)           // the From field cannot be read without doubt
	ErrHeader           = causes.Adopt(author.ErrHeader)           // the header cannot be read without doubt
	ErrHeaderLimit      = causes.Adopt(author.ErrHeaderLimit)      // the header exceeds a limit
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
