package dkim

import (
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Key is a parsed key record: RFC 6376, section 3.6.1.
type Key struct {
	Name      string             `json:"name"`              // its DNS name: selector._domainkey.domain
	Record    string             `json:"record"`            // its text, as DNS gave it: not safe to print
	Type      string             `json:"k"`                 // "rsa" or "ed25519"
	Bits      int                `json:"bits,omitempty"`    // RSA modulus, or 256 for Ed25519
	Hashes    []string           `json:"h,omitempty"`       // hash algorithms that it allows; nil: all
	Services  []string           `json:"s,omitempty"`       // services that it is for; nil: all
	Testing   bool               `json:"testing,omitempty"` // t=y
	Strict    bool               `json:"strict,omitempty"`  // t=s: the AUID's domain is the SDID
	Notes     string             `json:"n,omitempty"`       // text for people: not safe to print
	Authentic resolver.Authentic `json:"authentic"`
}

// tryKeys verifies the signature over the header with the keys in DNS, and sets the
// result's Key to the key that verified it, or to the one that came closest.
func (v *Verifier) tryKeys(c *check) (Status, error) {
	r, s, o := &c.result, &c.signature, v.used()
	found := v.keys.Verify(c.lookup, keys.Signature{
		Algorithm:  s.Algorithm,
		Domain:     s.Domain,
		AUIDDomain: s.AUID[strings.LastIndexByte(s.AUID, '@')+1:],
		HeaderHash: c.headerHash[:],
		Value:      s.Value,
	}, keys.Limits{
		MinRSABits:   o.Policy.MinRSABits,
		MaxRSABits:   o.Policy.MaxRSABits,
		RecordOctets: o.Limits.KeyOctets,
		Records:      o.Limits.KeyRecords,
	})
	if key := found.Key; key != nil {
		c.setKey(key)
	}
	if found.Several {
		r.warn(WarningSeveralKeys)
	}
	if c.key.Testing {
		r.warn(WarningTesting)
	}
	if c.key.Type == "rsa" && c.key.Bits > 0 && c.key.Bits < 2048 {
		r.warn(WarningShortKey)
	}
	r.HeaderVerified = found.Err == nil
	return keyStatus(found.Err), found.Err
}

// setKey sets the result's Key. It copies the lists: the caller may change a result, and
// other messages use k.
func (c *check) setKey(k *keys.Key) {
	c.key = Key{
		Name:      c.keyName,
		Record:    k.Record,
		Type:      k.Type,
		Bits:      k.Bits,
		Hashes:    slices.Clone(k.Hashes),
		Services:  slices.Clone(k.Services),
		Testing:   k.Testing,
		Strict:    k.Strict,
		Notes:     k.Notes,
		Authentic: c.result.Authentic,
	}
	c.result.Key, c.result.KeyBits = &c.key, k.Bits
}

// keyStatus returns the status for an error of package keys. RFC 6376, section 6.1.2.
func keyStatus(err error) Status {
	switch {
	case err == nil:
		return StatusPass
	case errors.Is(err, ErrDNS):
		return StatusTempError
	case errors.Is(err, ErrSignatureMismatch):
		return StatusFail
	case errors.Is(err, ErrKeyTooSmall), errors.Is(err, ErrKeyTooLarge):
		return StatusPolicy
	}
	return StatusPermError
}
