package dkim

import (
	"bytes"
	"math/rand/v2"
	"strings"
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
