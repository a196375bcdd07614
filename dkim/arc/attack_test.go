package arc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

const letter = "From: a@bank.example\r\nTo: l@lists.example\r\nSubject: Hello\r\n\r\nHello.\r\n"

var sealerNames = []string{"one.example", "two.example", "three.example"}

// keysOf returns a zone with the keys of sealers.
func keysOf(t testing.TB, names ...string) resolver.Zone {
	zone := make(resolver.Zone)
	for _, name := range names {
		text, err := signing.Record(signing.Ed25519(name).Public())
		if err != nil {
			t.Fatal(err)
		}
		zone["arc._domainkey."+name] = resolver.Records{TXT: []string{text}}
	}
	return zone
}

// add adds a set to a message.
func add(t testing.TB, message string, s signing.Seal) string {
	t.Helper()
	s.Key = signing.Ed25519(s.Domain)
	if s.Results == "" {
		s.Results = s.Domain + "; dmarc=pass header.from=bank.example"
	}
	text, err := s.Add(message)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// chainOf returns a message that sealers sealed one after the other.
func chainOf(t testing.TB, names ...string) string {
	message := letter
	for _, name := range names {
		message = add(t, message, signing.Seal{Domain: name})
	}
	return message
}

func verify(t testing.TB, v *arc.Verifier, message string) *arc.Result {
	t.Helper()
	r, err := v.Verify(context.Background(), strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAChainOfThreePasses(t *testing.T) {
	r := verify(t, &arc.Verifier{Resolver: keysOf(t, sealerNames...)}, chainOf(t, sealerNames...))
	if r.Status != arc.StatusPass || r.OldestPass != 0 || !slices.Equal(r.Sealers(), sealerNames) {
		t.Fatalf("%s, oldest pass %d", r, r.OldestPass)
	}
	for n, s := range r.Sets {
		want := sealerNames[n] + "; dmarc=pass header.from=bank.example"
		if s.Instance != n+1 || s.AuthenticationResults != want || s.Seal.Status != arc.StatusPass || s.Signature.Status != arc.StatusPass || s.Seal.KeyBits != 256 {
			t.Errorf("set %d: %+v", n, s)
		}
	}
}

func TestTheOldestPassIsWhereTheMessageWasChangedLast(t *testing.T) {
	message := chainOf(t, "one.example", "two.example")
	message = strings.Replace(message, "Hello.\r\n", "Hello.\r\n-- \r\nA list\r\n", 1)
	r := verify(t, &arc.Verifier{Resolver: keysOf(t, sealerNames...)}, add(t, message, signing.Seal{Domain: "three.example"}))
	if r.Status != arc.StatusPass || r.OldestPass != 3 || r.Sets[1].Signature.Status != arc.StatusFail || r.Sets[0].Signature.Status != arc.StatusNone {
		t.Errorf("%s, oldest pass %d, %s, %s", r, r.OldestPass, r.Sets[1].Signature, r.Sets[0].Signature)
	}
}

// fieldsOf returns the lines of a header, and the rest.
func fieldsOf(message string) (lines []string, rest string) {
	block, body, _ := strings.Cut(message, "\r\n\r\n")
	return strings.Split(block, "\r\n"), "\r\n\r\n" + body
}

// edited returns a message of which the header was changed line by line; "" leaves a line out.
func edited(message string, edit func(line string) string) string {
	lines, rest := fieldsOf(message)
	var kept []string
	for _, line := range lines {
		if line = edit(line); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\r\n") + rest
}

func TestABrokenChainFailsAndSaysWhy(t *testing.T) {
	good := chainOf(t, "one.example", "two.example")
	without := func(prefix string) string {
		return edited(good, func(line string) string {
			if strings.HasPrefix(line, prefix) {
				return ""
			}
			return line
		})
	}
	replaced := func(prefix, old, new string) string {
		return edited(good, func(line string) string {
			if strings.HasPrefix(line, prefix) {
				return strings.Replace(line, old, new, 1)
			}
			return line
		})
	}
	doubled := func(prefix string) string {
		return edited(good, func(line string) string {
			if strings.HasPrefix(line, prefix) {
				return line + "\r\n" + line
			}
			return line
		})
	}
	for _, tt := range []struct {
		name, message string
		want          error
	}{
		{"a seal is missing", without("ARC-Seal: i=1"), arc.ErrSets},
		{"a message signature is missing", without("ARC-Message-Signature: i=2"), arc.ErrSets},
		{"results are missing", without("ARC-Authentication-Results: i=1"), arc.ErrSets},
		{"the first set is missing", edited(good, func(l string) string {
			if strings.Contains(l, " i=1;") {
				return ""
			}
			return l
		}), arc.ErrSets},
		{"a seal stands twice", doubled("ARC-Seal: i=2"), arc.ErrSets},
		{"results stand twice", doubled("ARC-Authentication-Results: i=1"), arc.ErrSets},
		{"an instance of 0", replaced("ARC-Seal: i=2", "i=2", "i=0"), arc.ErrInstance},
		{"an instance with a zero before it", replaced("ARC-Seal: i=2", "i=2", "i=02"), arc.ErrInstance},
		{"an instance of 51", replaced("ARC-Seal: i=2", "i=2", "i=51"), arc.ErrLimit},
		{"an instance that is none", replaced("ARC-Authentication-Results: i=2", "i=2", "i=two"), arc.ErrInstance},
		{"the first seal says pass", add(t, letter, signing.Seal{Domain: "one.example", CV: "pass"}), arc.ErrChain},
		{"the second seal says none", add(t, chainOf(t, "one.example"), signing.Seal{Domain: "two.example", CV: "none"}), arc.ErrChain},
		{"a sealer says fail", add(t, chainOf(t, "one.example"), signing.Seal{Domain: "two.example", CV: "fail"}), arc.ErrSealedFail},
		{"a sealer says what cannot be said", add(t, chainOf(t, "one.example"), signing.Seal{Domain: "two.example", CV: "maybe"}), arc.ErrTagMalformed},
		{"results were changed after sealing", replaced("ARC-Authentication-Results: i=1", "dmarc=pass", "dmarc=fail"), arc.ErrSignatureMismatch},
		{"the sets changed places", edited(good, func(l string) string {
			return strings.NewReplacer(" i=1;", " i=2;", " i=2;", " i=1;").Replace(l)
		}), arc.ErrChain},
		{"another body", strings.Replace(good, "Hello.", "Pay me.", 1), arc.ErrBodyHashMismatch},
		{"another Subject", strings.Replace(good, "Subject: Hello", "Subject: Pay", 1), arc.ErrSignatureMismatch},
		{"the message signature is over a seal", add(t, letter, signing.Seal{Domain: "one.example", Header: "from:arc-seal"}), arc.ErrSealSigned},
		{"h= in a seal", add(t, letter, signing.Seal{Domain: "one.example", Tags: "h=from;"}), arc.ErrTagForbidden},
		{"a tag stands twice", add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=1; t=1;"}), arc.ErrSyntax},
		{"a time in the future", add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=99999999999;"}), arc.ErrFuture},
		{"an expired signature", add(t, letter, signing.Seal{Domain: "one.example", Tags: "x=1;"}), arc.ErrExpired},
		{"a signature of part of the body", add(t, letter, signing.Seal{Domain: "one.example", Tags: "l=3;"}), arc.ErrBodyHashMismatch},
		{"rsa-sha1", replaced("ARC-Seal: i=2", "ed25519-sha256", "rsa-sha1"), arc.ErrAlgorithm},
		{"a sealer without a key", chainOf(t, "one.example", "nobody.example"), arc.ErrKeyMissing},
		{"a domain of one label", replaced("ARC-Seal: i=2", "d=two.example", "d=example"), arc.ErrTagMalformed},
		{"a field of over 10 KiB", replaced("ARC-Authentication-Results: i=2", "; ", "; "+strings.Repeat("x", 10<<10)), arc.ErrLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := verify(t, &arc.Verifier{Resolver: keysOf(t, sealerNames...)}, tt.message)
			if r.Status != arc.StatusFail || !errors.Is(r.Err, tt.want) {
				t.Errorf("%s, want a fail with %q", r, tt.want)
			}
		})
	}
}

// A DNS failure is temperror, unless something else has failed for certain.
func TestADNSFailureLeavesTheChainOpen(t *testing.T) {
	zone := keysOf(t, sealerNames...)
	zone["arc._domainkey.one.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	good := chainOf(t, "one.example", "two.example")
	if r := verify(t, &arc.Verifier{Resolver: zone}, good); r.Status != arc.StatusTempError || !errors.Is(r.Err, arc.ErrDNS) {
		t.Errorf("%s, want temperror", r)
	}
	if r := verify(t, &arc.Verifier{Resolver: zone}, strings.Replace(good, "Hello.", "Pay.", 1)); r.Status != arc.StatusFail {
		t.Errorf("%s, want a fail", r)
	}
}

// Fifty sets with a key of their own each cost a bounded number of questions.
func TestManyKeysAreALimit(t *testing.T) {
	message := letter
	zone := make(resolver.Zone)
	var names []string
	for n := range 50 {
		names = append(names, fmt.Sprintf("s%d.example", n))
		message = add(t, message, signing.Seal{Domain: names[n]})
	}
	zone.Add(keysOf(t, names...))
	asked := 0
	counting := resolver.Wrap(zone, func(context.Context, resolver.Question, resolver.Answer, error) { asked++ })
	if r := verify(t, &arc.Verifier{Resolver: counting}, message); r.Status != arc.StatusFail || !errors.Is(r.Err, arc.ErrLimit) || asked > 0 {
		t.Errorf("%s after %d questions", r, asked)
	}
	if r := verify(t, &arc.Verifier{Resolver: counting, Options: arc.Options{Keys: -1}}, message); r.Status != arc.StatusPass || asked != 50 {
		t.Errorf("without the limit: %s after %d questions", r, asked)
	}
	message = add(t, message, signing.Seal{Domain: "one.example"})
	if r := verify(t, &arc.Verifier{Resolver: counting, Options: arc.Options{Keys: -1}}, message); !errors.Is(r.Err, arc.ErrLimit) {
		t.Errorf("51 sets: %s", r)
	}
}

func TestAMessageThatIsCutShortLeavesTheChainOpen(t *testing.T) {
	v := arc.Verifier{Resolver: keysOf(t, sealerNames...)}
	broken := io.MultiReader(strings.NewReader(chainOf(t, "one.example")), failing{})
	r, err := v.Verify(context.Background(), broken)
	if err == nil || r.Status != arc.StatusTempError || !errors.Is(r.Err, arc.ErrInterrupted) {
		t.Errorf("%v, %s", err, r)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

func FuzzChain(f *testing.F) {
	f.Add(chainOf(f, "one.example", "two.example"))
	f.Add("ARC-Seal: i=1\r\nARC-Authentication-Results: i=1;\r\n\r\n")
	f.Add("ARC-Message-Signature: i=1; h=:::; l=0; c=/;\r\nARC-Seal: i=99;\r\n\r\n")
	v := &arc.Verifier{Resolver: keysOf(f, sealerNames...), Options: arc.Options{Now: func() time.Time { return time.Unix(1, 0) }}}
	whole := chainOf(f, "one.example", "two.example")
	f.Fuzz(func(t *testing.T, message string) {
		r, err := v.Verify(context.Background(), strings.NewReader(message))
		if err != nil {
			return
		}
		if (r.Err == nil) != (r.Status == arc.StatusNone || r.Status == arc.StatusPass) {
			t.Fatalf("%s with error %v", r.Status, r.Err)
		}
		// A chain that passes was sealed by us, over this body.
		if r.Status == arc.StatusPass && !strings.Contains(strings.ToLower(message), "hello.") && message != whole {
			t.Fatalf("%s: %q", r, message)
		}
		if len(r.Sets) > 50 {
			t.Fatalf("%d sets", len(r.Sets))
		}
	})
}
