package dkim

import (
	"errors"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
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

	public publicKey
}

// keyTags are the tags of RFC 6376, section 3.6.1, in the order of the constants.
var keyTags = []string{"v", "h", "k", "n", "p", "s", "t"}

const (
	keyV = iota
	keyH
	keyK
	keyN
	keyP
	keyS
	keyT
)

// parseKey reads a key record. The Key holds what could be read even where there is
// an error, which wraps ErrKeyMalformed, ErrKeyRevoked, ErrKeyType or ErrKeyUnsafe.
func parseKey(record string) (Key, error) {
	key := Key{Record: record, Type: "rsa"}
	var tags tagSet
	if err := tags.read(record, keyTags); err != nil {
		return key, cause.Wrap(ErrKeyMalformed, keyFault(err), nil)
	}
	if tags.has(keyV) {
		// The version comes first, and is compared as a string.
		if tags.get(keyV).Value != "DKIM1" {
			return key, cause.Wrap(ErrKeyMalformed, "v= is not DKIM1", nil)
		}
		for first := range tagvalue.All(record) {
			if first.Name != "v" {
				return key, cause.Wrap(ErrKeyMalformed, "v= is not first", nil)
			}
			break
		}
	}
	if tags.has(keyK) {
		key.Type = domain.ToLower(tags.get(keyK).Value)
	}
	key.Notes = tags.get(keyN).Value
	if tags.has(keyH) {
		key.Hashes = listOf(tags.get(keyH).Value)
	}
	if tags.has(keyS) {
		key.Services = listOf(tags.get(keyS).Value)
	}
	for flag := range tagvalue.Items(tags.get(keyT).Value, ':') {
		key.Testing = key.Testing || equalFold(flag, "y")
		key.Strict = key.Strict || equalFold(flag, "s")
	}
	if !tags.has(keyP) {
		return key, cause.Wrap(ErrKeyMalformed, "p= is missing", nil)
	}
	if tags.get(keyP).Value == "" {
		return key, ErrKeyRevoked
	}
	data, ok := decodeBase64(nil, tags.get(keyP).Value)
	if !ok {
		return key, cause.Wrap(ErrKeyMalformed, "p= is not base64", nil)
	}
	var err error
	key.public, key.Bits, err = parsePublicKey(key.Type, data)
	return key, err
}

// keyFault says what is wrong with a record that is not a list of tags: ErrSyntax speaks of
// fields.
func keyFault(err error) string {
	if errors.Is(err, ErrDuplicateTag) {
		return err.Error()
	}
	return "it is not a list of tags"
}

// allows says why a signature may not be verified with the key, or returns nil. RFC
// 6376, sections 3.6.1 and 6.1.2.
func (k *Key) allows(s *Signature) error {
	if !strings.HasPrefix(s.Algorithm, k.Type+"-") {
		return cause.Wrap(ErrKeyType, "", nil)
	}
	if k.Services != nil && !has(k.Services, "email") && !has(k.Services, "*") {
		return ErrKeyService
	}
	if k.Hashes != nil && !has(k.Hashes, "sha256") {
		return ErrKeyHash
	}
	if k.Strict && s.AUID[strings.LastIndexByte(s.AUID, '@')+1:] != s.Domain {
		return ErrKeyStrict
	}
	return nil
}

func listOf(value string) []string {
	var list []string
	for item := range tagvalue.Items(value, ':') {
		list = append(list, item)
	}
	return list
}

// has reports whether word, in lower case, is in list.
func has(list []string, word string) bool {
	for _, item := range list {
		if equalFold(item, word) {
			return true
		}
	}
	return false
}
