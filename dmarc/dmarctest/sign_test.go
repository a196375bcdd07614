package dmarctest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/resolver"
)

// verifyElsewhere verifies a message with another implementation.
func verifyElsewhere(zone resolver.Zone, message []byte) error {
	list, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			q := resolver.Question{Name: strings.ToLower(name), Type: resolver.TypeTXT}
			a, err := zone.Resolve(context.Background(), q)
			return a.TXT, err
		},
	})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("no signature")
	}
	for _, v := range list {
		err = errors.Join(err, v.Err)
	}
	return err
}

func TestASignedMessageVerifiesElsewhere(t *testing.T) {
	_, fresh, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		s    Signature
		key  string // name of the key record
		has  []string
	}{
		{"with nothing but a domain", Signature{Domain: "example.com"}, "test._domainkey.example.com", []string{"rsa-sha256", "c=relaxed/relaxed"}},
		{"with a key of its own", Signature{Domain: "example.com", Selector: "s1", Key: fresh}, "s1._domainkey.example.com", []string{"ed25519-sha256", "s=s1"}},
		{"with every option", Signature{
			Domain: "Example.COM", Identifier: "news@Example.COM", Simple: true,
			Header: []string{"From", "Subject", "Subject"}, Expires: time.Now().Add(time.Hour),
		}, "test._domainkey.example.com", []string{"d=Example.COM", "i=news@Example.COM", "c=simple/simple", "h=From:Subject:Subject", "x="}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := resolver.Zone{}
			signed := Sign(t, zone, Message{From: "a@example.com"}.Bytes(t), tt.s)
			if len(zone[tt.key].TXT) != 1 {
				t.Fatalf("zone is %v", zone)
			}
			if err := verifyElsewhere(zone, signed); err != nil {
				t.Error(err)
			}
			wantText(t, strings.NewReplacer("\r\n", "", " ", "").Replace(string(signed)), tt.has...)
		})
	}
}

func TestAMessageWrittenWithLFIsSignedAsItWillBeSent(t *testing.T) {
	zone := resolver.Zone{}
	signed := Sign(t, zone, []byte("From: a@example.com\nSubject: x\n\nHello.\n"), Signature{Domain: "example.com"})
	if err := verifyElsewhere(zone, signed); err != nil {
		t.Error(err)
	}
	if n := bytes.Count(signed, []byte("\n")); n != bytes.Count(signed, []byte("\r\n")) {
		t.Errorf("%q", signed)
	}
}

func TestASecondSignatureGoesOnTop(t *testing.T) {
	zone := resolver.Zone{}
	message := Message{From: "a@example.com"}.Bytes(t)
	message = Sign(t, zone, message, Signature{Domain: "example.com"})
	message = Sign(t, zone, message, Signature{Domain: "provider.example"})
	if err := verifyElsewhere(zone, message); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(message[:200], []byte("d=provider.example")) {
		t.Errorf("%s", message)
	}
}

func TestAKeyIsPublishedOnce(t *testing.T) {
	zone := resolver.Zone{"test._domainkey.example.com": {TXT: []string{"something else"}}}
	for range 2 {
		Sign(t, zone, Message{From: "a@example.com"}.Bytes(t), Signature{Domain: "example.com"})
	}
	if txt := zone["test._domainkey.example.com"].TXT; len(txt) != 2 || txt[0] != "something else" {
		t.Errorf("%q", txt)
	}
}

func TestNoKeyIsPublishedWithoutAZone(t *testing.T) {
	if signed := Sign(t, nil, Message{From: "a@example.com"}.Bytes(t), Signature{Domain: "example.com"}); len(signed) == 0 {
		t.Error("no message")
	}
}

func TestTheFixedKeySignsTheSameMessageAtTheSameTimeAlike(t *testing.T) {
	sign := func() (signed []byte) {
		synctest.Test(t, func(t *testing.T) {
			signed = Sign(t, nil, Message{From: "a@example.com"}.Bytes(t), Signature{Domain: "example.com"})
		})
		return signed
	}
	if a, b := sign(), sign(); !bytes.Equal(a, b) {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestWhatCannotBeSignedFailsTheTest(t *testing.T) {
	for _, tt := range []struct {
		name    string
		message string
		s       Signature
	}{
		{"without a domain", "From: a@example.com\r\n\r\n", Signature{}},
		{"with a domain that is none", "From: a@example.com\r\n\r\n", Signature{Domain: "a..b"}},
		{"with a From that is not signed", "From: a@example.com\r\n\r\n", Signature{Domain: "example.com", Header: []string{"Subject"}}},
		{"a header that does not end", "From: a@example.com\r\n", Signature{Domain: "example.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantText(t, failure(t, func(t testing.TB) { Sign(t, resolver.Zone{}, []byte(tt.message), tt.s) }), "signing for")
		})
	}
}

func BenchmarkSign(b *testing.B) {
	message := Message{From: "a@example.com"}.Bytes(b)
	for b.Loop() {
		Sign(b, nil, message, Signature{Domain: "example.com"})
	}
}

func BenchmarkTestKey(b *testing.B) {
	for b.Loop() {
		if _, err := testKey(); err != nil {
			b.Fatal(err)
		}
	}
}
