package dmarctest

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/internal/domain"
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
// signature on top. It signs with go-msgauth, so that this module's verifier is not tested
// against itself. A message that is written as a Unix file is returned with lines that end
// in CRLF.
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
	options := &dkim.SignOptions{
		Domain:                 s.Domain,
		Selector:               s.Selector,
		Identifier:             s.Identifier,
		Signer:                 s.Key,
		HeaderKeys:             s.Header,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		Expiration:             s.Expires,
	}
	if s.Simple {
		options.HeaderCanonicalization = dkim.CanonicalizationSimple
		options.BodyCanonicalization = dkim.CanonicalizationSimple
	}
	var signed bytes.Buffer
	if err := dkim.Sign(&signed, bytes.NewReader(message), options); err != nil {
		return nil, err
	}
	if zone == nil {
		return signed.Bytes(), nil
	}
	return signed.Bytes(), s.publish(zone)
}

// publish puts the key record into zone, unless it is there.
func (s Signature) publish(zone resolver.Zone) error {
	name, err := domain.Canonical(s.Selector + "._domainkey." + s.Domain)
	if err != nil {
		return err
	}
	text, err := keyRecord(s.Key.Public())
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

// keyRecord returns the text of a key record: RFC 6376, section 3.6.1, and RFC 8463,
// section 4.
func keyRecord(key crypto.PublicKey) (string, error) {
	if raw, ok := key.(ed25519.PublicKey); ok {
		return fmt.Sprintf("v=DKIM1; k=ed25519; p=%s", base64.StdEncoding.EncodeToString(raw)), nil
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("v=DKIM1; k=rsa; p=%s", base64.StdEncoding.EncodeToString(der)), nil
}
