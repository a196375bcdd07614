package dmarc_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"
)

// An attackSignature is a DKIM-Signature as the corpus orders it. Everything goes into the
// field as it is: this signer writes what no library would.
type attackSignature struct {
	Key   string
	D     string
	S     string
	H     string
	C     string
	A     string
	I     *string
	T     *int64
	X     *int64
	L     *int
	Q     *string
	Extra string
}

// expand puts the placeholders' meaning in their place.
func (s *attackSignature) expand() {
	for _, text := range []*string{&s.D, &s.S, &s.H, &s.C, &s.A, s.I, s.Q, &s.Extra} {
		if text != nil {
			*text = expand(*text)
		}
	}
}

// sign puts a signature over the message on top of it.
func (s *attackSignature) sign(t testing.TB, message string) string {
	t.Helper()
	key, ok := attackKeys()[s.Key]
	if !ok {
		t.Fatalf("no key %s", s.Key)
	}
	head, body, ok := strings.Cut(message, "\r\n\r\n")
	if !ok {
		t.Fatal("a message without a body cannot be signed")
	}
	canonHeader, canonBody, _ := strings.Cut(s.C, "/")
	newHash, prefix := sha256.New, prefixSHA256
	switch s.A {
	case "":
		s.A = "rsa-sha256"
	case "rsa-sha1":
		newHash, prefix = sha1.New, prefixSHA1
	}

	var f strings.Builder
	fmt.Fprintf(&f, "DKIM-Signature: v=1; a=%s; c=%s; d=%s; s=%s;", s.A, s.C, s.D, s.S)
	for _, tag := range []struct {
		name  string
		value any
		there bool
	}{{"i", s.I, s.I != nil}, {"t", s.T, s.T != nil}, {"x", s.X, s.X != nil}, {"l", s.L, s.L != nil}, {"q", s.Q, s.Q != nil}} {
		if tag.there {
			fmt.Fprintf(&f, " %s=%v;", tag.name, dereference(tag.value))
		}
	}
	fmt.Fprintf(&f, "\r\n h=%s;", s.H)
	if s.Extra != "" {
		fmt.Fprintf(&f, " %s;", s.Extra)
	}
	fmt.Fprintf(&f, "\r\n bh=%s; b=", bodyHash(newHash, canonBody, body, s.L))

	h := newHash()
	fields := splitFields(head)
	for name := range strings.SplitSeq(s.H, ":") {
		name = strings.ToLower(strings.TrimSpace(name))
		// The bottommost that is not signed yet: RFC 6376, section 5.4.2.
		if i := len(fields[name]); i > 0 {
			h.Write([]byte(canonicalField(canonHeader, fields[name][i-1]) + "\r\n"))
			fields[name] = fields[name][:i-1]
		}
	}
	h.Write([]byte(canonicalField(canonHeader, f.String())))
	signature := base64.StdEncoding.EncodeToString(key.sign(h.Sum(nil), prefix))
	return f.String() + signature + "\r\n" + message
}

func dereference(v any) any {
	switch v := v.(type) {
	case *string:
		return *v
	case *int64:
		return *v
	case *int:
		return *v
	}
	return v
}

// bodyHash returns what bh= holds for the first l octets of a body, or for all of it.
func bodyHash(newHash func() hash.Hash, canonicalization, body string, l *int) string {
	canonical := canonicalBody(canonicalization, body)
	if l != nil {
		canonical = canonical[:*l]
	}
	h := newHash()
	h.Write([]byte(canonical))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// splitFields returns the fields of a header by their names in lower case, topmost first.
func splitFields(head string) map[string][]string {
	fields := make(map[string][]string)
	var field []string
	end := func() {
		if len(field) > 0 {
			name, _, _ := strings.Cut(field[0], ":")
			name = strings.ToLower(strings.TrimRight(name, " \t"))
			fields[name] = append(fields[name], strings.Join(field, "\r\n"))
		}
	}
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			field = append(field, line)
			continue
		}
		end()
		field = []string{line}
	}
	end()
	return fields
}

// canonicalField is RFC 6376, sections 3.4.1 and 3.4.2, without the final CRLF.
func canonicalField(canonicalization, field string) string {
	if canonicalization == "simple" {
		return field
	}
	name, value, _ := strings.Cut(field, ":")
	value = strings.Trim(squeeze(strings.ReplaceAll(value, "\r\n", "")), " ")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + value
}

// canonicalBody is RFC 6376, sections 3.4.3 and 3.4.4.
func canonicalBody(canonicalization, body string) string {
	relaxed := canonicalization == "relaxed"
	if relaxed {
		lines := strings.Split(body, "\r\n")
		for i, line := range lines {
			lines[i] = strings.TrimRight(squeeze(line), " ")
		}
		body = strings.Join(lines, "\r\n")
	}
	for strings.HasSuffix(body, "\r\n") {
		body = strings.TrimSuffix(body, "\r\n")
	}
	if relaxed && body == "" {
		return ""
	}
	return body + "\r\n"
}

// squeeze makes one space of each run of spaces and tabs.
func squeeze(s string) string {
	var b bytes.Buffer
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
