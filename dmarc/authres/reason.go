package authres

import (
	"errors"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// reasonOf returns the text of the first of a package's errors that err wraps. The text
// of err itself never goes out: it may quote what DNS or the message say.
func reasonOf(err error, known []error) string {
	for _, k := range known {
		if errors.Is(err, k) {
			return k.Error()
		}
	}
	return ""
}

func spfReasons() []error {
	return []error{
		spf.ErrNoAddress, spf.ErrNoDomain, spf.ErrBadDomain, spf.ErrNoTarget, spf.ErrNoRecord,
		spf.ErrMultipleRecords, spf.ErrLoop, spf.ErrTermLimit, spf.ErrVoidLimit, spf.ErrMXLimit,
		spf.ErrQuestionLimit, spf.ErrRecordLimit, spf.ErrSyntax, spf.ErrTimeLimit,
		spf.ErrCanceled, spf.ErrDNS,
	}
}

func dkimReasons() []error {
	return []error{
		dkim.ErrDuplicateTag, dkim.ErrVersion, dkim.ErrTagMissing, dkim.ErrTagMalformed,
		dkim.ErrAlgorithm, dkim.ErrSHA1, dkim.ErrCanonicalization, dkim.ErrQuery,
		dkim.ErrIdentity, dkim.ErrFromNotSigned, dkim.ErrExpiryBeforeTime, dkim.ErrExpired,
		dkim.ErrFuture, dkim.ErrSyntax, dkim.ErrKeyMissing, dkim.ErrKeyRevoked,
		dkim.ErrKeyType, dkim.ErrKeyHash, dkim.ErrKeyService, dkim.ErrKeyStrict,
		dkim.ErrKeyTooSmall, dkim.ErrKeyTooLarge, dkim.ErrKeyUnsafe, dkim.ErrKeyMalformed,
		dkim.ErrBodyLength, dkim.ErrBodyHashMismatch, dkim.ErrSignatureMismatch,
		dkim.ErrKeyTesting, dkim.ErrBodyUnsigned, dkim.ErrFieldAdded, dkim.ErrFieldNotSigned,
		dkim.ErrLimit, dkim.ErrDNS,
	}
}

func dmarcReasons() []error {
	return []error{
		dmarc.ErrNoRecord, dmarc.ErrRecordLimit, dmarc.ErrNoPolicy, dmarc.ErrPolicyUnknown, dmarc.ErrExistenceUnknown,
		dmarc.ErrAlignmentUnknown, dmarc.ErrResultUnknown, dmarc.ErrNoFrom, dmarc.ErrSeveralFrom,
		dmarc.ErrNoMailbox, dmarc.ErrSeveralDomains, dmarc.ErrTooManyMailboxes,
		dmarc.ErrAddressLiteral, dmarc.ErrFromDomain, dmarc.ErrFromSyntax, dmarc.ErrHeaderLimit,
		dmarc.ErrHeader,
	}
}
