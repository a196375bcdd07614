package dkim

import (
	"context"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// Keys that most tests share.
func rsa2048() crypto.Signer { return signing.RSA(2048) }
func rsa1024() crypto.Signer { return signing.RSA(1024) }
func ed() crypto.Signer      { return signing.Ed25519("dkim") }

// recordOf returns the key record that publishes a key.
func recordOf(key crypto.Signer) string {
	record, err := signing.Record(key.Public())
	if err != nil {
		return err.Error() // no key, which every test would notice
	}
	return record
}

// testNow is the clock of the tests.
var testNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A sig says how a message is signed. Zero fields mean a good signature by
// s1._domainkey.example.com that needs no remark.
type sig struct {
	key   crypto.Signer
	c     string // "relaxed/relaxed"
	d     string // "example.com"
	s     string // "s1"
	h     string // "from:to:subject:date:content-type"
	extra string // further tags, such as "t=1;"
	// template is the whole value of the field, if the order or the white space
	// matters. {bh} and {b} stand for the values.
	template string
}

// sign returns the message with a DKIM-Signature field on top.
func (s sig) sign(message string) string {
	if s.key == nil {
		s.key = ed()
	}
	signed, err := signing.Signature{
		Key: s.key, Domain: s.d, Selector: orElse(s.s, "s1"), Canonicalization: s.c,
		Header: orElse(s.h, "from:to:subject:date:content-type"), Tags: s.extra, Field: s.template,
	}.Sign(message)
	if err != nil {
		return err.Error()
	}
	return signed
}

func orElse(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}

const testHeader = "From: Alice <alice@example.com>\r\nTo: bob@example.net\r\nSubject: Hello\r\n" +
	"Date: Mon, 01 Jun 2026 11:59:00 +0000\r\nContent-Type: text/plain\r\n"

const testMessage = testHeader + "\r\nDear Bob,\r\n\r\nhello.\r\n"

// testZone has the keys that tests sign with by default.
func testZone() resolver.Zone {
	return resolver.Zone{
		"s1._domainkey.example.com":      {TXT: []string{recordOf(ed())}},
		"rsa._domainkey.example.com":     {TXT: []string{recordOf(rsa2048())}},
		"rsa1024._domainkey.example.com": {TXT: []string{recordOf(rsa1024())}},
	}
}

// verify runs the verifier over a message and returns its results.
func verify(t testing.TB, v *Verifier, message string) []*Result {
	t.Helper()
	if v.Resolver == nil {
		v.Resolver = testZone()
	}
	if v.Now == nil {
		v.Now = func() time.Time { return testNow }
	}
	results, err := v.Verify(context.Background(), strings.NewReader(message))
	if err != nil {
		t.Fatalf("error %v", err)
	}
	return results
}

// verifyOne is verify for a message with one signature.
func verifyOne(t testing.TB, v *Verifier, message string) *Result {
	t.Helper()
	results := verify(t, v, message)
	if len(results) != 1 {
		t.Fatalf("%d results, want 1", len(results))
	}
	return results[0]
}
