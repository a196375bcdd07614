package arc

import (
	"slices"

	"github.com/mailverdict/mailverdict/internal/keys"
)

// causes gives the errors their words in JSON.
var causes = slices.Clone(keys.Causes)

// Why a chain does not pass. Result.Err, Set.Err and Signature.Err wrap one of them. The
// sets (RFC 8617, sections 4.2 and 5.2):
var (
	ErrInstance   = causes.New("instance", "an instance number (i=) is missing or is not from 1 to 50")
	ErrSets       = causes.New("sets", "the sets are not numbered from 1 without a gap, or one of them is not complete")
	ErrChain      = causes.New("chain", "a seal says otherwise than the chain: cv= is none in the first set, and pass in every other")
	ErrSealedFail = causes.New("sealed-fail", "a sealer says that the chain failed before it (cv=fail)")
)

// A signature or a seal (RFC 8617, sections 4.1.2 and 4.1.3):
var (
	ErrSyntax           = causes.New("syntax", "the field is not a list of tags")
	ErrTagMissing       = causes.New("tag-missing", "a required tag is missing")
	ErrTagMalformed     = causes.New("tag-malformed", "a tag does not follow its grammar")
	ErrTagForbidden     = causes.New("tag-forbidden", "a tag may not stand in the field")
	ErrAlgorithm        = causes.New("algorithm", "the algorithm (a=) is not supported")
	ErrSealSigned       = causes.New("seal-signed", "the message signature is over an ARC-Seal field (h=)")
	ErrFuture           = causes.New("future", "the signature is from the future (t=)")
	ErrExpired          = causes.New("expired", "the signature has expired (x=)")
	ErrBodyHashMismatch = causes.New("body-hash-mismatch", "the body was changed: its hash does not match")
	ErrBodyUnsigned     = causes.New("body-unsigned", "octets of the body are not signed (l=)")
)

// Its key: the same errors as in package dkim.
var (
	ErrDNS               = keys.ErrDNS       // the key could not be had from DNS
	ErrKeyMissing        = keys.ErrMissing   // there is no key
	ErrKeyMalformed      = keys.ErrMalformed // the key record is malformed
	ErrKeyRevoked        = keys.ErrRevoked   // the key is revoked
	ErrKeyType           = keys.ErrType      // the key's type (k=) is not the one of the algorithm
	ErrKeyHash           = keys.ErrHash      // the key does not allow the hash (h=)
	ErrKeyService        = keys.ErrService   // the key is not for email (s=)
	ErrKeyTooSmall       = keys.ErrTooSmall  // the key is too small
	ErrKeyTooLarge       = keys.ErrTooLarge  // the key is too large
	ErrKeyUnsafe         = keys.ErrUnsafe    // anyone can sign for the key
	ErrSignatureMismatch = keys.ErrMismatch  // the signature does not match
	ErrLimit             = keys.ErrLimit     // a limit was reached
)

// The check was cut short:
var ErrInterrupted = causes.New("interrupted", "the message was not read to its end")
