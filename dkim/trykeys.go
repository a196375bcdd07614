package dkim

import (
	"errors"
	"strconv"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// tryKeys verifies the header's signature with the keys that DNS has, until one
// fits, and puts down the key that came closest. Which one that is does not depend
// on the order of the answer. More than one is a mistake that happens when keys are
// replaced, and undefined: RFC 6376, section 3.6.2.2.
func (v *Verifier) tryKeys(c *check) (Status, error) {
	records, err := c.lookup.records(&v.Limits)
	if err != nil {
		if errors.Is(err, ErrDNS) {
			return StatusTempError, err
		}
		return StatusPermError, err
	}
	r, name := &c.result, c.key.Name
	best, keys := -1, 0
	status, err := StatusPermError, ErrKeyMissing // if none is looked at
	for _, record := range records {
		if len(record) > v.Limits.keyOctets() {
			if best < 0 {
				status, err = StatusPermError, cause.Wrap(ErrLimit, "octets in a key record", nil)
			}
			continue
		}
		key, keyErr := v.keys.parse(record)
		if !errors.Is(keyErr, ErrKeyMalformed) {
			keys++
		}
		if status == StatusPass {
			continue
		}
		keyStatus, keyErr := v.tryKey(c, &key, keyErr)
		if closeness := closenessOf(keyStatus, keyErr); closeness > best {
			best, status, err = closeness, keyStatus, keyErr
			c.key = key
			r.Key, r.KeyBits = &c.key, key.Bits
		}
	}
	c.key.Name, c.key.Authentic = name, r.Authentic
	if keys > 1 {
		r.warn(WarningSeveralKeys)
	}
	if c.key.Testing {
		r.warn(WarningTesting)
	}
	if c.key.Type == "rsa" && c.key.Bits > 0 && c.key.Bits < 2048 {
		r.warn(WarningShortKey)
	}
	return status, err
}

// tryKey verifies the header's signature with a key, or says why not. err is what
// is wrong with the key.
func (v *Verifier) tryKey(c *check, key *Key, err error) (Status, error) {
	if err == nil {
		err = key.allows(&c.signature)
	}
	if err != nil {
		return StatusPermError, err
	}
	// Before the arithmetic, whose cost grows with the size. RFC 8301, section 3.2.
	if key.Type == "rsa" && key.Bits < v.Policy.minRSABits() {
		return StatusPolicy, cause.Wrap(ErrKeyTooSmall, inBits(key.Bits), nil)
	}
	if key.Type == "rsa" && key.Bits > v.Policy.maxRSABits() {
		return StatusPolicy, cause.Wrap(ErrKeyTooLarge, inBits(key.Bits), nil)
	}
	if !key.public.verify(c.header[:], c.signature.Value) {
		return StatusFail, ErrSignatureMismatch
	}
	c.result.HeaderVerified = true
	return StatusPass, nil
}

func inBits(n int) string { return strconv.Itoa(n) + " bits" }

// closenessOf ranks what became of the keys at one name: a key that is meant for
// the signature stands before others, and text that is no key comes last.
func closenessOf(status Status, err error) int {
	switch {
	case status == StatusPass:
		return 4
	case status == StatusFail:
		return 3
	case status == StatusPolicy:
		return 2
	case !errors.Is(err, ErrKeyMalformed):
		return 1
	}
	return 0
}
