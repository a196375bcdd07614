package dkim

import (
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/message"
)

// A Policy says which signatures are accepted among those that are valid. The zero
// Policy is the recommended one: every field's zero value means the default that
// stands with it.
//
// Not open to policy: rsa-sha1 and RSA keys under 1024 bits are never valid (RFC
// 8301), nor are keys that anyone can sign for.
type Policy struct {
	// MinRSABits and MaxRSABits bound the modulus of RSA keys, in bits. Defaults
	// 1024 and 8192; a minimum under 1024 is taken as 1024, and a negative maximum
	// is none. The cost of verifying
	// grows with the square of the size. Outside: StatusPolicy, ErrKeyTooSmall or
	// ErrKeyTooLarge.
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

	// RequiredFields names fields that h= has to list, whether the message has
	// them or not. Without one of them: StatusPolicy, ErrFieldNotSigned. From is
	// always required, by RFC 6376, section 5.4.
	RequiredFields []string

	// ClockSkew is how far in the future t= may be. Default 300 s; negative: not
	// at all. Further: StatusPermError, ErrFuture.
	ClockSkew time.Duration

	// ExpirySkew is how long after x= a signature is still good. Default 0.
	// Later: StatusPermError, ErrExpired.
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

// Limits bound what one message may cost. A zero field means the default that
// stands with it; a negative number is no limit.
type Limits struct {
	// The header block, one field, and their number. Defaults 256 KiB, 64 KiB and
	// 1000, line ends included. Over it, the message is not verified: Write and
	// Finish return an error that wraps ErrLimit.
	HeaderOctets int
	FieldOctets  int
	HeaderFields int

	// Signatures is how many signatures are verified. Default 10. Where there are
	// more, those whose SDID could align with the Author Domain come first, so
	// that junk on top of a message does not push the good one out. Results of
	// the others are StatusPolicy, ErrLimit.
	Signatures int

	// Results is how many DKIM-Signature fields have a result of their own.
	// Default 100. Where there are more, only those that are verified do, and the
	// last result stands for the others: its Err says how many.
	Results int

	// One DKIM-Signature field, the names in its h=, and the octets that its b=
	// holds. Defaults 16 KiB, 256 and 1 KiB. Over it: StatusPermError, ErrLimit.
	SignatureOctets int
	SignedNames     int
	ValueOctets     int

	// BodyHashes is how many hashes are made over the body: one for each distinct
	// canonicalization and length. Default 4. Results of signatures that need
	// another are StatusPolicy, ErrLimit.
	BodyHashes int

	// One key record, and the TXT records that are looked at for one key. Defaults
	// 8 KiB and 10. Records over it are not looked at.
	KeyOctets  int
	KeyRecords int
}

// withDefaults returns a copy of l in which every field is set, but for those of the
// message: see message.
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

// message returns the limits of a message and of the hashes over its body.
func (l *Limits) message() message.Limits {
	return message.Limits{
		Header:     header.Limits{Block: l.HeaderOctets, Field: l.FieldOctets, Fields: l.HeaderFields},
		BodyHashes: l.BodyHashes,
	}
}
