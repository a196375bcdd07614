package dkim

import (
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/message"
)

// A Policy says which signatures are accepted among those that are valid. The zero
// Policy is recommended: a zero field means the default that is documented with it.
//
// No Policy accepts rsa-sha1 or RSA keys under 1024 bits (RFC 8301), or keys for which
// anyone can sign.
type Policy struct {
	// MinRSABits and MaxRSABits bound the modulus of RSA keys, in bits. Defaults
	// 1024 and 8192; a minimum under 1024 is taken as 1024, and a negative maximum
	// is none. The cost of verifying grows with the square of the size. Outside of
	// them: StatusPolicy, ErrKeyTooSmall or ErrKeyTooLarge.
	MinRSABits int
	MaxRSABits int

	// AllowUnsignedBody accepts signatures that leave octets of the body unsigned
	// (l=). By default they are StatusPolicy, ErrBodyUnsigned, since anything can
	// be appended to such a message (RFC 6376, section 8.2).
	AllowUnsignedBody bool

	// AllowAddedFields accepts signatures of a message that has a field once more
	// than was signed, though a message may have it once and readers show or obey
	// it: From, Sender, Reply-To, To, Cc, Subject, Date, Content-Type,
	// Content-Transfer-Encoding, Content-Disposition. By default they are
	// StatusPolicy, ErrFieldAdded, since what readers show may be the field that was
	// added (RFC 6376, section 8.15). For other fields that a message may have once,
	// such as Message-ID, there is WarningFieldAdded only.
	AllowAddedFields bool

	// RefuseTesting makes valid signatures by keys in testing mode (t=y)
	// StatusPolicy, ErrKeyTesting. By default they pass, with a warning.
	RefuseTesting bool

	// RequiredFields are the names of fields that h= has to list, whether the message
	// has them or not. If it does not: StatusPolicy, ErrFieldNotSigned. From is
	// always required (RFC 6376, section 5.4).
	RequiredFields []string

	// ClockSkew is how far in the future t= may be. Default 300 s; a negative
	// ClockSkew means no time at all. If t= is later: StatusPermError, ErrFuture.
	ClockSkew time.Duration

	// ExpirySkew is how long after x= a signature is still good. Default 0. After
	// that: StatusPermError, ErrExpired.
	ExpirySkew time.Duration
}

// withDefaults returns a copy of p in which every field is set.
func (p Policy) withDefaults() Policy {
	p.MinRSABits = max(minRSABits, p.MinRSABits)
	p.MaxRSABits = limit.Of(p.MaxRSABits, 8192)
	p.RequiredFields = slices.Clone(p.RequiredFields)
	if p.ClockSkew == 0 {
		p.ClockSkew = 300 * time.Second
	}
	p.ClockSkew = max(p.ClockSkew, 0)
	return p
}

// minRSABits is the size that RFC 8301, section 3.2, demands.
const minRSABits = 1024

// Limits bound what one message may cost. A zero field means the default that is
// documented with it; a negative number means no limit.
type Limits struct {
	// HeaderOctets is the size of the header, and FieldOctets that of one field, line
	// ends included; HeaderFields is the number of fields. Defaults 256 KiB, 64 KiB
	// and 1000. A message that exceeds one is not verified: Write and Finish return
	// an error that wraps ErrLimit.
	HeaderOctets int
	FieldOctets  int
	HeaderFields int

	// Signatures is how many signatures are verified. Default 10. If there are more,
	// those whose SDID could align with the Author Domain come first, so that
	// signatures added on top of a message do not push the good one out. The others
	// are StatusPolicy, ErrLimit.
	Signatures int

	// Results is how many DKIM-Signature fields have a result of their own.
	// Default 100. If there are more, only those that are verified have one, and the
	// last result stands for the others: its Err says how many.
	Results int

	// SignatureOctets is the size of one DKIM-Signature field, SignedNames the number
	// of names in its h=, and ValueOctets the size of the signature in its b=.
	// Defaults 16 KiB, 256 and 1 KiB. If it exceeds one: StatusPermError, ErrLimit.
	SignatureOctets int
	SignedNames     int
	ValueOctets     int

	// BodyHashes is how many hashes are made over the body: one for each distinct
	// canonicalization and length (l=). Default 4. Signatures that need one more are
	// StatusPolicy, ErrLimit.
	BodyHashes int

	// KeyOctets is the size of one key record, and KeyRecords the number of TXT
	// records at the name of a key. Defaults 8 KiB and 10. Longer and further records
	// are not looked at.
	KeyOctets  int
	KeyRecords int
}

// withDefaults returns a copy of l in which every field is set that this package uses.
// Package message reads the others.
func (l Limits) withDefaults() Limits {
	l.Signatures = limit.Of(l.Signatures, 10)
	l.Results = limit.Of(l.Results, 100)
	l.SignatureOctets = limit.Of(l.SignatureOctets, 16<<10)
	l.SignedNames = limit.Of(l.SignedNames, 256)
	l.ValueOctets = limit.Of(l.ValueOctets, 1<<10)
	l.KeyOctets = limit.Of(l.KeyOctets, 8<<10)
	l.KeyRecords = limit.Of(l.KeyRecords, 10)
	return l
}

// message returns the limits of the message and of the hashes over its body.
func (l *Limits) message() message.Limits {
	return message.Limits{
		Header:     header.Limits{Block: l.HeaderOctets, Field: l.FieldOctets, Fields: l.HeaderFields},
		BodyHashes: l.BodyHashes,
	}
}
