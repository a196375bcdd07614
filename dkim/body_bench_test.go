package dkim

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// benchBodies are 10 MiB each of what mail is made of.
func benchBodies() map[string][]byte {
	const size = 10 << 20
	random := rand.New(rand.NewPCG(5, 6))
	words := func(gap func() string) []byte {
		var b []byte
		for column := 0; len(b) < size; {
			n := 1 + random.IntN(9)
			for range n {
				b = append(b, byte('a'+random.IntN(26)))
			}
			if column += n; column > 70 {
				b = append(b, "\r\n"...)
				column = 0
			} else {
				b = append(b, gap()...)
			}
		}
		return b[:size]
	}
	runs := []string{" ", "  ", "   ", "\t", " \t"}
	return map[string][]byte{
		"base64": bytes.Repeat([]byte(strings.Repeat("QUJDREVGR0hJSktMTU5P", 4)[:76]+"\r\n"), size/78),
		"text":   words(func() string { return " " }),
		"runs":   words(func() string { return runs[random.IntN(len(runs))] }),
	}
}

func BenchmarkBody(b *testing.B) {
	for name, text := range benchBodies() {
		for _, relaxed := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/simple", true: "/relaxed"}[relaxed], func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				var bare time.Duration
				for b.Loop() {
					b.StopTimer()
					start := time.Now()
					sha256.Sum256(text)
					bare += time.Since(start)
					b.StartTimer()
					h := &bodyHash{left: wholeBody, hash: sha256.New()}
					c := &body{relaxed: relaxed, hashes: []*bodyHash{h}}
					for i := 0; i < len(text); i += 32 << 10 {
						c.Write(text[i:min(i+32<<10, len(text))])
					}
					c.end()
				}
				b.ReportMetric(100*float64(bare)/float64(b.Elapsed()), "%bare")
			})
		}
	}
}
