package dkim

import (
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

// roundTrip checks that a result survives JSON.
func roundTrip(t *testing.T, r *Result) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Errorf("the result has no JSON: %v", err)
		return
	}
	var back Result
	if err := json.Unmarshal(text, &back); err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	if (back.Err == nil) != (r.Err == nil) || r.Err != nil && (back.Err.Error() != r.Err.Error() || causes.Code(back.Err) != causes.Code(r.Err)) {
		t.Errorf("error %v came back as %v", r.Err, back.Err)
	}
	same := *r
	same.Err, back.Err = nil, nil
	if !reflect.DeepEqual(&same, &back) {
		t.Errorf("%+v came back as %+v", same, back)
	}
}

func TestAResultInJSON(t *testing.T) {
	var v Verifier
	r := verifyOne(t, &v, strings.Replace(sig{}.sign(testMessage), "hello", "goodbye", 1))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"status":"fail"`, `"domain":"example.com"`, `"cause":"body-hash-mismatch"`, `"reason":"the body was changed: its hash does not match"`,
		`"header_verified":true`, `"header_canonicalization":"relaxed"`, `"key_bits":256`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %s", text, want)
		}
	}
	roundTrip(t, r)
}

func TestAResultByValueIsThatByPointerInJSON(t *testing.T) {
	r := verifyOne(t, &Verifier{}, strings.Replace(sig{}.sign(testMessage), "hello", "goodbye", 1))
	pointer, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(struct{ Result Result }{*r})
	if err != nil || string(value) != `{"Result":`+string(pointer)+`}` || !strings.Contains(string(value), `"cause":"body-hash-mismatch"`) {
		t.Errorf("%s, %v, want %s", value, err, pointer)
	}
}

func TestAResultIsOneLineForALog(t *testing.T) {
	good := verifyOne(t, &Verifier{}, sig{key: rsa1024(), s: "rsa1024"}.sign(testMessage))
	changed := verifyOne(t, &Verifier{}, strings.Replace(sig{}.sign(testMessage), "hello", "goodbye", 1))
	broken := verifyOne(t, &Verifier{}, "DKIM-Signature: x\r\n"+testMessage)
	for _, tt := range []struct {
		r         Result
		line, log string
	}{
		{*good, "pass for example.com (rsa1024, rsa-sha256, 1024 bits)",
			"r.status=pass r.domain=example.com r.selector=rsa1024 r.algorithm=rsa-sha256 r.key_bits=1024 r.warnings=[short-key]"},
		{*changed, "fail for example.com (s1, ed25519-sha256, 256 bits): the body was changed: its hash does not match",
			`r.status=fail r.domain=example.com r.selector=s1 r.algorithm=ed25519-sha256 r.cause=body-hash-mismatch r.reason="the body was changed: its hash does not match" r.key_bits=256`},
		{*broken, "permerror: the field is not a list of tags: tag has no \"=\"",
			`r.status=permerror r.cause=syntax r.reason="the field is not a list of tags: tag has no \"=\""`},
		{Result{}, "none", "r.status=none"},
		{Result{Domain: "a\nb", Selector: "\x1b", Err: errors.New("\u202e")}, `none for a\nb (\x1b): \u202e`, `r.status=none r.domain=a\nb r.selector=\x1b r.reason=\u202e`},
	} {
		if got := tt.r.String(); got != tt.line {
			t.Errorf("got  %s\nwant %s", got, tt.line)
		}
		var b strings.Builder
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "r", tt.r)
		if _, got, _ := strings.Cut(b.String(), "msg=x "); strings.ReplaceAll(strings.TrimSpace(got), `\\`, `\`) != strings.ReplaceAll(tt.log, `\\`, `\`) {
			t.Errorf("got  %s\nwant %s", got, tt.log)
		}
	}
}

func TestEveryErrorHasACodeOfItsOwn(t *testing.T) {
	words := map[string]bool{}
	for _, c := range causes {
		if words[c.Word] || causes.Code(c.Err) != c.Word {
			t.Errorf("code %q is not of %v alone", c.Word, c.Err)
		}
		words[c.Word] = true
	}
}

func TestStatusAndCanonicalizationAreWords(t *testing.T) {
	for s := StatusNone; s <= StatusPermError; s++ {
		text, err := s.MarshalText()
		var back Status
		if err != nil || back.UnmarshalText(text) != nil || back != s || string(text) != s.String() {
			t.Errorf("%v: %q, %v", s, text, err)
		}
	}
	for _, c := range []Canonicalization{Simple, Relaxed} {
		text, err := c.MarshalText()
		var back Canonicalization
		if err != nil || back.UnmarshalText(text) != nil || back != c || string(text) != c.String() {
			t.Errorf("%v: %q, %v", c, text, err)
		}
	}
}
