package keys

import (
	"errors"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A Signature is what a key verifies.
type Signature struct {
	Algorithm  string // "rsa-sha256" or "ed25519-sha256"
	Domain     string // the SDID, canonical
	AUIDDomain string // the domain of the AUID, canonical
	HeaderHash []byte // SHA-256
	Value      []byte // b=
}

// Limits bound the keys that are used. All of them are set.
type Limits struct {
	MinRSABits, MaxRSABits int
	RecordOctets           int // longer records are not looked at
	Records                int // how many records are looked at
}

// Found is what the keys of a Lookup say of a signature.
type Found struct {
	// Key is the key that verified the signature, or that came closest to it; nil if
	// there was none to look at.
	Key *Key

	// Several says that more than one key stands at the name. That is a mistake that
	// happens when keys are replaced, and undefined: RFC 6376, section 3.6.2.2.
	Several bool

	// Err says why the signature is not verified, or is nil. It wraps one of the
	// package's errors.
	Err error
}

// Verify verifies a signature with the keys that l found, until one fits. Which key
// comes closest does not depend on the order of the answer.
func (c *Cache) Verify(l *Lookup, s Signature, limits Limits) Found {
	records, err := l.records(limits.Records)
	if err != nil {
		return Found{Err: err}
	}
	found := Found{Err: ErrMissing} // if no record is looked at
	keys := 0
	for _, record := range records {
		if len(record) > limits.RecordOctets {
			if found.Key == nil {
				found.Err = cause.Wrap(ErrLimit, "octets in a key record", nil)
			}
			continue
		}
		key, err := c.Parse(record)
		if !errors.Is(err, ErrMalformed) {
			keys++
		}
		if found.Key != nil && found.Err == nil {
			continue // only counted
		}
		if err == nil {
			err = key.verify(s, limits)
		}
		if found.Key == nil || closeness(err) > closeness(found.Err) {
			found.Key, found.Err = key, err
		}
	}
	found.Several = keys > 1
	return found
}

// verify verifies a signature with the key, or says why not.
func (k *Key) verify(s Signature, limits Limits) error {
	if err := k.allows(s); err != nil {
		return err
	}
	// Before the arithmetic, whose cost grows with the size. RFC 8301, section 3.2.
	if k.Type == "rsa" && k.Bits < limits.MinRSABits {
		return cause.Wrap(ErrTooSmall, inBits(k.Bits), nil)
	}
	if k.Type == "rsa" && k.Bits > limits.MaxRSABits {
		return cause.Wrap(ErrTooLarge, inBits(k.Bits), nil)
	}
	if !k.public.verify(s.HeaderHash, s.Value) {
		return ErrMismatch
	}
	return nil
}

// allows says why a signature may not be verified with the key, or returns nil. RFC
// 6376, sections 3.6.1 and 6.1.2.
func (k *Key) allows(s Signature) error {
	kind, _, _ := strings.Cut(s.Algorithm, "-")
	switch {
	case k.Type != kind:
		return ErrType
	case k.Services != nil && !has(k.Services, "email") && !has(k.Services, "*"):
		return ErrService
	case k.Hashes != nil && !has(k.Hashes, "sha256"):
		return ErrHash
	case k.Strict && s.AUIDDomain != s.Domain:
		return ErrStrict
	}
	return nil
}

// closeness ranks what became of the keys at one name: a key that is meant for the
// signature stands before others, and text that is no key comes last.
func closeness(err error) int {
	switch {
	case err == nil:
		return 4
	case errors.Is(err, ErrMismatch):
		return 3
	case errors.Is(err, ErrTooSmall), errors.Is(err, ErrTooLarge):
		return 2
	case !errors.Is(err, ErrMalformed):
		return 1
	}
	return 0
}

func inBits(n int) string { return strconv.Itoa(n) + " bits" }

// has reports whether word, in lower case, is in list.
func has(list []string, word string) bool {
	for _, item := range list {
		if tagvalue.EqualFold(item, word) {
			return true
		}
	}
	return false
}
