// Package keys parses DKIM keys, finds them in DNS, and verifies signatures with
// them: RFC 6376, sections 3.6 and 6.1.2, RFC 8301 and RFC 8463. DKIM and ARC (RFC
// 8617, section 4.1) use the same keys.
//
// A [Lookup] is the question for the keys at one name, which ask.Group asks. A [Cache]
// keeps keys that it parsed, by the text of their records, and verifies:
//
//	var cache keys.Cache
//	lookup := keys.Lookup{Name: "selector._domainkey.example.com"}
//	questions.Ask(lookup.Question(), &lookup)
//	questions.Wait()
//	found := cache.Verify(&lookup, signature, limits)
package keys

import (
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// Causes are the errors of keys with their words in JSON. Packages whose results show
// them have them in their own tables.
var Causes cause.Table

// Why a key does not verify a signature. Found.Err wraps one of them.
var (
	ErrDNS       = Causes.New("dns", "the key could not be had from DNS")
	ErrMissing   = Causes.New("key-missing", "there is no key")
	ErrMalformed = Causes.New("key-malformed", "the key record is malformed")
	ErrRevoked   = Causes.New("key-revoked", "the key is revoked")
	ErrType      = Causes.New("key-type", "the key's type (k=) is not the one of the algorithm")
	ErrHash      = Causes.New("key-hash", "the key does not allow the hash (h=)")
	ErrService   = Causes.New("key-service", "the key is not for email (s=)")
	ErrStrict    = Causes.New("key-strict", "the key demands that the AUID's domain is the SDID (t=s)")
	ErrTooSmall  = Causes.New("key-too-small", "the key is too small")
	ErrTooLarge  = Causes.New("key-too-large", "the key is too large")
	ErrUnsafe    = Causes.New("key-unsafe", "anyone can sign for the key")
	ErrLimit     = Causes.New("limit", "a limit was reached")
	ErrMismatch  = Causes.New("signature-mismatch", "the signature does not match")
)

// A Key is a parsed key record: RFC 6376, section 3.6.1. Keys are shared, and not
// changed.
type Key struct {
	Record   string
	Type     string // k= in lower case
	Bits     int    // RSA modulus, or 256 for Ed25519; 0 where the key could not be read
	Hashes   []string
	Services []string
	Testing  bool // t=y
	Strict   bool // t=s
	Notes    string

	public publicKey
}

// keyTags are the tags of RFC 6376, section 3.6.1, in the order of the constants.
var keyTags = []string{"v", "h", "k", "n", "p", "s", "t"}

const (
	tagV = iota
	tagH
	tagK
	tagN
	tagP
	tagS
	tagT
)

// Parse reads a key record. The Key holds what could be read even where there is an
// error, which wraps ErrMalformed, ErrRevoked, ErrType or ErrUnsafe.
func Parse(record string) (*Key, error) {
	key := &Key{Record: record, Type: "rsa"}
	var tags tagvalue.Set
	switch tag, err := tags.Read(record, keyTags); {
	case err == tagvalue.ErrDuplicate:
		return key, cause.Wrap(ErrMalformed, err.Error()+": "+tag+"=", nil)
	case err != nil:
		return key, cause.Wrap(ErrMalformed, "it is not a list of tags", nil)
	}
	if tags.Has(tagV) {
		// The version comes first, and is compared as a string.
		if tags.Value(tagV) != "DKIM1" {
			return key, cause.Wrap(ErrMalformed, "v= is not DKIM1", nil)
		}
		for first := range tagvalue.All(record) {
			if first.Name != "v" {
				return key, cause.Wrap(ErrMalformed, "v= is not first", nil)
			}
			break
		}
	}
	if tags.Has(tagK) {
		key.Type = domain.ToLower(tags.Value(tagK))
	}
	key.Notes = tags.Value(tagN)
	if tags.Has(tagH) {
		key.Hashes = listOf(tags.Value(tagH))
	}
	if tags.Has(tagS) {
		key.Services = listOf(tags.Value(tagS))
	}
	for flag := range tagvalue.Items(tags.Value(tagT), ':') {
		key.Testing = key.Testing || tagvalue.EqualFold(flag, "y")
		key.Strict = key.Strict || tagvalue.EqualFold(flag, "s")
	}
	return key, key.parsePublic(tags.Value(tagP), tags.Has(tagP))
}

// parsePublic reads p=.
func (k *Key) parsePublic(p string, given bool) error {
	if !given {
		return cause.Wrap(ErrMalformed, "p= is missing", nil)
	}
	if p == "" {
		return ErrRevoked
	}
	data, ok := tagvalue.AppendBase64(nil, p)
	if !ok {
		return cause.Wrap(ErrMalformed, "p= is not base64", nil)
	}
	var err error
	k.public, k.Bits, err = parsePublicKey(k.Type, data)
	return err
}

func listOf(value string) []string {
	var list []string
	for item := range tagvalue.Items(value, ':') {
		list = append(list, item)
	}
	return list
}
