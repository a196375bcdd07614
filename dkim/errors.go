package dkim

import (
	"errors"
	"slices"

	"github.com/mailverdict/mailverdict/internal/keys"
)

// causes gives the errors their words in JSON.
var causes = slices.Clone(keys.Causes)

// Why a signature is not a pass. Result.Err wraps one of them. The signature itself
// (RFC 6376, sections 3.5 and 6.1.1):
var (
	ErrSyntax           = causes.New("syntax", "the field is not a list of tags")
	ErrDuplicateTag     = causes.New("duplicate-tag", "a tag stands more than once")
	ErrVersion          = causes.New("version", "the version (v=) is missing or is not 1")
	ErrTagMissing       = causes.New("tag-missing", "a required tag is missing")
	ErrTagMalformed     = causes.New("tag-malformed", "a tag does not follow its grammar")
	ErrAlgorithm        = causes.New("algorithm", "the algorithm (a=) is not supported")
	ErrSHA1             = causes.New("rsa-sha1", "rsa-sha1 is no longer valid (RFC 8301)")
	ErrCanonicalization = causes.New("canonicalization", "the canonicalization (c=) is not supported")
	ErrQuery            = causes.New("query", "none of the query methods (q=) is supported")
	ErrIdentity         = causes.New("identity", "the AUID (i=) is not within the SDID (d=)")
	ErrFromNotSigned    = causes.New("from-not-signed", "the From field is not signed")
	ErrExpiryBeforeTime = causes.New("expiry-before-time", "the expiry (x=) is not after the time of signing (t=)")
	ErrExpired          = causes.New("expired", "the signature has expired (x=)")
	ErrFuture           = causes.New("future", "the signature is from the future (t=)")
)

// Its key (RFC 6376, sections 3.6.1 and 6.1.2):
var (
	ErrDNS          = keys.ErrDNS       // the key could not be had from DNS
	ErrKeyMissing   = keys.ErrMissing   // there is no key
	ErrKeyMalformed = keys.ErrMalformed // the key record is malformed
	ErrKeyRevoked   = keys.ErrRevoked   // the key is revoked
	ErrKeyType      = keys.ErrType      // the key's type (k=) is not the one of the algorithm
	ErrKeyHash      = keys.ErrHash      // the key does not allow the hash (h=)
	ErrKeyService   = keys.ErrService   // the key is not for email (s=)
	ErrKeyStrict    = keys.ErrStrict    // the key demands that the AUID's domain is the SDID (t=s)
	ErrKeyTooSmall  = keys.ErrTooSmall  // the key is too small
	ErrKeyTooLarge  = keys.ErrTooLarge  // the key is too large
	ErrKeyUnsafe    = keys.ErrUnsafe    // anyone can sign for the key
)

// The message (RFC 6376, section 6.1.3):
var (
	ErrBodyLength        = causes.New("body-length", "the body is shorter than the signature says (l=)")
	ErrBodyHashMismatch  = causes.New("body-hash-mismatch", "the body was changed: its hash does not match")
	ErrSignatureMismatch = keys.ErrMismatch // the signature does not match
)

// The check was cut short:
var ErrInterrupted = causes.New("interrupted", "the message was not read to its end")

// The Policy and the Limits of the Verifier:
var (
	ErrKeyTesting     = causes.New("key-testing", "the key is in testing mode (t=y)")
	ErrBodyUnsigned   = causes.New("body-unsigned", "octets of the body are not signed (l=)")
	ErrFieldAdded     = causes.New("field-added", "a field stands in the header once more than was signed")
	ErrFieldNotSigned = causes.New("field-not-signed", "a field that has to be signed is not")
	ErrLimit          = keys.ErrLimit // a limit was reached
)

var errSingleLabel = errors.New("domain name has one label only")
