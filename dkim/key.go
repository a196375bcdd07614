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
}

// tryKeys verifies the header's signature with the keys that DNS has, and sets the
// result's Key to the one that verified it or came closest.
func (v *Verifier) tryKeys(c *check) (Status, error) {
	r, s, o := &c.result, &c.signature, v.used()
	found := v.keys.Verify(c.lookup, keys.Signature{
		Algorithm:  s.Algorithm,
		Domain:     s.Domain,
		AUIDDomain: s.AUID[strings.LastIndexByte(s.AUID, '@')+1:],
		HeaderHash: c.headerHash,
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

// setKey sets the result's key. The lists are copied, since a result is its owner's to
// change, and k serves other messages.
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

// keyStatus returns the status that an error of package keys stands for. RFC 6376,
// section 6.1.2.
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
