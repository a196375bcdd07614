package dmarc

import (
	"errors"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
)

// Why a verdict is not what it might have been. Verdict.Err wraps one of them for
// every Status but Pass.
var (
	// None: no policy applies.
	ErrNoRecord    = errors.New("no DMARC record is published for the Author Domain")
	ErrNoPolicy    = record.ErrNoPolicy
	ErrRecordLimit = record.ErrRecordLimit // an ErrNoPolicy too

	// Fail: no Authenticated Identifier is aligned.
	ErrNotAuthenticated = errors.New("neither SPF nor DKIM passed")
	ErrNotAligned       = errors.New("what passed is not aligned with the Author Domain")

	// TempError: DNS left the outcome open.
	ErrPolicyUnknown    = errors.New("the policy could not be found out")
	ErrExistenceUnknown = errors.New("whether the Author Domain exists could not be found out")
	ErrAlignmentUnknown = errors.New("whether an identifier is aligned could not be found out")
	ErrResultUnknown    = errors.New("an identifier that could align could not be checked")
	ErrInterrupted      = errors.New("the check was ended before it was done")

	// PermError: the message has no single Author Domain (RFC 9989, section 5.3.1).
	ErrNoFrom           = errors.New("the message has no From field")
	ErrSeveralFrom      = errors.New("the message has more than one From field")
	ErrNoMailbox        = errors.New("the From field has no mailbox")
	ErrSeveralDomains   = errors.New("the From field has mailboxes of more than one domain")
	ErrTooManyMailboxes = errors.New("the From field has more than 20 mailboxes")
	ErrAddressLiteral   = errors.New("the From field has an address literal instead of a domain")
	ErrFromDomain       = errors.New("the Author Domain is not a domain name")
	ErrFromSyntax       = errors.New("the From field cannot be read without doubt")
	ErrHeader           = errors.New("the header cannot be read without doubt")
	ErrHeaderLimit      = errors.New("the header exceeds a limit")
)

// causes gives the errors their words in JSON.
var causes = cause.Table{
	{Word: "no-record", Err: ErrNoRecord},
	{Word: "record-limit", Err: ErrRecordLimit},
	{Word: "no-policy", Err: ErrNoPolicy},
	{Word: "not-authenticated", Err: ErrNotAuthenticated},
	{Word: "not-aligned", Err: ErrNotAligned},
	{Word: "policy-unknown", Err: ErrPolicyUnknown},
	{Word: "existence-unknown", Err: ErrExistenceUnknown},
	{Word: "alignment-unknown", Err: ErrAlignmentUnknown},
	{Word: "result-unknown", Err: ErrResultUnknown},
	{Word: "interrupted", Err: ErrInterrupted},
	{Word: "no-from", Err: ErrNoFrom},
	{Word: "several-from", Err: ErrSeveralFrom},
	{Word: "no-mailbox", Err: ErrNoMailbox},
	{Word: "several-domains", Err: ErrSeveralDomains},
	{Word: "too-many-mailboxes", Err: ErrTooManyMailboxes},
	{Word: "address-literal", Err: ErrAddressLiteral},
	{Word: "from-domain", Err: ErrFromDomain},
	{Word: "from-syntax", Err: ErrFromSyntax},
	{Word: "header", Err: ErrHeader},
	{Word: "header-limit", Err: ErrHeaderLimit},
}

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
