package dkim_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

// unsigned is a DKIM-Signature with all tags, which no key fits.
func unsigned(c, name, selector, extra string) string {
	return "DKIM-Signature: v=1; a=rsa-sha256; c=" + c + "; d=" + name + "; s=" + selector + "; h=from;" + extra +
		" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
}

// A tally counts the questions for keys, which do not exist.
type tally struct{ asked atomic.Int64 }

func (n *tally) Resolve(_ context.Context, q resolver.Question) (resolver.Answer, error) {
	n.asked.Add(1)
	return resolver.Answer{}, &resolver.Error{Question: q, Err: resolver.ErrNXDomain}
}

// endless reads as its text without end, and allocates nothing.
type endless struct {
	chunk string
	at    int
}

func (r *endless) Read(p []byte) (int, error) {
	n := copy(p, r.chunk[r.at:])
	r.at = (r.at + n) % len(r.chunk)
	return n, nil
}

func body(text string, octets int64) io.Reader {
	return io.LimitReader(&endless{chunk: strings.Repeat(text, 32<<10/len(text))}, octets)
}

func allocations(t *testing.T, limits dkim.Limits, fields string, rest func() io.Reader) float64 {
	t.Helper()
	v := &dkim.Verifier{Resolver: &tally{}, Options: dkim.Options{Limits: limits}}
	return testing.AllocsPerRun(2, func() {
		if _, err := v.Verify(t.Context(), io.MultiReader(strings.NewReader(fields+"From: a@shop.example\r\n\r\n"), rest())); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMemoryDoesNotGrowWithTheBody(t *testing.T) {
	v := &dkim.Verifier{Resolver: &tally{}}
	for _, text := range []string{"a", "\r\n", " ", "words and \t words \r\n\r\n"} {
		for _, c := range []string{"simple/simple", "relaxed/relaxed"} {
			fields := unsigned(c, "shop.example", "s", "") + "From: a@shop.example\r\n\r\n"
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := v.Verify(t.Context(), io.MultiReader(strings.NewReader(fields), body(text, 4<<20))); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if octets := after.TotalAlloc - before.TotalAlloc; octets > 512<<10 {
				t.Errorf("%q, %s: %d KB for a body of 4 MB", text, c, octets>>10)
			}
		}
	}
}

// The body is hashed at most four times, and each key asked for once, whatever there is to
// be signed.
func TestWorkDoesNotGrowWithTheSignatures(t *testing.T) {
	for _, tt := range []struct {
		name      string
		signature func(n int) string
		hashed    int // signatures for which the body was hashed
		asked     int64
	}{
		{"of one key", func(int) string { return unsigned("relaxed/relaxed", "shop.example", "s", "") }, 10, 1},
		{"of different keys", func(n int) string { return unsigned("relaxed/relaxed", "shop.example", fmt.Sprint("s", n), "") }, 10, 10},
		{"of different strangers", func(n int) string { return unsigned("relaxed/relaxed", fmt.Sprintf("d%d.example", n), "s", "") }, 10, 10},
		{"of different lengths", func(n int) string { return unsigned("simple", "shop.example", "s", fmt.Sprintf(" l=%d;", n)) }, 4, 1},
		{"of different lengths and keys", func(n int) string {
			return unsigned("simple", "shop.example", fmt.Sprint("s", n), fmt.Sprintf(" l=%d;", n))
		}, 4, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var message strings.Builder
			for n := range 800 {
				message.WriteString(tt.signature(n))
			}
			message.WriteString("From: a@shop.example\r\n\r\n" + strings.Repeat("words\r\n", 1000))
			count := &tally{}
			results, err := (&dkim.Verifier{Resolver: count}).Verify(t.Context(), strings.NewReader(message.String()))
			if err != nil {
				t.Fatal(err)
			}
			hashed := 0
			for _, r := range results {
				if r.BodyHash != nil {
					hashed++
				}
				if r.Status == dkim.StatusPass || r.Err == nil {
					t.Errorf("%s (%v)", r.Status, r.Err)
				}
			}
			if hashed > tt.hashed || count.asked.Load() > tt.asked {
				t.Errorf("%d signatures came to the body and %d questions were asked, want at most %d and %d", hashed, count.asked.Load(), tt.hashed, tt.asked)
			}
			if last := results[len(results)-1]; !errors.Is(last.Err, dkim.ErrLimit) || !strings.Contains(last.Err.Error(), "79") {
				t.Errorf("the last result is %s (%v), want how many signatures over the limit it stands for", last.Status, last.Err)
			}
		})
	}
}

func TestAllocationsGrowWithTheHeaderAndNotWithItsSquare(t *testing.T) {
	none := func() io.Reader { return strings.NewReader("") }
	limits := dkim.Limits{HeaderFields: 1 << 20, HeaderOctets: 1 << 30, FieldOctets: 1 << 30, SignatureOctets: 1 << 30, SignedNames: 1 << 20}
	for _, tt := range []struct {
		name   string
		fields func(n int) string
	}{
		{"names in h=", func(n int) string {
			return strings.Replace(unsigned("relaxed/relaxed", "shop.example", "s", ""), "h=from", "h=from"+strings.Repeat(":x", n), 1)
		}},
		{"different names in h=, over as many fields", func(n int) string {
			var names, fields strings.Builder
			for i := range n {
				fmt.Fprintf(&names, ":x%d", i)
				fmt.Fprintf(&fields, "x%d: 1\r\n", i)
			}
			return strings.Replace(unsigned("relaxed/relaxed", "shop.example", "s", ""), "h=from", "h=from"+names.String(), 1) + fields.String()
		}},
		{"fields of one name", func(n int) string {
			return unsigned("relaxed/relaxed", "shop.example", "s", "") + strings.Repeat("X: 1\r\n", n)
		}},
		{"folded lines", func(n int) string {
			return strings.Replace(unsigned("relaxed/relaxed", "shop.example", "s", ""), "h=from", "h=from:x", 1) + "X: 1" + strings.Repeat("\r\n 2", n) + "\r\n"
		}},
		{"tags", func(n int) string {
			var tags strings.Builder
			for i := range n {
				fmt.Fprintf(&tags, " x%d=1;", i)
			}
			return unsigned("relaxed/relaxed", "shop.example", "s", tags.String())
		}},
		{"signatures", func(n int) string { return strings.Repeat(unsigned("relaxed/relaxed", "shop.example", "s", ""), n) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			few, many := allocations(t, limits, tt.fields(200), none), allocations(t, limits, tt.fields(1600), none)
			t.Logf("%v allocations for 200, %v for 1600", few, many)
			if many > 12*few {
				t.Errorf("%v allocations for 1600, %v for 200: more than linear", many, few)
			}
		})
	}
}

func TestAllocationsOfAMessage(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector makes allocations of its own")
	}
	const name = "test._domainkey.example.com"
	for _, tt := range []struct {
		what string
		key  crypto.Signer
		most float64
	}{
		{"one Ed25519 signature", signing.Ed25519("a"), 11},
		{"one RSA signature", signing.RSA(2048), 20},
	} {
		record, err := signing.Record(tt.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		message, err := signing.Signature{Key: tt.key}.Sign("From: a@example.com\r\nTo: b@example.net\r\nX: 1\r\nSubject: c\r\n\r\nbody\r\n")
		if err != nil {
			t.Fatal(err)
		}
		v := dkim.Verifier{Resolver: resolver.Zone{name: {TXT: []string{record}}}}
		got := testing.AllocsPerRun(100, func() {
			results, err := v.Verify(t.Context(), strings.NewReader(message))
			if err != nil || results[0].Status != dkim.StatusPass {
				t.Fatal(results, err)
			}
		})
		if got > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", tt.what, got, tt.most)
		}
	}
}
