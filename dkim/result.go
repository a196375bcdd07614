package dkim

import (
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// A Result says what became of one DKIM-Signature field, and why.
type Result struct {
	Status Status `json:"status"`

	// The tags that name the signature, as far as they could be read: SDID (d=)
	// and selector (s=) in A-labels, algorithm (a=) in lower case. A tag that
	// does not follow its grammar is left empty.
	Domain    string `json:"domain,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`

	// Signature holds every tag, defaults filled in; nil where the field could
	// not be read as a tag list.
	Signature *Signature `json:"signature,omitempty"`

	// Key is the key that the signature was, or would have been, verified with;
	// nil where there was none.
	Key     *Key `json:"key,omitempty"`
	KeyBits int  `json:"key_bits,omitempty"` // RSA modulus, or 256 for Ed25519

	// BodyHash is the hash that the body has: compare Signature.BodyHash. Nil
	// where the signature was refused before the body was hashed for it.
	BodyHash []byte `json:"body_hash,omitempty"`

	// Octets of the canonicalized body that bh= covers, and that it leaves out
	// because of l=.
	BodySigned   int64 `json:"body_signed"`
	BodyUnsigned int64 `json:"body_unsigned"`

	// HeaderVerified says that the signature over the header is good, also where
	// the result is not a pass: with a body hash that does not match, only the
	// body was changed.
	HeaderVerified bool `json:"header_verified"`

	// Header fields, names as they stand in h= or in the message.
	Signed     []string `json:"signed,omitempty"`      // in h= and in the message, one entry a field
	Absent     []string `json:"absent,omitempty"`      // in h=, and not in the message at all
	OverSigned []string `json:"over_signed,omitempty"` // in h= more often than in the message
	NotSigned  []string `json:"not_signed,omitempty"`  // in the message and not covered by h=

	// Warnings are faults that a pass may have.
	Warnings []Warning `json:"warnings,omitempty"`

	// Err says why Status is not StatusPass. It wraps one of the package's
	// exported errors: errors.Is(r.Err, dkim.ErrBodyHashMismatch).
	Err error `json:"-"`
}

// A Signature is a parsed DKIM-Signature field: RFC 6376, section 3.5.
type Signature struct {
	Version                string           `json:"v"`
	Algorithm              string           `json:"a"` // lower case
	Value                  []byte           `json:"b"`
	BodyHash               []byte           `json:"bh"`
	HeaderCanonicalization Canonicalization `json:"header_canonicalization"`
	BodyCanonicalization   Canonicalization `json:"body_canonicalization"`
	Domain                 string           `json:"d"` // A-labels, lower case
	Header                 []string         `json:"h"` // names as written
	AUID                   string           `json:"i"` // local part as written, domain in A-labels; "@" + Domain where the tag is missing
	BodyLength             *int64           `json:"l,omitempty"`
	Query                  []string         `json:"q"`
	Selector               string           `json:"s"` // A-labels, lower case
	Time                   time.Time        `json:"t,omitzero"`
	Expires                time.Time        `json:"x,omitzero"`
	CopiedHeader           string           `json:"z,omitempty"` // as written
}

// A Key is a parsed key record: RFC 6376, section 3.6.1.
type Key struct {
	Name      string             `json:"name"`   // where it stands: selector._domainkey.domain
	Record    string             `json:"record"` // its text, as DNS gave it: not safe to print
	Type      string             `json:"k"`      // "rsa" or "ed25519"
	Bits      int                `json:"bits,omitempty"`
	Hashes    []string           `json:"h,omitempty"`       // nil: all
	Services  []string           `json:"s,omitempty"`       // nil: all
	Testing   bool               `json:"testing,omitempty"` // t=y
	Strict    bool               `json:"strict,omitempty"`  // t=s
	Notes     string             `json:"n,omitempty"`
	Authentic resolver.Authentic `json:"authentic"`

	public publicKey
}
