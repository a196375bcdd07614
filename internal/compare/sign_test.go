package compare

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
)

// A signer signs by the plain words of RFC 6376, without regard to speed and without
// code of either side, and lets every tag be written as a test wants it.
type signer struct {
	key           crypto.Signer
	domain        string
	selector      string
	names         []string // h=
	headerRelaxed bool
	bodyRelaxed   bool
	length        int // of the canonical body that is hashed; negative: all

	// tags are written in this order. The values of bh and b are filled in.
	tags []tag
	// fold stands between the tags.
	fold string
}

type tag struct{ name, value string }

// newSigner returns a signer for all fields with the tags that a signature needs.
func newSigner(key crypto.Signer, domain, selector string, relaxed bool, names ...string) signer {
	canonicalization, algorithm := "simple/simple", "rsa-sha256"
	if relaxed {
		canonicalization = "relaxed/relaxed"
	}
	if _, ok := key.(ed25519.PrivateKey); ok {
		algorithm = "ed25519-sha256"
	}
	return signer{
		key: key, domain: domain, selector: selector, names: names,
		headerRelaxed: relaxed, bodyRelaxed: relaxed, length: -1, fold: "\r\n\t",
		tags: []tag{
			{"v", "1"}, {"a", algorithm}, {"c", canonicalization}, {"d", domain}, {"s", selector},
			{"h", strings.Join(names, ":")}, {"bh", ""}, {"b", ""},
		},
	}
}

// set replaces a tag or adds it before bh and b.
func (s *signer) set(name, value string) {
	for i := range s.tags {
		if s.tags[i].name == name {
			s.tags[i].value = value
			return
		}
	}
	s.tags = append([]tag{{name, value}}, s.tags...)
}

// remove removes a tag.
func (s *signer) remove(name string) {
	var kept []tag
	for _, t := range s.tags {
		if t.name != name {
			kept = append(kept, t)
		}
	}
	s.tags = kept
}

// sign returns the message with the signature on top.
func (s signer) sign(message string) (string, error) {
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	canonical := canonicalBody(s.bodyRelaxed, body)
	if s.length >= 0 {
		canonical = canonical[:s.length]
	}
	bodyHash := sha256.Sum256([]byte(canonical))

	// Fields are taken from the bottom up, each once.
	fields := splitFields(header + "\r\n")
	var signed strings.Builder
	for _, name := range s.names {
		for i := len(fields) - 1; i >= 0; i-- {
			if found, _, _ := strings.Cut(fields[i], ":"); strings.EqualFold(strings.TrimRight(found, " \t"), name) {
				signed.WriteString(canonicalField(s.headerRelaxed, fields[i]))
				fields = append(fields[:i:i], fields[i+1:]...)
				break
			}
		}
	}
	field := s.field(bodyHash[:], "")
	signed.WriteString(strings.TrimSuffix(canonicalField(s.headerRelaxed, field), "\r\n"))
	digest := sha256.Sum256([]byte(signed.String()))
	hash := crypto.SHA256
	if _, ok := s.key.(ed25519.PrivateKey); ok {
		hash = 0
	}
	value, err := s.key.Sign(rand.Reader, digest[:], hash)
	if err != nil {
		return "", err
	}
	return s.field(bodyHash[:], base64.StdEncoding.EncodeToString(value)) + message, nil
}

// field returns the signature's own field.
func (s signer) field(bodyHash []byte, value string) string {
	var b strings.Builder
	b.WriteString("DKIM-Signature:")
	for i, t := range s.tags {
		switch {
		case t.name == "bh" && t.value == "":
			t.value = base64.StdEncoding.EncodeToString(bodyHash)
		case t.name == "b" && t.value == "":
			t.value = value
		}
		if i > 0 {
			b.WriteByte(';')
		}
		if i%2 == 1 {
			b.WriteString(s.fold)
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(t.name + "=" + t.value)
	}
	return b.String() + "\r\n"
}

// splitFields splits a header block into fields, each with its CRLF.
func splitFields(header string) []string {
	var fields []string
	for line := range strings.SplitAfterSeq(header, "\r\n") {
		switch {
		case line == "":
		case len(fields) > 0 && (line[0] == ' ' || line[0] == '\t'):
			fields[len(fields)-1] += line
		default:
			fields = append(fields, line)
		}
	}
	return fields
}

// canonicalField is RFC 6376, sections 3.4.1 and 3.4.2.
func canonicalField(relaxed bool, field string) string {
	if !relaxed {
		return field
	}
	name, value, _ := strings.Cut(strings.ReplaceAll(field, "\r\n", ""), ":")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.Trim(squeezed(value), " ") + "\r\n"
}

// canonicalBody is RFC 6376, sections 3.4.3 and 3.4.4.
func canonicalBody(relaxed bool, body string) string {
	lines := strings.Split(body, "\r\n")
	if relaxed {
		for i := range lines {
			lines[i] = strings.TrimSuffix(squeezed(lines[i]), " ")
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 && relaxed {
		return ""
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// squeezed returns s with every run of white space as one space.
func squeezed(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch {
		case s[i] != ' ' && s[i] != '\t':
			b.WriteByte(s[i])
		case i == 0 || s[i-1] != ' ' && s[i-1] != '\t':
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// keyRecord is RFC 6376, section 3.6.1, and RFC 8463, section 4.
func keyRecord(key crypto.Signer) string {
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err.Error() // no key, which every test would notice
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// Keys of the tests: made once, since an RSA key takes a while.
var (
	rsa2048 = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	rsa1024 = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) })
)

// testKey returns the RSA or Ed25519 key of all tests.
func testKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa2048()
	case "rsa1024":
		key, err = rsa1024()
	default:
		seed := sha256.Sum256([]byte(kind))
		key = ed25519.NewKeyFromSeed(seed[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}
