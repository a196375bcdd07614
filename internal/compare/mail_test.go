package compare

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

// benchHeader is a header as mail has it when it arrives, before it is signed.
const benchHeader = "Received: from mail.shop.example (mail.shop.example [192.0.2.1])\r\n" +
	"\tby mx.receiver.example (Postfix) with ESMTPS id 4XyZ12abcDz3k\r\n" +
	"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n" +
	"\tfor <bob@receiver.example>; Sun, 22 Nov 2026 09:00:01 +0000 (UTC)\r\n" +
	"Received: from app7.int.shop.example (app7.int.shop.example [10.0.3.7])\r\n" +
	"\tby mail.shop.example (Postfix) with ESMTP id 4XyZ111111z9sT\r\n" +
	"\tfor <bob@receiver.example>; Sun, 22 Nov 2026 09:00:00 +0000 (UTC)\r\n" +
	"Date: Sun, 22 Nov 2026 09:00:00 +0000\r\n" +
	"From: Example Shop <news@shop.example>\r\n" +
	"Reply-To: Example Shop <service@shop.example>\r\n" +
	"To: Bob <bob@receiver.example>\r\n" +
	"Message-ID: <20261122090000.4XyZ111111z9sT@app7.int.shop.example>\r\n" +
	"Subject: Your order 4711 is on its way\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"List-Unsubscribe: <https://shop.example/unsubscribe?u=0123456789abcdef>\r\n" +
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
	"\r\n"

var benchNames = strings.Split("From:Reply-To:To:Date:Message-ID:Subject:MIME-Version:Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post", ":")

// benchMail returns a message of about size octets: text, and beyond 32 KiB base64.
func benchMail(size int) string {
	const textSize = 32 << 10
	random := mathrand.New(mathrand.NewPCG(7, 8))
	var b strings.Builder
	b.WriteString(benchHeader)
	for column := 0; b.Len() < min(size, textSize); {
		n := 1 + random.IntN(9)
		for range n {
			b.WriteByte(byte('a' + random.IntN(26)))
		}
		if column += n + 1; column > 70 {
			b.WriteString("\r\n")
			column = 0
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString("\r\n")
	line := strings.Repeat("QUJDREVGR0hJSktMTU5P", 4)[:76] + "\r\n"
	b.WriteString(strings.Repeat(line, max(0, size-b.Len())/len(line)))
	return b.String()
}

// A benchSignature says how a message of the benchmarks is signed.
type benchSignature struct {
	key     string // as testKey has it
	relaxed bool
	count   int // of signatures, by as many domains
}

// signMail signs a message of a benchmark and publishes its keys.
func (s benchSignature) signMail(b testing.TB, zone resolver.Zone, message string) []byte {
	b.Helper()
	key := testKey(s.key)
	for n := range s.count {
		domain := "shop.example"
		if n > 0 {
			domain = fmt.Sprintf("list%d.example", n)
		}
		zone["s1._domainkey."+domain] = resolver.Records{TXT: []string{keyRecord(key)}}
		signed, err := newSigner(key, domain, "s1", s.relaxed, benchNames...).sign(message)
		if err != nil {
			b.Fatal(err)
		}
		message = signed
	}
	return []byte(message)
}

// floor is the cryptography that verifying the message takes, and nothing else: a
// hash of the body, and for each signature one of the header and a verification. It must
// not be used side by side for messages of more than 1 MiB.
func (s benchSignature) floor(b testing.TB, message []byte) contestant {
	b.Helper()
	key := testKey(s.key)
	header, body, _ := strings.Cut(string(message), "\r\n\r\n")
	head, text := []byte(header), []byte(body)
	digest := sha256.Sum256(head)
	var hash crypto.Hash
	if s.key == "rsa" {
		hash = crypto.SHA256
	}
	signature, err := key.Sign(rand.Reader, digest[:], hash)
	if err != nil {
		b.Fatal(err)
	}
	verify := func(digest []byte) error {
		if !ed25519.Verify(key.Public().(ed25519.PublicKey), digest, signature) {
			return errors.New("bad signature")
		}
		return nil
	}
	if public, ok := key.Public().(*rsa.PublicKey); ok {
		verify = func(digest []byte) error { return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) }
	}
	var buffer [32 << 10]byte
	return contestant{"floor", func(message io.Reader) error {
		if len(text) > 1<<20 && message != nil {
			// Piece by piece, as it comes: through a small buffer it is faster.
			io.CopyBuffer(sha256.New(), message, buffer[:])
		} else {
			sha256.Sum256(text)
		}
		for range s.count {
			digest := sha256.Sum256(head)
			if err := verify(digest[:]); err != nil {
				return err
			}
		}
		return nil
	}}
}

var benchSizes = []struct {
	name string
	size int
}{{"4KiB", 4 << 10}, {"100KiB", 100 << 10}, {"10MiB", 10 << 20}}
