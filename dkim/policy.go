package dkim

import (
	"time"

	"github.com/mailverdict/mailverdict/internal/header"
)

// A Policy says which signatures are accepted among those that are valid. The zero
// Policy is the recommended one: every field's zero value means the default that
// stands with it.
//
// Not open to policy: rsa-sha1 and RSA keys under 1024 bits are never valid (RFC
// 8301), nor are keys that anyone can sign for.
type Policy struct {
	// MinRSABits and MaxRSABits bound the modulus of RSA keys, in bits. Defaults
	// 1024 and 8192; a minimum under 1024 is taken as 1024. The cost of verifying
	// grows with the square of the size. Outside: StatusPolicy, ErrKeyTooSmall or
	// ErrKeyTooLarge.
	MinRSABits int
	MaxRSABits int

	// AllowUnsignedBody accepts signatures that leave octets of the body unsigned
	// (l=). By default they are StatusPolicy, ErrBodyUnsigned, since anything can
	// be appended to such a message (RFC 6376, section 8.2).
	AllowUnsignedBody bool

	// AllowAddedFields accepts signatures over a field that a message may have
	// once, such as Subject, when the message has more of that field than were
	// signed. By default they are StatusPolicy, ErrFieldAdded, since what readers
	// show may be the one that was added (RFC 6376, section 8.15).
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

func (p *Policy) minRSABits() int { return max(1024, p.MinRSABits) }
func (p *Policy) maxRSABits() int { return or(p.MaxRSABits, 8192) }

func (p *Policy) clockSkew() time.Duration { return max(0, or(p.ClockSkew, 300*time.Second)) }

// Limits bound what one message may cost. A zero field means the default that
// stands with it.
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

func (l *Limits) header() header.Limits {
	return header.Limits{Block: l.HeaderOctets, Field: l.FieldOctets, Fields: l.HeaderFields}
}

func (l *Limits) signatures() int      { return or(l.Signatures, 10) }
func (l *Limits) results() int         { return or(l.Results, 100) }
func (l *Limits) signatureOctets() int { return or(l.SignatureOctets, 16<<10) }
func (l *Limits) signedNames() int     { return or(l.SignedNames, 256) }
func (l *Limits) valueOctets() int     { return or(l.ValueOctets, 1<<10) }
func (l *Limits) bodyHashes() int      { return or(l.BodyHashes, 4) }
func (l *Limits) keyOctets() int       { return or(l.KeyOctets, 8<<10) }
func (l *Limits) keyRecords() int      { return or(l.KeyRecords, 10) }

// or returns n, or the default where n is zero. A negative n is none at all.
func or[T int | time.Duration](n, standard T) T {
	if n == 0 {
		return standard
	}
	return max(n, 0)
}
