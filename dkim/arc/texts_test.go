package arc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/internal/signing"
)

func TestAnErrorSaysInWhichSetAndWhat(t *testing.T) {
	long := strings.Repeat("a", 60)
	for _, tt := range []struct{ message, want string }{
		{chainOf(t, "one.example", "nobody.example"), "fail, sealed by one.example, nobody.example: i=2: there is no key: arc._domainkey.nobody.example TXT: no such domain name"},
		{"ARC-Seal: i=1; cv=none\r\n\r\n", "fail: the sets are not numbered from 1 without a gap, or one of them is not complete: a field with i=1 is missing"},
		{add(t, letter, signing.Seal{Domain: "one.example", CV: "pass"}), "fail, sealed by one.example: i=1: a seal says otherwise than the chain: cv= is none in the first set, and pass in every other"},
		{add(t, letter, signing.Seal{Domain: "one.example", CV: "fail"}), "fail, sealed by one.example: a sealer says that the chain failed before it (cv=fail)"},
		{add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=1; t=1;"}), "fail, sealed by one.example: i=1: the field is not a list of tags: a tag stands more than once: t="},
		{add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=now;"}), "fail, sealed by one.example: i=1: a tag does not follow its grammar: t="},
		{add(t, letter, signing.Seal{Domain: "one.example", Tags: "x=soon;"}), "fail, sealed by one.example: i=1: a tag does not follow its grammar: x="},
		{add(t, letter, signing.Seal{Domain: "one.example", Tags: "l=-1;"}), "fail, sealed by one.example: i=1: a tag does not follow its grammar: l="},
		{add(t, letter, signing.Seal{Domain: "one.example", Header: "from:a b"}), "fail, sealed by one.example: i=1: a tag does not follow its grammar: h="},
		{add(t, letter, signing.Seal{Domain: "one.example", Header: strings.Repeat("x:", 256) + "from"}), "fail, sealed by one.example: i=1: a limit was reached: names in h="},
		{add(t, letter, signing.Seal{Domain: "one.example", Selector: strings.TrimSuffix(strings.Repeat(long+".", 4), ".")}), "fail, sealed by one.example: i=1: a tag does not follow its grammar: s= and d= together"},
		{add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=99999999999;"}), "fail, sealed by one.example: i=1: the signature is from the future (t=)"},
		{add(t, letter, signing.Seal{Domain: "one.example", Tags: "x=1;"}), "fail, sealed by one.example: i=1: the signature has expired (x=)"},
		{strings.Replace(chainOf(t, "one.example"), "ed25519-sha256", "rsa-md5", 1), "fail, sealed by one.example: i=1: the algorithm (a=) is not supported"},
		{strings.Replace(chainOf(t, "one.example"), " d=one.example;", "", 1), "fail, sealed by : i=1: a required tag is missing: d="},
		{strings.Replace(chainOf(t, "one.example"), "Results: i=1;", "Results: i:1;", 1), "fail: an instance number (i=) is missing or is not from 1 to 50"},
		{strings.Replace(chainOf(t, "one.example", "two.example"), "Hello.", "Pay.", 1), "fail, sealed by one.example, two.example: i=2: the body was changed: its hash does not match"},
	} {
		r := verify(t, &arc.Verifier{Resolver: keysOf(t, sealerNames...)}, tt.message)
		if got := r.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestAResultInJSONHasTheseKeys(t *testing.T) {
	r := verify(t, &arc.Verifier{Resolver: keysOf(t, "one.example")}, add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=1000;"}))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	signature := `{"status":"pass","domain":"one.example","selector":"arc","algorithm":"ed25519-sha256","t":"1970-01-01T00:16:40Z","key_bits":256}`
	want := `{"status":"pass","sets":[{"instance":1,"authentication_results":"one.example; dmarc=pass header.from=bank.example",` +
		`"signature":` + signature + `,"seal":` + signature + `,"cv":"none"}],"oldest_pass":0}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for word, failed := range map[string]error{
		"instance": arc.ErrInstance, "sets": arc.ErrSets, "chain": arc.ErrChain, "sealed-fail": arc.ErrSealedFail, "syntax": arc.ErrSyntax,
		"tag-missing": arc.ErrTagMissing, "tag-malformed": arc.ErrTagMalformed, "tag-forbidden": arc.ErrTagForbidden, "algorithm": arc.ErrAlgorithm,
		"seal-signed": arc.ErrSealSigned, "future": arc.ErrFuture, "expired": arc.ErrExpired, "body-hash-mismatch": arc.ErrBodyHashMismatch,
		"body-unsigned": arc.ErrBodyUnsigned, "interrupted": arc.ErrInterrupted, "dns": arc.ErrDNS, "limit": arc.ErrLimit,
	} {
		text, err := json.Marshal(arc.Result{Status: arc.StatusFail, Err: failed})
		if err != nil || !strings.Contains(string(text), `"cause":"`+word+`"`) {
			t.Errorf("%v: %v, %s", failed, err, text)
		}
	}
}

func TestAResultIsOneLineAndALogGroup(t *testing.T) {
	r := arc.Result{Status: arc.StatusFail, Err: arc.ErrSets, Sets: []arc.Set{{Seal: arc.Signature{Domain: "a\n.example"}}}}
	if got := r.String(); got != `fail, sealed by a\n.example: `+arc.ErrSets.Error() {
		t.Error(got)
	}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("m", "arc", r)
	log.Info("m", "arc", arc.Result{Status: arc.StatusPass})
	want := `level=INFO msg=m arc.status=fail arc.sealers=a\n.example arc.cause=sets arc.reason="` + arc.ErrSets.Error() + "\"\nlevel=INFO msg=m arc.status=pass\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	s := arc.Signature{Status: arc.StatusFail, Domain: "a.example", Selector: "s", Err: arc.ErrFuture}
	if got := s.String(); got != "fail for a.example (s): the signature is from the future (t=)" {
		t.Error(got)
	}
	if got := (arc.Signature{Status: arc.StatusPass, Domain: "a.example", Selector: "s"}).String(); got != "pass for a.example (s)" {
		t.Error(got)
	}
}

// A time of very many digits is the last that JSON can hold.
func TestATimeBeyondAllTimesIsTheLast(t *testing.T) {
	r := verify(t, &arc.Verifier{Resolver: keysOf(t, "one.example")}, add(t, letter, signing.Seal{Domain: "one.example", Tags: "t=99999999999999999999;"}))
	if want := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC); !r.Sets[0].Seal.Time.Equal(want) {
		t.Errorf("%s, want %s", r.Sets[0].Seal.Time, want)
	}
}

// An l= that leaves octets unsigned is no pass, nor is one that is longer than the body.
func TestAMessageSignatureIsOverTheWholeBody(t *testing.T) {
	for tags, want := range map[string]error{"l=8;": nil, "l=9;": arc.ErrBodyHashMismatch, "l=99999999999999999999;": arc.ErrBodyHashMismatch} {
		r := verify(t, &arc.Verifier{Resolver: keysOf(t, "one.example")}, add(t, letter, signing.Seal{Domain: "one.example", Tags: tags}))
		if !errors.Is(r.Err, want) || want == nil && r.Status != arc.StatusPass {
			t.Errorf("%s: %s", tags, r)
		}
	}
}

func TestWhatEndsBeforeTheHeaderHasNoResult(t *testing.T) {
	var v arc.Verifier
	if r, err := v.Verify(context.Background(), io.MultiReader(strings.NewReader("ARC-Seal: i=1"), failing{})); r != nil || err == nil {
		t.Errorf("%v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := v.Verify(ctx, strings.NewReader(letter)); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", r, err)
	}
}

// A key that comes late is waited for.
func TestKeysAreWaitedFor(t *testing.T) {
	zone := keysOf(t, "one.example")
	slow := zone["arc._domainkey.one.example"]
	slow.Fault.Delay = 10 * time.Millisecond
	zone["arc._domainkey.one.example"] = slow
	synctest.Test(t, func(t *testing.T) {
		if r := verify(t, &arc.Verifier{Resolver: zone}, chainOf(t, "one.example")); r.Status != arc.StatusPass {
			t.Errorf("%s", r)
		}
	})
}
