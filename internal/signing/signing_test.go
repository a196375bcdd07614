package signing

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

const message = "From: a@example.com\r\nX: 1\r\nTo: b\r\n (c)\r\nx : 2\r\nSubject:  d \t\r\nDate: e\r\n\r\nbody  \r\n text\t \r\n\r\n"

// verifyElsewhere verifies a message with another implementation.
func verifyElsewhere(t *testing.T, key crypto.Signer, message string) error {
	record, err := Record(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	list, err := msgauth.VerifyWithOptions(strings.NewReader(message), &msgauth.VerifyOptions{
		LookupTXT: func(string) ([]string, error) { return []string{record}, nil },
	})
	if err != nil {
		return err
	}
	if len(list) != 1 {
		return fmt.Errorf("%d signatures", len(list))
	}
	return list[0].Err
}

func TestASignedMessageVerifiesElsewhere(t *testing.T) {
	standard, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	names := "From:To:Subject:X:Date:x:From:X-None:x-none"
	for _, key := range []crypto.Signer{standard, RSA(1024), RSA(2048), Ed25519("a")} {
		for what, s := range map[string]Signature{
			"with nothing said":  {},
			"relaxed":            {Canonicalization: "relaxed/relaxed", Header: names},
			"simple":             {Canonicalization: "simple/simple", Header: names},
			"simple and relaxed": {Canonicalization: "simple/relaxed", Header: names},
			"dated":              {Time: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)},
			"of another name":    {Domain: "mail.example.org", Selector: "s2", Tags: "i=x@sub.mail.example.org; foo=bar;"},
			"as it is written":   {Field: "b={b}\r\n ; v=1; a=ALGORITHM; d=example.com; s=test;\r\n h = from : to; bh = {bh}"},
		} {
			t.Run(fmt.Sprintf("%T %s", key, what), func(t *testing.T) {
				s.Key = key
				algorithm := "rsa-sha256"
				if _, ok := key.(ed25519.PrivateKey); ok {
					algorithm = "ed25519-sha256"
				}
				s.Field = strings.Replace(s.Field, "ALGORITHM", algorithm, 1)
				signed, err := s.Sign(message)
				if err != nil {
					t.Fatal(err)
				}
				if err := verifyElsewhere(t, key, signed); err != nil {
					t.Errorf("%v:\n%s", err, signed)
				}
				changed := strings.Replace(signed, "body", "tody", 1)
				if verifyElsewhere(t, key, changed) == nil {
					t.Error("a changed body verifies too")
				}
				if !strings.HasSuffix(signed, message) {
					t.Errorf("the message was changed:\n%s", signed)
				}
			})
		}
	}
}

func TestTheTagsAreThoseThatWereAskedFor(t *testing.T) {
	signed, err := Signature{Key: Ed25519("a"), Time: time.Unix(7, 0), Expires: time.Unix(9, 0), Tags: "l=4;", Header: "a:b:c:d:e:f:g"}.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	// The hash is that of "body".
	want := "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=test; t=7; x=9; l=4;\r\n" +
		"\th=a:b:c:d:e:f:\r\n\t g;\r\n\tbh=Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU=;\r\n\tb="
	if !strings.HasPrefix(signed, want) {
		t.Errorf("got %q, want %q", signed, want)
	}
}

func TestLongValuesAreFolded(t *testing.T) {
	signed, err := Signature{Key: RSA(2048)}.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(signed) {
		if len(line) > 100 {
			t.Errorf("a line of %d octets", len(line))
		}
	}
}

func TestKeysAreOfTheirSize(t *testing.T) {
	for _, bits := range []int{512, 1023, 1024, 4097} {
		key := RSA(bits)
		if n := key.Public().(*rsa.PublicKey).N.BitLen(); n != bits {
			t.Errorf("%d bits, want %d", n, bits)
		}
		if RSA(bits) != key {
			t.Error("a second key of the same size")
		}
	}
	if a := Ed25519("a").Public().(interface{ Equal(crypto.PublicKey) bool }); !a.Equal(Ed25519("a").Public()) || a.Equal(Ed25519("b").Public()) {
		t.Error("an Ed25519 key is not that of its name")
	}
}

// A signature by rsa-sha1 is one by SHA-1, as an old signer made it.
func TestRSASHA1(t *testing.T) {
	key := RSA(1024)
	digest := bytes.Repeat([]byte{1}, 20)
	signature, err := key.Sign(nil, digest, crypto.SHA1)
	if err != nil || rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA1, digest, signature) != nil {
		t.Errorf("the signature does not verify: %v", err)
	}
	sha256Field, _ := Signature{Key: key}.Sign(message)
	sha1Field, _ := Signature{Key: key, Algorithm: "rsa-sha1"}.Sign(message)
	if len(sha1Field) >= len(sha256Field) {
		t.Errorf("the body hash is not one by SHA-1:\n%s", sha1Field)
	}
}
