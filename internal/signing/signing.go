// Package signing signs messages with DKIM (RFC 6376) and seals them with ARC (RFC 8617), for
// tests and for programs that make test data. It writes what it is told to write, right or wrong: any tags in any
// order, at any time.
package signing

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	_ "crypto/sha1" // for rsa-sha1, which nobody may accept
	_ "crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A Signature says how a message is signed. A zero field means what stands with it.
type Signature struct {
	Key crypto.Signer // RSA or Ed25519; it has to be there

	Domain           string    // d=, "example.com"
	Selector         string    // s=, "test"
	Algorithm        string    // a=, that of Key with SHA-256
	Canonicalization string    // c=, "relaxed/relaxed"
	Header           string    // h=, "from:to:subject:date"
	Time             time.Time // t=, left out
	Expires          time.Time // x=, left out
	Tags             string    // further tags before h=, such as "l=5; i=@example.com;"

	// Field is the value of the DKIM-Signature field, in place of all that is above but
	// the Key. {bh} and {b} stand for the two values that signing finds.
	Field string
}

// Sign returns message with a DKIM-Signature field on top. How it is signed is what the
// tags c=, h=, l= and a= of the field say, as far as they make sense. Lines of the
// message end in CRLF.
func (s Signature) Sign(message string) (string, error) {
	field := s.Field
	if field == "" {
		field = s.field()
	}
	tags := make(map[string]string)
	for tag := range tagvalue.All(field) {
		if _, again := tags[tag.Name]; !again {
			tags[tag.Name] = tag.Value
		}
	}
	hash := crypto.SHA256
	if strings.EqualFold(tags["a"], "rsa-sha1") {
		hash = crypto.SHA1
	}
	block, body, _ := strings.Cut(message, "\r\n\r\n")
	headForm, bodyForm, _ := strings.Cut(tags["c"], "/")
	text := canon.PlainBody(form(bodyForm), body)
	if l, err := strconv.Atoi(tags["l"]); err == nil && l >= 0 {
		text = text[:min(l, len(text))]
	}
	field = strings.ReplaceAll(field, "{bh}", base64.StdEncoding.EncodeToString(digest(hash, []byte(text))))

	// The field signs itself, without the value of b=: the white space around it, which
	// is part of it, included.
	before, after, _ := strings.Cut(field, "{b}")
	const space = " \t\r\n"
	unsigned := strings.TrimRight(before, space) + strings.TrimLeft(after, space)
	data := headerData(form(headForm), tags["h"], block, "DKIM-Signature: "+unsigned)
	value, err := sign(s.Key, hash, digest(hash, data))
	if err != nil {
		return "", err
	}
	text = base64.StdEncoding.EncodeToString(value)
	if s.Field == "" {
		text = fold(text)
	}
	field = strings.Replace(field, "{b}", text, 1)
	return "DKIM-Signature: " + field + "\r\n" + message, nil
}

// field returns the value of the field that the others describe.
func (s Signature) field() string {
	var b strings.Builder
	fmt.Fprintf(&b, "v=1; a=%s; c=%s; d=%s; s=%s;", s.algorithm(), or(s.Canonicalization, "relaxed/relaxed"),
		or(s.Domain, "example.com"), or(s.Selector, "test"))
	if !s.Time.IsZero() {
		fmt.Fprintf(&b, " t=%d;", s.Time.Unix())
	}
	if !s.Expires.IsZero() {
		fmt.Fprintf(&b, " x=%d;", s.Expires.Unix())
	}
	if s.Tags != "" {
		b.WriteString(" " + s.Tags)
	}
	fmt.Fprintf(&b, "\r\n\th=%s;\r\n\tbh={bh};\r\n\tb={b}", foldNames(or(s.Header, "from:to:subject:date")))
	return b.String()
}

// algorithm returns a=.
func (s Signature) algorithm() string {
	if _, ok := s.Key.Public().(ed25519.PublicKey); ok {
		return or(s.Algorithm, "ed25519-sha256")
	}
	return or(s.Algorithm, "rsa-sha256")
}

// foldNames folds a long list of names.
func foldNames(names string) string {
	const line = 6 // names
	parts := strings.Split(names, ":")
	var b strings.Builder
	for ; len(parts) > line; parts = parts[line:] {
		b.WriteString(strings.Join(parts[:line], ":") + ":\r\n\t ")
	}
	return b.String() + strings.Join(parts, ":")
}

// headerData returns what a signature is over: the canonical fields that names, the value
// of h=, stand for, each the bottom-most that is left, and the signature's own field.
func headerData(form canon.Form, names, block, own string) []byte {
	var data []byte
	fields := header.Parse([]byte(block)).Fields
	for name := range tagvalue.Items(names, ':') {
		for i, f := range slices.Backward(fields) {
			if f.Is(strings.ToLower(name)) {
				data = append(canon.AppendField(data, form, f.BeforeColon(), f.Body()), "\r\n"...)
				fields = slices.Delete(fields, i, i+1)
				break
			}
		}
	}
	f := header.Parse([]byte(own)).Fields[0]
	return canon.AppendField(data, form, f.BeforeColon(), f.Body())
}

// fold folds a long value.
func fold(value string) string {
	const line = 72
	var b strings.Builder
	for ; len(value) > line; value = value[line:] {
		b.WriteString(value[:line] + "\r\n\t ")
	}
	return b.String() + value
}

func sign(key crypto.Signer, hash crypto.Hash, digest []byte) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		hash = 0 // Ed25519 signs the digest as a message: RFC 8463, section 3
	}
	return key.Sign(rand.Reader, digest, hash)
}

func digest(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

func form(word string) canon.Form {
	if strings.EqualFold(word, "relaxed") {
		return canon.Relaxed
	}
	return canon.Simple
}

func or(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}
