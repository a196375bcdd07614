package canon

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// benchBodies are 1 MiB each of what mail is made of.
func benchBodies() map[string][]byte {
	const size = 1 << 20
	random := rand.New(rand.NewPCG(5, 6))
	words := func(gap, end func() string) []byte {
		var b []byte
		for column := 0; len(b) < size; {
			n := 1 + random.IntN(9)
			for range n {
				b = append(b, byte('a'+random.IntN(26)))
			}
			if column += n; column > 55 {
				b = append(b, end()...)
				column = 0
			} else {
				b = append(b, gap()...)
			}
		}
		return b[:size]
	}
	runs := []string{" ", "  ", "   ", "\t", " \t"}
	space := func() string { return " " }
	line := func() string { return "\r\n" }
	return map[string][]byte{
		"base64": bytes.Repeat([]byte(strings.Repeat("QUJDREVGR0hJSktMTU5P", 4)[:76]+"\r\n"), size/78),
		"text":   words(space, line),
		// White space to change on four lines of ten.
		"flowed": words(space, func() string { return []string{"\r\n", " \r\n", "\r\n  ", "\r\n", "\r\n"}[random.IntN(5)] }),
		"runs":   words(func() string { return runs[random.IntN(len(runs))] }, line),
	}
}

// The time that hashing a body takes, canonicalized, over that of the hash alone.
func BenchmarkBody(b *testing.B) {
	for name, text := range benchBodies() {
		for word, form := range map[string]Form{"simple": Simple, "relaxed": Relaxed} {
			b.Run(name+"/"+word, func(b *testing.B) {
				var body Body
				b.SetBytes(int64(len(text)))
				bare, whole := time.Hour, time.Hour
				for b.Loop() {
					start := time.Now()
					sha256.Sum256(text)
					half := time.Now()
					body.Reset(form)
					body.Add(Whole)
					body.Write(text)
					body.End()
					bare, whole = min(bare, half.Sub(start)), min(whole, time.Since(half))
				}
				b.ReportMetric(float64(whole)/float64(bare), "x-bare")
			})
		}
	}
}
