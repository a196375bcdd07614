package dmarc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/canon"
)

// An attackGenerator makes the messages that are too large to write down: all variants that
// the case describes in words.
type attackGenerator func(t *testing.T, corpus *attackCorpus, m *attackMessage) []string

func attackGenerators() map[string]attackGenerator {
	return map[string]attackGenerator{
		"dkim-25": fiveThousandSignatures,
		"dkim-26": twentyThousandNames,
		"msg-21":  hundredThousandFields,
		"msg-22":  deepFrom,
	}
}

func fiveThousandSignatures(t *testing.T, corpus *attackCorpus, m *attackMessage) []string {
	message := corpus.message(m, m.Fields...)
	_, body, _ := strings.Cut(message, "\r\n\r\n")
	sum := sha256.Sum256([]byte(canon.PlainBody(canon.Relaxed, body)))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	var b strings.Builder
	for n := range 5000 {
		signature := base64.StdEncoding.EncodeToString(number(fmt.Sprint("signature ", n), 2048).Bytes())
		fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=flood.attacker.example; s=s%d; h=from; bh=%s; b=%s\r\n",
			n+1, hash, signature)
	}
	return []string{b.String() + message}
}

func twentyThousandNames(t *testing.T, corpus *attackCorpus, m *attackMessage) []string {
	var names strings.Builder
	names.WriteString("from")
	for n := range 20_000 {
		if n%60 == 59 {
			names.WriteString("\r\n ")
		}
		names.WriteString(":x")
	}
	message := corpus.message(m, append(repeated(1000, "X: 1"), m.Fields...)...)
	signature := attackSignature{Key: "k_attacker", D: "attacker.example", S: "a1", H: names.String(), C: "relaxed/relaxed"}
	return []string{signature.sign(t, message)}
}

func repeated(n int, field string) []string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = field
	}
	return fields
}

func hundredThousandFields(_ *testing.T, corpus *attackCorpus, m *attackMessage) []string {
	var b strings.Builder
	for n := range 100_000 {
		fmt.Fprintf(&b, "X-N: %d\r\n", n+1)
	}
	fields := append(m.Fields[:len(m.Fields):len(m.Fields)], "X-Big: "+strings.Repeat("a", 8<<20))
	return []string{b.String() + corpus.message(m, fields...)}
}

func deepFrom(_ *testing.T, corpus *attackCorpus, m *attackMessage) []string {
	const nested = 200_000
	var addresses strings.Builder
	for n := range 50_000 {
		fmt.Fprintf(&addresses, "a%d@attacker.example, ", n+1)
	}
	return []string{
		corpus.message(m, "From: "+strings.Repeat("(", nested)+"admin@victim.example"+strings.Repeat(")", nested)),
		corpus.message(m, "From: "+addresses.String()+"admin@victim.example"),
		corpus.message(m, `From: "`+strings.Repeat(`\"`, 1<<19)),
	}
}
