package dmarc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/signing"
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
	if s.A == "" {
		s.A = "rsa-sha256"
	}
	var f strings.Builder
	fmt.Fprintf(&f, "v=1; a=%s; c=%s; d=%s; s=%s;", s.A, s.C, s.D, s.S)
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
	f.WriteString("\r\n bh={bh}; b={b}")
	signed, err := signing.Signature{Key: key, Field: f.String()}.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	return signed
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
