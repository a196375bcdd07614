package dkim

import (
	"errors"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// Why a signature is not a pass. Result.Err wraps one of them. The signature itself
// (RFC 6376, sections 3.5 and 6.1.1):
var (
	ErrSyntax           = errors.New("the field is not a list of tags")
	ErrDuplicateTag     = errors.New("a tag stands more than once")
	ErrVersion          = errors.New("the version (v=) is missing or is not 1")
	ErrTagMissing       = errors.New("a required tag is missing")
	ErrTagMalformed     = errors.New("a tag does not follow its grammar")
	ErrAlgorithm        = errors.New("the algorithm (a=) is not supported")
	ErrSHA1             = errors.New("rsa-sha1 is no longer valid (RFC 8301)")
	ErrCanonicalization = errors.New("the canonicalization (c=) is not supported")
	ErrQuery            = errors.New("none of the query methods (q=) is supported")
	ErrIdentity         = errors.New("the AUID (i=) is not within the SDID (d=)")
	ErrFromNotSigned    = errors.New("the From field is not signed")
	ErrExpiryBeforeTime = errors.New("the expiry (x=) is not after the time of signing (t=)")
	ErrExpired          = errors.New("the signature has expired (x=)")
	ErrFuture           = errors.New("the signature is from the future (t=)")
)

// Its key (RFC 6376, sections 3.6.1 and 6.1.2):
var (
	ErrDNS          = errors.New("the key could not be had from DNS")
	ErrKeyMissing   = errors.New("there is no key")
	ErrKeyMalformed = errors.New("the key record is malformed")
	ErrKeyRevoked   = errors.New("the key is revoked")
	ErrKeyType      = errors.New("the key's type (k=) is not the one of the algorithm")
	ErrKeyHash      = errors.New("the key does not allow the hash (h=)")
	ErrKeyService   = errors.New("the key is not for email (s=)")
	ErrKeyStrict    = errors.New("the key demands that the AUID's domain is the SDID (t=s)")
	ErrKeyTooSmall  = errors.New("the key is too small")
	ErrKeyTooLarge  = errors.New("the key is too large")
	ErrKeyUnsafe    = errors.New("anyone can sign for the key")
)

// The message (RFC 6376, section 6.1.3):
var (
	ErrBodyLength        = errors.New("the body is shorter than the signature says (l=)")
	ErrBodyHashMismatch  = errors.New("the body was changed: its hash does not match")
	ErrSignatureMismatch = errors.New("the signature does not match")
)

// The Policy and the Limits of the Verifier:
var (
	ErrKeyTesting     = errors.New("the key is in testing mode (t=y)")
	ErrBodyUnsigned   = errors.New("octets of the body are not signed (l=)")
	ErrFieldAdded     = errors.New("a field stands in the header once more than was signed")
	ErrFieldNotSigned = errors.New("a field that has to be signed is not")
	ErrLimit          = errors.New("a limit was reached")
	errAfterFinish    = errors.New("dkim: Write after Finish")
	errSingleLabel    = errors.New("domain name has one label only")
	errResolverPanic  = errors.New("the resolver panicked")
)

// causes are the codes of the errors in JSON.
var causes = cause.Table{
	{Word: "syntax", Err: ErrSyntax},
	{Word: "duplicate-tag", Err: ErrDuplicateTag},
	{Word: "version", Err: ErrVersion},
	{Word: "tag-missing", Err: ErrTagMissing},
	{Word: "tag-malformed", Err: ErrTagMalformed},
	{Word: "algorithm", Err: ErrAlgorithm},
	{Word: "rsa-sha1", Err: ErrSHA1},
	{Word: "canonicalization", Err: ErrCanonicalization},
	{Word: "query", Err: ErrQuery},
	{Word: "identity", Err: ErrIdentity},
	{Word: "from-not-signed", Err: ErrFromNotSigned},
	{Word: "expiry-before-time", Err: ErrExpiryBeforeTime},
	{Word: "expired", Err: ErrExpired},
	{Word: "future", Err: ErrFuture},
	{Word: "dns", Err: ErrDNS},
	{Word: "key-missing", Err: ErrKeyMissing},
	{Word: "key-malformed", Err: ErrKeyMalformed},
	{Word: "key-revoked", Err: ErrKeyRevoked},
	{Word: "key-type", Err: ErrKeyType},
	{Word: "key-hash", Err: ErrKeyHash},
	{Word: "key-service", Err: ErrKeyService},
	{Word: "key-strict", Err: ErrKeyStrict},
	{Word: "key-too-small", Err: ErrKeyTooSmall},
	{Word: "key-too-large", Err: ErrKeyTooLarge},
	{Word: "key-unsafe", Err: ErrKeyUnsafe},
	{Word: "key-testing", Err: ErrKeyTesting},
	{Word: "body-length", Err: ErrBodyLength},
	{Word: "body-hash-mismatch", Err: ErrBodyHashMismatch},
	{Word: "signature-mismatch", Err: ErrSignatureMismatch},
	{Word: "body-unsigned", Err: ErrBodyUnsigned},
	{Word: "field-added", Err: ErrFieldAdded},
	{Word: "field-not-signed", Err: ErrFieldNotSigned},
	{Word: "limit", Err: ErrLimit},
}
