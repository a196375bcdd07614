package dmarctest

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Signature says how Sign signs: RFC 6376, section 3.5. Only Domain is needed.
type Signature struct {
	Domain     string // SDID (d=)
	Selector   string // s=; default "test"
	Identifier string // AUID (i=); default is to leave it out

	// Key is an *rsa.PrivateKey or an ed25519.PrivateKey, or anything that signs as one
	// of them does. Nil means the RSA key of 2048 bits that this package has for
	// everybody: it needs no time to be made, and signs the same message at the same
	// time with the same octets.
	Key crypto.Signer

	// Header are the names of the fields to sign (h=), in order. Nil means all fields of
	// the message.
	Header []string

	// Simple asks for simple canonicalization of header and body, instead of relaxed.
	Simple bool

	// Expires is x=. The zero time means to leave it out.
	Expires time.Time
}

// Sign signs a message, publishes the key in zone, and returns the message with the
// signature on top. A message that is written as a Unix file is returned with lines that
// end in CRLF.
//
// The signature is dated (t=) with time.Now: a [Fixture] must not be verified at an earlier
// time, or it comes from the future. Within testing/synctest both have the clock of the
// bubble.
//
// To publish no key, give a nil zone; to publish another one, overwrite what Sign has put
// into it.
func Sign(t testing.TB, zone resolver.Zone, message []byte, s Signature) []byte {
	t.Helper()
	signed, err := s.sign(zone, wireLines(message))
	if err != nil {
		t.Fatalf("signing for %q: %v", s.Domain, err)
	}
	return signed
}

func (s Signature) sign(zone resolver.Zone, message []byte) ([]byte, error) {
	if s.Key == nil {
		key, err := testKey()
		if err != nil {
			return nil, err
		}
		s.Key = key
	}
	s.Selector = or(s.Selector, "test")
	if _, err := domain.Canonical(s.Domain); err != nil {
		return nil, err
	}
	block, _, ended := bytes.Cut(message, []byte("\r\n\r\n"))
	if !ended {
		return nil, errors.New("no empty line ends the header")
	}
	names := s.Header
	if names == nil {
		for _, f := range header.Parse(block).Fields {
			names = append(names, string(f.Name()))
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, "from") }) {
		return nil, errors.New("the From field is not signed")
	}
	options := signing.Signature{
		Key:      s.Key,
		Domain:   s.Domain,
		Selector: s.Selector,
		Header:   strings.Join(names, ":"),
		Time:     time.Now(),
		Expires:  s.Expires,
	}
	if s.Identifier != "" {
		options.Tags = "i=" + s.Identifier + ";"
	}
	if s.Simple {
		options.Canonicalization = "simple/simple"
	}
	signed, err := options.Sign(string(message))
	if err != nil || zone == nil {
		return []byte(signed), err
	}
	return []byte(signed), s.publish(zone)
}

// publish puts the key record into zone, unless it is there.
func (s Signature) publish(zone resolver.Zone) error {
	name, err := domain.Canonical(s.Selector + "._domainkey." + s.Domain)
	if err != nil {
		return err
	}
	text, err := signing.Record(s.Key.Public())
	if err != nil {
		return err
	}
	records := zone[name]
	if !slices.Contains(records.TXT, text) {
		records.TXT = append(slices.Clip(records.TXT), text)
	}
	zone[name] = records
	return nil
}
