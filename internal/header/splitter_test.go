package header

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// split runs a message through a Splitter in chunks of the sizes that next gives.
func split(t testing.TB, limits Limits, message []byte, next func() int) (block, body string, err error) {
	t.Helper()
	s := &Splitter{Limits: limits}
	var out []byte
	for len(message) > 0 {
		n := min(next(), len(message))
		chunk := bytes.Clone(message[:n])
		message = message[n:]
		for len(chunk) > 0 {
			b, rest, err := s.Next(chunk)
			if err != nil {
				return "", "", err
			}
			if len(b) == 0 && len(rest) == len(chunk) {
				t.Fatal("no progress")
			}
			out = append(out, b...)
			chunk = rest
		}
	}
	if err := s.End(); err != nil {
		return "", "", err
	}
	got, ends, ok := s.Header()
	if !ok {
		t.Fatal("no header at the end")
	}
	if want := lineEnds(nil, got); !slices.Equal(ends, want) {
		t.Fatalf("the lines of %q end at %d, want %d", got, ends, want)
	}
	return string(got), string(out), nil
}

func whole() int { return 1 << 30 }
func one() int   { return 1 }

func TestSplitter(t *testing.T) {
	tests := []struct {
		name, message, block, body string
	}{
		{"an empty line parts header and body", "A: 1\r\n\r\nbody\r\n", "A: 1\r\n", "body\r\n"},
		{"a message may have no body", "A: 1\r\n\r\n", "A: 1\r\n", ""},
		{"a message may end within its header", "A: 1\r\nB: 2", "A: 1\r\nB: 2", ""},
		{"a message may have no header", "\r\nbody", "", "body"},
		{"nothing is a message without header and body", "", "", ""},
		{"only the first empty line counts", "A: 1\r\n\r\n\r\nb", "A: 1\r\n", "\r\nb"},
		{"a bare LF at the end of the first line makes every LF a line end",
			"A: 1\nB: 2\n\nbody\nmore\n", "A: 1\r\nB: 2\r\n", "body\r\nmore\r\n"},
		{"in a Unix file a CR is an octet like others",
			"A: 1\nB: 2\r\n\nx\r\n", "A: 1\r\nB: 2\r\r\n", "x\r\r\n"},
		{"a Unix file may have no header", "\nbody\n", "", "body\r\n"},
		{"a bare LF after a first line with CRLF ends no line",
			"A: 1\r\nB: 2\n\nC: 3\r\n\r\nx\ny", "A: 1\r\nB: 2\n\nC: 3\r\n", "x\ny"},
		{"a bare CR ends no line", "A: 1\r\rB: 2\r\n\r\nx", "A: 1\r\rB: 2\r\n", "x"},
		{"a line of white space does not end the header",
			"A: 1\r\n \r\nB: 2\r\n\r\nx", "A: 1\r\n \r\nB: 2\r\n", "x"},
		{"CR CR LF is not an empty line", "A: 1\r\n\r\r\n\r\nx", "A: 1\r\n\r\r\n", "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, next := range []func() int{whole, one} {
				block, body, err := split(t, Limits{}, []byte(test.message), next)
				if err != nil || block != test.block || body != test.body {
					t.Errorf("%q, %q, %v; want %q, %q", block, body, err, test.block, test.body)
				}
			}
		})
	}
}

func TestSplitterLimits(t *testing.T) {
	limits := Limits{Block: 40, Field: 20, Fields: 5}
	tests := []struct {
		name, message string
		want          error
	}{
		{"a header as large as the limit is taken",
			"A: 456789012345678\r\nB: 456789012345678\r\n\r\nlong long long body", nil},
		{"one octet more is not", "A: 45678901234567\r\nB: 45678901234567\r\nC:56\r\n\r\n", ErrBlockLimit},
		{"the limit counts a header that does not end", "A: 45678901234567\r\nB: 45678901234567\r\nC:56\r\n", ErrBlockLimit},
		{"a field as large as the limit is taken", "A: 456\r\n 012345678\r\n\r\n", nil},
		{"one octet more in its continuation is not", "A: 456\r\n 0123456789\r\n\r\n", ErrFieldLimit},
		{"a first line without an end is not", "A: 4567890123456789012345678901234567890", ErrFieldLimit},
		{"as many fields as the limit are taken", "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n", nil},
		{"one field more is not", "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\n\r\n", ErrFieldsLimit},
		{"one field more without a line end is not", "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:", ErrFieldsLimit},
		{"continuation lines are not fields", "A:\r\n 1\r\n 2\r\n 3\r\n 4\r\n\r\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, next := range []func() int{whole, one} {
				if _, _, err := split(t, limits, []byte(test.message), next); !errors.Is(err, test.want) {
					t.Errorf("error %v, want %v", err, test.want)
				}
			}
		})
	}
}

func TestALimitIsFinal(t *testing.T) {
	s := &Splitter{Limits: Limits{Field: 4}}
	_, _, first := s.Next([]byte("Subject: x"))
	_, _, again := s.Next([]byte("\r\n\r\n"))
	if _, _, ok := s.Header(); first != ErrFieldLimit || again != ErrFieldLimit || s.End() != ErrFieldLimit || ok {
		t.Errorf("errors %v, %v, %v; header complete: %t", first, again, s.End(), ok)
	}
}

func TestTheBodyOfAMessageWithCRLFIsNotCopied(t *testing.T) {
	var s Splitter
	message := []byte("A: 1\r\n\r\nbody")
	_, rest, _ := s.Next(message)
	body, _, _ := s.Next(rest)
	if &body[0] != &message[8] {
		t.Error("the body was copied")
	}
}

func TestAUnixFileIsConvertedInBoundedPieces(t *testing.T) {
	for name, message := range map[string]string{
		"lines":   "A: 1\n\n" + strings.Repeat("0123456\n", 100_000),
		"LFs":     "A: 1\n\n" + strings.Repeat("\n", 100_000),
		"no line": "A: 1\n\n" + strings.Repeat("x", 1<<20),
	} {
		want := strings.ReplaceAll(message[6:], "\n", "\r\n")
		_, body, err := split(t, Limits{}, []byte(message), whole)
		if err != nil || body != want {
			t.Errorf("%s: the body differs (%d octets, want %d), error %v", name, len(body), len(want), err)
		}
	}
}

func FuzzSplitter(f *testing.F) {
	for _, s := range []string{"A: 1\r\n\r\nbody", "A: 1\n\nbody\n", "A\r\r\n\n\r\n", " \r\n\t\r\n", "\n\r\n\r\n", "\r\nA: 1\r\n\r\nbody", "A: 1\n\r\n\r\nbody", "A: 1\r\n\r\n\r\n\r\nbody", "A:\r\nB:\r\nC:\r\nD:\r\nE: 890123456789"} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, message []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		for _, limits := range []Limits{{}, {Block: 30, Field: 12, Fields: 3}} {
			block, body, err := split(t, limits, message, whole)
			for _, next := range []func() int{one, func() int { return 1 + random.IntN(9) }} {
				block2, body2, err2 := split(t, limits, message, next)
				if block != block2 || body != body2 || err != err2 {
					t.Fatalf("chunks matter:\n%q, %q, %v\n%q, %q, %v", block, body, err, block2, body2, err2)
				}
			}
			if first, _, _ := bytes.Cut(message, []byte("\n")); err == nil && (len(first) == len(message) || bytes.HasSuffix(first, crlf[:1])) {
				if joined := block + "\r\n" + body; string(message) != joined && string(message) != block {
					t.Fatalf("%q was taken as %q", message, joined)
				}
			}
		}
	})
}
