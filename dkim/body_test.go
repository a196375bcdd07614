package dkim

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"
)

// recorder is a hash that keeps what it is given.
type recorder struct {
	hash.Hash
	bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.Buffer.Write(p) }
func (r *recorder) Reset()                      { r.Buffer.Reset() }
func (r *recorder) Sum(b []byte) []byte         { return b }

// canonicalBody returns the canonical form of a body written in the given chunks.
func canonicalBody(relaxed bool, chunks ...[]byte) string {
	r := &recorder{}
	b := &body{relaxed: relaxed, hashes: []*bodyHash{{limit: wholeBody, left: wholeBody, hash: r}}}
	for _, chunk := range chunks {
		b.Write(chunk)
	}
	b.end()
	if b.octets != int64(r.Len()) {
		return fmt.Sprintf("%d octets counted, %d hashed", b.octets, r.Len())
	}
	return r.String()
}

// plainBody is the canonical form by the words of RFC 6376, sections 3.4.3 and
// 3.4.4, a line at a time and without any care for speed.
func plainBody(relaxed bool, text string) string {
	lines := strings.Split(text, "\r\n")
	if relaxed {
		for i, line := range lines {
			line = strings.ReplaceAll(line, "\t", " ")
			for strings.Contains(line, "  ") {
				line = strings.ReplaceAll(line, "  ", " ")
			}
			lines[i] = strings.TrimSuffix(line, " ")
		}
	}
	text = strings.Join(lines, "\r\n")
	for strings.HasSuffix(text, "\r\n") {
		text = strings.TrimSuffix(text, "\r\n")
	}
	if text == "" && relaxed {
		return ""
	}
	return text + "\r\n"
}

// A piece of test body, long enough to reach every way through the code.
var bodyPieces = []string{
	"a", "word ", " ", "  ", "\t", " \t", "\r\n", "\r\n\r\n", " \r\n", "\t\r\n", "\r", "\n", " \n", " \r", "\r\r\n",
	"The quick brown fox jumps over the lazy dog and goes on. ", "! \x00 \x1f ", "\x80 \xa0 \xff", "é ü ",
	strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", 2), strings.Repeat("x", 1500), strings.Repeat("a b ", 300),
	strings.Repeat("a  b\t", 60), strings.Repeat(" ", 40), strings.Repeat("\r\n", 70), strings.Repeat("\r", 5),
}

func randomBody(random *rand.Rand) []byte {
	var b []byte
	for range random.IntN(30) {
		b = append(b, bodyPieces[random.IntN(len(bodyPieces))]...)
	}
	return b
}

// difference shows where got leaves want.
func difference(text []byte, got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	near := func(s string) string { return s[max(0, i-20):min(len(s), i+20)] }
	return fmt.Sprintf("body of %d octets, at %d: got ...%q, want ...%q", len(text), i, near(got), near(want))
}

func split(random *rand.Rand, p []byte, most int) [][]byte {
	var chunks [][]byte
	for len(p) > 0 {
		n := min(len(p), 1+random.IntN(most))
		chunks = append(chunks, p[:n])
		p = p[n:]
	}
	return chunks
}

func TestBodyCanonicalizationIsThatOfThePlainWordsOfTheRFC(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		text := randomBody(random)
		for _, relaxed := range []bool{false, true} {
			if got, want := canonicalBody(relaxed, text), plainBody(relaxed, string(text)); got != want {
				t.Fatalf("relaxed %t: %s", relaxed, difference(text, got, want))
			}
		}
	}
}

func TestWhereTheBodyIsCutMakesNoDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		text := randomBody(random)
		for _, relaxed := range []bool{false, true} {
			want := canonicalBody(relaxed, text)
			for _, most := range []int{1, 3, 40, 2000} {
				if got := canonicalBody(relaxed, split(random, text, most)...); got != want {
					t.Fatalf("relaxed %t, chunks up to %d: %s", relaxed, most, difference(text, got, want))
				}
			}
		}
	}
}

func TestABodyHashStopsAtItsLength(t *testing.T) {
	text := []byte("one  two\r\nthree\r\n\r\n")
	canonical := "one two\r\nthree\r\n"
	for limit := range int64(len(canonical) + 3) {
		h := &bodyHash{limit: limit, left: limit, hash: sha256.New()}
		b := &body{relaxed: true, hashes: []*bodyHash{h}}
		b.Write(text)
		b.end()
		want := sha256.Sum256([]byte(canonical[:min(int(limit), len(canonical))]))
		if h.sum != want || b.octets != int64(len(canonical)) {
			t.Errorf("l=%d hashes other octets", limit)
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, s := range bodyPieces {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		for _, relaxed := range []bool{false, true} {
			want := plainBody(relaxed, string(text))
			if got := canonicalBody(relaxed, text); got != want {
				t.Fatalf("relaxed %t: %q, want %q", relaxed, got, want)
			}
			if got := canonicalBody(relaxed, split(random, text, 9)...); got != want {
				t.Fatalf("relaxed %t in chunks: %q, want %q", relaxed, got, want)
			}
			if again := canonicalBody(relaxed, []byte(want)); again != want {
				t.Fatalf("relaxed %t is not idempotent: %q becomes %q", relaxed, want, again)
			}
		}
	})
}
