package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// instant answers at once and allocates nothing.
type instant map[string]resolver.Answer

func (r instant) Resolve(_ context.Context, q resolver.Question) (resolver.Answer, error) {
	return r[q.Name], nil
}

// benchHeader is a header as mail has it after a few hops.
var benchHeader = strings.Repeat("Received: from mail-out.example.com (mail-out.example.com [192.0.2.10])\r\n"+
	"\tby mx.example.net (Postfix) with ESMTPS id 4X2s9k1hZzz3cQ\r\n\tfor <bob@example.net>; Mon, 01 Jun 2026 11:59:30 +0000 (UTC)\r\n", 3) +
	"From: Alice Example <alice@example.com>\r\nTo: Bob Example <bob@example.net>\r\nReply-To: alice@example.com\r\n" +
	"Subject: The quarterly report, as discussed on the phone last week\r\nDate: Mon, 01 Jun 2026 11:59:00 +0000\r\n" +
	"Message-ID: <20260601115900.4711@mail.example.com>\r\nIn-Reply-To: <4710@mail.example.net>\r\nReferences: <4710@mail.example.net>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n" +
	"List-Unsubscribe: <https://example.com/unsubscribe/4711>\r\nX-Mailer: Example Mailer 1.0\r\n"

const benchNames = "from:to:reply-to:subject:date:message-id:in-reply-to:references:mime-version:content-type:content-transfer-encoding"

// relation is how long f takes over how long g takes: the median over rounds in which they
// take turns, so that what else the machine does meets both alike.
func relation(f, g func()) float64 {
	took := func(f func()) float64 {
		start := time.Now()
		for range 20 {
			f()
		}
		return float64(time.Since(start))
	}
	relations := make([]float64, 150)
	for round := range relations {
		relations[round] = took(f) / took(g)
	}
	slices.Sort(relations)
	return relations[len(relations)/2]
}

// A message of 4 KiB with one RSA signature, against the arithmetic alone: as its author's
// server sends it, and after a few hops; with the key from memory, and from a resolver that
// has to be waited for.
func BenchmarkSmallMessage(b *testing.B) {
	key := []string{recordOf(rsa2048())}
	zone := resolver.Zone{"rsa._domainkey.example.com": {TXT: key}}
	wait := instant{"rsa._domainkey.example.com": {TXT: key}}
	received, sent := strings.LastIndex(benchHeader, "Received:"), strings.Index(benchHeader, "From:")
	for _, bench := range []struct {
		name, header string
		resolver     resolver.Resolver
	}{
		{"sent", benchHeader[sent:], zone},
		{"received", benchHeader[received:], zone},
		{"relayed", benchHeader, zone},
		{"relayed, key waited for", benchHeader, wait},
	} {
		b.Run(bench.name, func(b *testing.B) {
			line := "The quick brown fox jumps over the lazy dog, and goes on to the next one.\r\n"
			body := strings.Repeat(line, (4<<10-len(bench.header)-600)/len(line))
			text := []byte(sig{key: rsa2048(), s: "rsa", h: benchNames}.sign(bench.header + "\r\n" + body))
			hash := sha256.Sum256(text)
			signature, err := rsa2048().Sign(nil, hash[:], crypto.SHA256)
			if err != nil {
				b.Fatal(err)
			}
			public := rsa2048().Public().(*rsa.PublicKey)
			bare := func() {
				hash := sha256.Sum256(text)
				if rsa.VerifyPKCS1v15(public, crypto.SHA256, hash[:], signature) != nil {
					b.Fatal("the signature does not verify")
				}
			}
			v := &Verifier{Resolver: bench.resolver, Options: Options{Now: func() time.Time { return testNow }}}
			reader := bytes.NewReader(nil)
			whole := func() {
				reader.Reset(text)
				results, err := v.Verify(context.Background(), reader)
				if err != nil || results[0].Status != StatusPass {
					b.Fatal(results[0].Status, err)
				}
			}
			ratio := relation(whole, bare)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				whole()
			}
			b.ReportMetric(ratio, "x-bare")
		})
	}
}

// Whole messages of 10 MiB, against SHA-256 over the same octets, each at its
// fastest.
func BenchmarkLargeMessage(b *testing.B) {
	for name, text := range benchBodies() {
		for _, c := range []Canonicalization{Simple, Relaxed} {
			b.Run(fmt.Sprintf("%s/%v", name, c), func(b *testing.B) {
				message := []byte(sig{key: rsa2048(), s: "rsa", c: "relaxed/" + c.String()}.sign(testHeader + "\r\n" + string(text)))
				v := &Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
				alone, whole := time.Hour, time.Hour
				for b.Loop() {
					start := time.Now()
					sha256.Sum256(message)
					half := time.Now()
					results, err := v.Verify(context.Background(), bytes.NewReader(message))
					if err != nil || results[0].Status != StatusPass {
						b.Fatal(results[0].Status, err)
					}
					alone, whole = min(alone, half.Sub(start)), min(whole, time.Since(half))
				}
				b.ReportMetric(100*float64(alone)/float64(whole), "%sha256")
			})
		}
	}
}
