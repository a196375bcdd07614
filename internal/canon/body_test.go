package canon

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
func canonicalBody(form Form, chunks ...[]byte) string {
	r := &recorder{}
	var b Body
	b.Reset(form)
	b.Add(Whole).hash = r
	for _, chunk := range chunks {
		b.Write(chunk)
	}
	b.End()
	if h := b.Find(Whole); h.Signed() != int64(r.Len()) || h.Unsigned() != 0 {
		return fmt.Sprintf("%d octets signed and %d not, %d hashed", h.Signed(), h.Unsigned(), r.Len())
	}
	return r.String()
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
		for _, form := range []Form{Simple, Relaxed} {
			if got, want := canonicalBody(form, text), PlainBody(form, string(text)); got != want {
				t.Fatalf("form %d: %s", form, difference(text, got, want))
			}
		}
	}
}

func TestWhereTheBodyIsCutMakesNoDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		text := randomBody(random)
		for _, form := range []Form{Simple, Relaxed} {
			want := canonicalBody(form, text)
			for _, most := range []int{1, 3, 40, 2000} {
				if got := canonicalBody(form, split(random, text, most)...); got != want {
					t.Fatalf("form %d, chunks up to %d: %s", form, most, difference(text, got, want))
				}
			}
		}
	}
}

func TestAHashStopsAtItsLengthAndSaysWhatItLeavesOut(t *testing.T) {
	const canonical = "one two\r\nthree\r\n"
	for _, tt := range []struct {
		name, text string
		appended   int // octets of canonical that are not in text
	}{
		{"a body with empty lines at its end", "one  two\r\nthree\r\n\r\n", 0},
		{"a body whose last line has no CRLF", "one  two\r\nthree", 2},
		{"a body whose last line has white space and no CRLF", "one  two\r\nthree\t", 2},
		{"a body that ends in white space alone", "one  two\r\nthree\r\n ", 0},
	} {
		var b Body
		b.Reset(Relaxed)
		for length := range int64(len(canonical) + 3) {
			b.Add(length)
		}
		b.Write([]byte(tt.text))
		b.End()
		for length := range len(canonical) + 3 {
			h := b.Find(int64(length))
			signed := min(length, len(canonical))
			if h.Sum() != sha256.Sum256([]byte(canonical[:signed])) || h.Signed() != int64(signed) ||
				h.Unsigned() != int64(max(0, len(canonical)-tt.appended-signed)) {
				t.Errorf("%s, length %d: %d octets signed, %d not, or the hash of other octets", tt.name, length, h.Signed(), h.Unsigned())
			}
		}
	}
}

func TestAnEmptyBodyIsSignedAsAWhole(t *testing.T) {
	for _, tt := range []struct {
		form             Form
		text             string
		length           int64
		signed, unsigned int64
	}{
		{Simple, "", 0, 0, 0},
		{Simple, "", Whole, 2, 0},
		{Simple, "\r\n", 0, 0, 2},
		{Simple, "\r\n\r\n", Whole, 2, 0},
		{Relaxed, "", 0, 0, 0},
		{Relaxed, " \r\n\t", 0, 0, 0},
	} {
		var b Body
		b.Reset(tt.form)
		h := b.Add(tt.length)
		b.Write([]byte(tt.text))
		b.End()
		if h.Signed() != tt.signed || h.Unsigned() != tt.unsigned {
			t.Errorf("form %d, %q, length %d: %d signed, %d not, want %d and %d", tt.form, tt.text, tt.length, h.Signed(), h.Unsigned(), tt.signed, tt.unsigned)
		}
	}
}

// The memory of one body serves the next, which has other hashes.
func TestABodyThatIsResetIsAsNew(t *testing.T) {
	var b Body
	for n, form := range []Form{Relaxed, Simple, Relaxed} {
		b.Reset(form)
		if b.Find(Whole) != nil || b.Find(3) != nil {
			t.Fatalf("body %d begins with hashes", n)
		}
		h, part := b.Add(Whole), b.Add(3)
		text := strings.Repeat("a  b\r\n", n+1) + "\r"
		b.Write([]byte(text))
		b.End()
		want := PlainBody(form, text)
		if h.Sum() != sha256.Sum256([]byte(want)) || part.Sum() != sha256.Sum256([]byte(want[:3])) || h.Signed() != int64(len(want)) || h.Length() != Whole {
			t.Errorf("body %d has other hashes", n)
		}
	}
}

// All octets that can follow white space, at each place of a word.
func TestWhiteSpaceBeforeEveryPairOfOctets(t *testing.T) {
	for _, space := range []string{" ", "\t"} {
		for pair := range 1 << 16 {
			text := strings.Repeat("x", 32+(pair+pair>>8)%8) + space + string([]byte{byte(pair >> 8), byte(pair)}) + strings.Repeat("y", 40) + "\r\n"
			if got, want := canonicalBody(Relaxed, []byte(text)), PlainBody(Relaxed, text); got != want {
				t.Fatalf("%q becomes %q, want %q", text, got, want)
			}
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, s := range bodyPieces {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		for _, form := range []Form{Simple, Relaxed} {
			want := PlainBody(form, string(text))
			if got := canonicalBody(form, text); got != want {
				t.Fatalf("form %d: %q, want %q", form, got, want)
			}
			if got := canonicalBody(form, split(random, text, 9)...); got != want {
				t.Fatalf("form %d in chunks: %q, want %q", form, got, want)
			}
			if again := canonicalBody(form, []byte(want)); again != want {
				t.Fatalf("form %d is not idempotent: %q becomes %q", form, want, again)
			}
		}
	})
}
