package compare

import (
	"crypto"
	"crypto/ed25519"
	"strings"

	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/signing"
)

// A signer signs with any tags in any order.
type signer struct {
	key           crypto.Signer
	headerRelaxed bool
	bodyRelaxed   bool

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
		key: key, headerRelaxed: relaxed, bodyRelaxed: relaxed, fold: "\r\n\t",
		tags: []tag{
			{"v", "1"}, {"a", algorithm}, {"c", canonicalization}, {"d", domain}, {"s", selector},
			{"h", strings.Join(names, ":")}, {"bh", ""}, {"b", ""},
		},
	}
}

// get returns the value of a tag, or "".
func (s *signer) get(name string) string {
	for _, t := range s.tags {
		if t.name == name {
			return t.value
		}
	}
	return ""
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
	var b strings.Builder
	for i, t := range s.tags {
		if t.value == "" && (t.name == "bh" || t.name == "b") {
			t.value = "{" + t.name + "}"
		}
		if i > 0 {
			b.WriteByte(';')
			if i%2 == 1 {
				b.WriteString(s.fold)
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(t.name + "=" + t.value)
	}
	return signing.Signature{Key: s.key, Field: b.String()}.Sign(message)
}

// bodyLength returns how many octets the canonical form of a body has.
func (s signer) bodyLength(body string) int {
	form := canon.Simple
	if s.bodyRelaxed {
		form = canon.Relaxed
	}
	return len(canon.PlainBody(form, body))
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

// keyRecord returns the record that publishes a key.
func keyRecord(key crypto.Signer) string {
	record, err := signing.Record(key.Public())
	if err != nil {
		return err.Error() // no key, which every test would notice
	}
	return record
}

// testKey returns the RSA or Ed25519 key of all tests.
func testKey(kind string) crypto.Signer {
	switch kind {
	case "rsa":
		return signing.RSA(2048)
	case "rsa1024":
		return signing.RSA(1024)
	}
	return signing.Ed25519(kind)
}
