package dkim

import (
	"encoding/json"
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
