package dkim

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// A testKey signs a SHA-256 hash.
type testKey interface {
	sign(hash []byte) []byte
	record() string
}

// rsaTestKey signs by plain arithmetic, so that it can be of any size.
type rsaTestKey struct{ n, d, e *big.Int }

func (k rsaTestKey) sign(hash []byte) []byte {
	size := (k.n.BitLen() + 7) / 8
	// EMSA-PKCS1-v1_5 with SHA-256: RFC 8017, section 9.2.
	digest := append([]byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), hash...)
	padded := append([]byte{0, 1}, slices.Repeat([]byte{0xff}, size-len(digest)-3)...)
	padded = append(append(padded, 0), digest...)
	return new(big.Int).Exp(new(big.Int).SetBytes(padded), k.d, k.n).FillBytes(make([]byte, size))
}

func (k rsaTestKey) public() *rsa.PublicKey {
	return &rsa.PublicKey{N: k.n, E: int(k.e.Int64())}
}

func (k rsaTestKey) record() string {
	der, err := x509.MarshalPKIXPublicKey(k.public())
	if err != nil {
		panic(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// newRSA makes a key whose modulus has exactly the given number of bits: of more
// than two primes where it is large, which is quicker.
func newRSA(bits int) rsaTestKey {
	e := big.NewInt(65537)
	count := max(2, bits/2048)
	for {
		n, phi := big.NewInt(1), big.NewInt(1)
		for i := range count {
			p, err := rand.Prime(rand.Reader, (bits*(i+1))/count-(bits*i)/count)
			if err != nil {
				panic(err)
			}
			n.Mul(n, p)
			phi.Mul(phi, p.Sub(p, big.NewInt(1)))
		}
		if d := new(big.Int).ModInverse(e, phi); d != nil && n.BitLen() == bits {
			return rsaTestKey{n, d, e}
		}
	}
}

type ed25519TestKey ed25519.PrivateKey

func (k ed25519TestKey) sign(hash []byte) []byte { return ed25519.Sign(ed25519.PrivateKey(k), hash) }
func (k ed25519TestKey) record() string {
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k[32:])
}

// Keys that most tests share.
var (
	rsa2048 = sync.OnceValue(func() testKey { return newRSA(2048) })
	rsa1024 = sync.OnceValue(func() testKey { return newRSA(1024) })
	ed      = sync.OnceValue(func() testKey {
		return ed25519TestKey(ed25519.NewKeyFromSeed(slices.Repeat([]byte{7}, ed25519.SeedSize)))
	})
)

// testNow is the clock of the tests.
var testNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A signing says how a message is signed. Zero fields mean a good signature by
// s1._domainkey.example.com that needs no remark.
type signing struct {
	key testKey
	a   string // "rsa-sha256"
	c   string // "relaxed/relaxed"
	d   string // "example.com"
	s   string // "s1"
	h   string // "from:to:subject:date:content-type"
	l   string // tag l= and its value; the hash is over that many octets
	// extra stands between the other tags and bh=, such as "t=1; ".
	extra string
	// template is the whole value of the field, where the order or the white
	// space matters. {bh} and {b} stand for the values.
	template string
}

// sign returns the message with a DKIM-Signature field on top. Its canonicalization
// is that of the plain words of the RFC, and shares no code with the verifier.
func (s signing) sign(message string) string {
	s.key = orElse(s.key, ed())
	if _, ok := s.key.(ed25519TestKey); ok {
		s.a = orElse(s.a, "ed25519-sha256")
	}
	s.a = orElse(s.a, "rsa-sha256")
	s.c = orElse(s.c, "relaxed/relaxed")
	s.d = orElse(s.d, "example.com")
	s.s = orElse(s.s, "s1")
	s.h = orElse(s.h, "from:to:subject:date:content-type")
	template := orElse(s.template, fmt.Sprintf("v=1; a=%s; c=%s; d=%s; s=%s;\r\n\th=%s; %s%sbh={bh};\r\n\tb={b}", s.a, s.c, s.d, s.s, s.h, s.l, s.extra))
	headerC, bodyC, _ := strings.Cut(s.c, "/")

	header, text, _ := strings.Cut(message, "\r\n\r\n")
	body := plainBody(bodyC == "relaxed", text)
	if s.l != "" {
		var n int
		if _, err := fmt.Sscanf(s.l, "l=%d;", &n); err == nil {
			body = body[:min(n, len(body))]
		}
	}
	hash := sha256.Sum256([]byte(body))
	template = strings.ReplaceAll(template, "{bh}", base64.StdEncoding.EncodeToString(hash[:]))

	var signed strings.Builder
	fields := unfoldFields(header)
	used := make([]bool, len(fields))
	for name := range strings.SplitSeq(s.h, ":") {
		for i, field := range slices.Backward(fields) {
			fieldName, _, _ := strings.Cut(field, ":")
			if !used[i] && strings.EqualFold(strings.TrimRight(fieldName, " \t"), strings.Trim(name, " \t\r\n")) {
				used[i] = true
				signed.WriteString(plainField(headerC == "relaxed", field) + "\r\n")
				break
			}
		}
	}
	before, after, _ := strings.Cut(template, "{b}")
	unsigned := strings.TrimRight(before, " \t\r\n") + strings.TrimLeft(after, " \t\r\n")
	signed.WriteString(plainField(headerC == "relaxed", "DKIM-Signature: "+unsigned))
	hash = sha256.Sum256([]byte(signed.String()))
	value := base64.StdEncoding.EncodeToString(s.key.sign(hash[:]))
	return "DKIM-Signature: " + strings.Replace(template, "{b}", value, 1) + "\r\n" + message
}

// unfoldFields splits a header into fields, folds kept.
func unfoldFields(header string) []string {
	var fields []string
	start := 0
	for i := range len(header) {
		if strings.HasPrefix(header[i:], "\r\n") && !strings.HasPrefix(header[i+2:], " ") && !strings.HasPrefix(header[i+2:], "\t") {
			fields = append(fields, header[start:i])
			start = i + 2
		}
	}
	return append(fields, header[start:])
}

// plainField is the canonical form of a field by the words of RFC 6376, sections
// 3.4.1 and 3.4.2.
func plainField(relaxed bool, field string) string {
	if !relaxed {
		return field
	}
	name, value, _ := strings.Cut(field, ":")
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", ""), "\t", " ")
	for strings.Contains(value, "  ") {
		value = strings.ReplaceAll(value, "  ", " ")
	}
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.Trim(value, " ")
}

func orElse[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}

const testHeader = "From: Alice <alice@example.com>\r\nTo: bob@example.net\r\nSubject: Hello\r\n" +
	"Date: Mon, 01 Jun 2026 11:59:00 +0000\r\nContent-Type: text/plain\r\n"

const testMessage = testHeader + "\r\nDear Bob,\r\n\r\nhello.\r\n"

// testZone has the keys that tests sign with by default.
func testZone() resolver.Zone {
	return resolver.Zone{
		"s1._domainkey.example.com":  {TXT: []string{ed().record()}},
		"rsa._domainkey.example.com": {TXT: []string{rsa2048().record()}},
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
