package dkim

import (
	"errors"
	"fmt"

	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/tagvalue"
	"github.com/mailverdict/mailverdict/resolver"
)

// What a signature says: each case is a field that no library would write.
func TestSignatureField(t *testing.T) {
	const rest = "s=s1; h=from:to:subject:date:content-type; bh={bh}; b={b}"
	const good = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest
	tests := []struct {
		name     string
		template string
		status   Status
		err      error
	}{
		{"tags stand in any order, v= included",
			"b={b}; bh={bh}; s=s1; d=example.com; c=relaxed/relaxed; a=ed25519-sha256; h=from:to:subject:date:content-type; v=1", StatusPass, nil},
		{"a final semicolon is no tag", good + ";", StatusPass, nil},
		{"unknown tags are ignored", "v=1; r=y; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; x_1=2; " + rest, StatusPass, nil},
		{"a tag that stands twice spoils the field", "v=1; d=example.com; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrDuplicateTag},
		{"an unknown tag that stands twice spoils it too", "r=1; r=1; " + good, StatusPermError, ErrDuplicateTag},
		{"tag names have case, so that B= is not b=", "B=1; " + good, StatusPass, nil},
		{"a tag without an equals sign spoils the field", good + "; hello", StatusPermError, ErrSyntax},
		{"an empty tag in the middle spoils the field", "v=1;; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrSyntax},

		{"v= is required", "a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrVersion},
		{"v= other than 1 is not supported", "v=2; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrVersion},
		{"v= is compared as a string", "v=01; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrVersion},
		{"a= is required", "v=1; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrTagMissing},
		{"a= has no case", "v=1; a=ED25519-Sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"c= has no case", "v=1; a=ed25519-sha256; c=Relaxed/RELAXED; d=example.com; " + rest, StatusPass, nil},
		{"an unknown algorithm is not supported", "v=1; a=ed448-shake256; d=example.com; " + rest, StatusPermError, ErrAlgorithm},
		{"rsa-sha1 is never valid", "v=1; a=rsa-sha1; d=example.com; " + rest, StatusPermError, ErrSHA1},
		{"an unknown canonicalization is not supported", "v=1; a=ed25519-sha256; c=nofws; d=example.com; " + rest, StatusPermError, ErrCanonicalization},
		{"b= is required", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh={bh}", StatusPermError, ErrTagMissing},
		{"b= may not be empty", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh={bh}; b=", StatusPermError, ErrTagMalformed},
		{"b= has to be base64", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh={bh}; b=!!!!", StatusPermError, ErrTagMalformed},
		{"bh= is required", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; b={b}", StatusPermError, ErrTagMissing},
		{"bh= has to be as long as the hash", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh=AAAA; b={b}", StatusPermError, ErrTagMalformed},
		{"d= is required", "v=1; a=ed25519-sha256; " + rest, StatusPermError, ErrTagMissing},
		{"d= has two labels or more (RFC 6376, section 3.5)", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=com; " + rest, StatusPermError, ErrTagMalformed},
		{"d= has no empty label", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example..com; " + rest, StatusPermError, ErrTagMalformed},
		{"d= has no trailing dot", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com.; " + rest, StatusPermError, ErrTagMalformed},
		{"d= has no parenthesis", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=victim.example(.example.com; " + rest, StatusPermError, ErrTagMalformed},
		{"d= has no case", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=EXAMPLE.com; " + rest, StatusPass, nil},
		{"s= is required", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; h=from; bh={bh}; b={b}", StatusPermError, ErrTagMissing},
		{"s= has no white space", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s 1; h=from; bh={bh}; b={b}", StatusPermError, ErrTagMalformed},
		{"s= has no NUL", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1.\x00.x; h=from; bh={bh}; b={b}", StatusPermError, ErrSyntax},
		{"s= and d= are too long together", "v=1; a=ed25519-sha256; d=" + strings.Repeat("a.", 120) + "com; s=s1234567890; h=from; bh={bh}; b={b}", StatusPermError, ErrTagMalformed},
		{"h= is required", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; bh={bh}; b={b}", StatusPermError, ErrTagMissing},
		{"h= may not be empty", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=; bh={bh}; b={b}", StatusPermError, ErrTagMalformed},
		{"h= may not have an empty name", "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from::to; bh={bh}; b={b}", StatusPermError, ErrTagMalformed},
		{"h= may have white space around its colons",
			"v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from : to\r\n :\tsubject:date:content-type; bh={bh}; b={b}", StatusPass, nil},
		{"From has to be signed", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=to:subject; bh={bh}; b={b}", StatusPermError, ErrFromNotSigned},

		{"i= may be the SDID", "v=1; i=@example.com; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"i= may be below the SDID", "v=1; i=a@b.example.com; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"i= is compared without case", "v=1; i=a@EXAMPLE.Com; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"the domain of i= is quoted-printable", "v=1; i=a@example=2Ecom; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"i= is compared by labels", "v=1; i=@notexample.com; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrIdentity},
		{"i= may not name another domain", "v=1; i=a@victim.example; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrIdentity},
		{"i= may not be above the SDID", "v=1; i=a@example.com; a=ed25519-sha256; d=b.example.com; " + rest, StatusPermError, ErrIdentity},
		{"i= has to have an at sign", "v=1; i=example.com; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrTagMalformed},
		{"an at sign that is encoded does not end the local part",
			"v=1; i=a=40victim.example@example.com; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},

		{"q= may list methods that nobody knows", "v=1; q=http/x : dns/txt; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"q= has to list dns/txt", "v=1; q=dns; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrQuery},

		{"l= has to be a number", "v=1; l=-1; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrTagMalformed},
		{"l= of 77 digits is malformed", "v=1; l=" + strings.Repeat("0", 77) + "; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrTagMalformed},
		{"l= of 76 digits is larger than any body",
			"v=1; l=" + strings.Repeat("9", 76) + "; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPermError, ErrBodyLength},

		{"t= has to be a number", "v=1; t=now; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrTagMalformed},
		{"x= has to be a number", "v=1; x=1e9; a=ed25519-sha256; d=example.com; " + rest, StatusPermError, ErrTagMalformed},

		{"b= in z= is not the signature", "v=1; z=b=AAAA|x:b= y; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"b= in i= is not the signature", "v=1; i=b=@example.com; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"a tag that ends in b is not the signature", "v=1; fb=AAAA; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; " + rest, StatusPass, nil},
		{"b= may have white space before its equals sign",
			"v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from:to:subject:date:content-type; bh={bh}; b = {b}", StatusPass, nil},
		{"b= may be folded before its equals sign",
			"v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from:to:subject:date:content-type; bh={bh}; b\r\n =\r\n\t{b}\r\n ", StatusPass, nil},
		{"b= may hold nothing but base64, in which a control character is none", good + "\x01", StatusPermError, ErrTagMalformed},
		{"b= may stand first", "b={b}; v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from:to:subject:date:content-type; bh={bh}", StatusPass, nil},
		{"b= may stand in the middle", "v=1; a=ed25519-sha256; b= {b} ; c=relaxed/relaxed; d=example.com; s=s1; h=from:to:subject:date:content-type; bh={bh}", StatusPass, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := "from:to:subject:date:content-type"
			message := sig{template: test.template, h: h}.sign(testMessage)
			var v Verifier
			got := verifyOne(t, &v, message)
			if got.Status != test.status || !errors.Is(got.Err, test.err) || (got.Err == nil) != (test.err == nil) {
				t.Errorf("%v (%v), want %v (%v)", got.Status, got.Err, test.status, test.err)
			}
			if strings.HasPrefix(test.template, "b=") || strings.Contains(test.template, "b = {b}") {
				simple := strings.Replace(test.template, "c=relaxed/relaxed", "c=simple/simple", 1)
				if got := verifyOne(t, &v, sig{template: simple, c: "simple/simple"}.sign(testMessage)); got.Status != StatusPass {
					t.Errorf("with simple: %v (%v)", got.Status, got.Err)
				}
			}
		})
	}
}

func TestEveryTagIsInTheResult(t *testing.T) {
	var v Verifier
	got := verifyOne(t, &v, sig{c: "relaxed/simple", h: "From:to:Subject:subject",
		extra: "i=al=69ce@mail.Example.com; q=dns/txt; t=1780315000; x=1780315300; z=Subject:Hello; "}.sign(testMessage))
	s := got.Signature
	want := &Signature{
		Version: "1", Algorithm: "ed25519-sha256", Value: s.Value, BodyHash: s.BodyHash,
		HeaderCanonicalization: Relaxed, BodyCanonicalization: Simple,
		Domain: "example.com", Header: []string{"From", "to", "Subject", "subject"},
		AUID: "al=69ce@mail.example.com", Query: []string{"dns/txt"}, Selector: "s1",
		Time: time.Unix(1780315000, 0).UTC(), Expires: time.Unix(1780315300, 0).UTC(), CopiedHeader: "Subject:Hello",
	}
	if got.Status != StatusPass || !reflect.DeepEqual(s, want) {
		t.Errorf("%v (%v)\n%+v, want\n%+v", got.Status, got.Err, s, want)
	}
	if got.Domain != "example.com" || got.Selector != "s1" || got.Algorithm != "ed25519-sha256" || len(s.Value) != 64 || len(s.BodyHash) != 32 {
		t.Errorf("result %+v", got)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	var v Verifier
	s := verifyOne(t, &v, sig{c: "simple/simple",
		template: "v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh={bh}; b={b}", h: "from"}.sign(testMessage)).Signature
	if s.HeaderCanonicalization != Simple || s.BodyCanonicalization != Simple || s.AUID != "@example.com" ||
		fmt.Sprint(s.Query) != "[dns/txt]" || s.BodyLength != nil || !s.Time.IsZero() || !s.Expires.IsZero() {
		t.Errorf("%+v", s)
	}
	// "c=relaxed" says nothing of the body, which is simple then.
	s = verifyOne(t, &v, sig{c: "relaxed/simple",
		template: "v=1; a=ed25519-sha256; c=relaxed; d=example.com; s=s1; h=from; bh={bh}; b={b}", h: "from"}.sign(testMessage)).Signature
	if s.HeaderCanonicalization != Relaxed || s.BodyCanonicalization != Simple {
		t.Errorf("%+v", s)
	}
}

func TestABrokenSignatureIsStillNamed(t *testing.T) {
	var v Verifier
	got := verifyOne(t, &v, "DKIM-Signature: d=Example.COM; s=s1; a=RSA-sha256; hello\r\n"+testMessage)
	if got.Domain != "example.com" || got.Selector != "s1" || got.Algorithm != "rsa-sha256" || got.Signature != nil {
		t.Errorf("%+v", got)
	}
}

func TestULabelsAreAskedForAsALabels(t *testing.T) {
	v := Verifier{Resolver: resolver.Zone{"xn--grn-ioa._domainkey.xn--bcher-kva.example": {TXT: []string{recordOf(ed())}}}}
	got := verifyOne(t, &v, sig{d: "bücher.example", s: "grün", extra: "i=jürgen@post.bücher.example; "}.sign(testMessage))
	if got.Status != StatusPass || got.Domain != "xn--bcher-kva.example" || got.Selector != "xn--grn-ioa" ||
		got.Signature.AUID != "jürgen@post.xn--bcher-kva.example" {
		t.Errorf("%v (%v): %+v", got.Status, got.Err, got.Signature)
	}
}

func TestTime(t *testing.T) {
	now := testNow.Unix()
	at := func(tag string, offset int64) string { return fmt.Sprintf("%s=%d; ", tag, now+offset) }
	tests := []struct {
		name, extra string
		status      Status
		err         error
	}{
		{"x= in the past", at("x", -1), StatusPermError, ErrExpired},
		{"x= that is now is not past", at("x", 0), StatusPass, nil},
		{"x= in the future", at("x", 1), StatusPass, nil},
		{"x= that is not after t=", at("t", -5) + at("x", -5), StatusPermError, ErrExpiryBeforeTime},
		{"t= in the past", at("t", -1), StatusPass, nil},
		{"t= of zero", "t=0; ", StatusPass, nil},
		{"t= within the skew", at("t", 300), StatusPass, nil},
		{"t= beyond the skew", at("t", 301), StatusPermError, ErrFuture},
		{"x= of twelve digits", "x=999999999999; ", StatusPass, nil},
		{"x= of more digits than any number has is never", "x=" + strings.Repeat("9", 40) + "; ", StatusPass, nil},
		{"t= of twelve digits is the future", "t=999999999999; ", StatusPermError, ErrFuture},
		{"t= of more digits than any number has is the future", "t=" + strings.Repeat("9", 40) + "; ", StatusPermError, ErrFuture},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var v Verifier
			got := verifyOne(t, &v, sig{extra: test.extra}.sign(testMessage))
			if got.Status != test.status || !errors.Is(got.Err, test.err) {
				t.Errorf("%v (%v), want %v (%v)", got.Status, got.Err, test.status, test.err)
			}
			if test.err != ErrExpiryBeforeTime && !got.HeaderVerified {
				t.Error("the signature itself is good, and the result does not say so")
			}
			roundTrip(t, got)
		})
	}
	t.Run("the skews are policy", func(t *testing.T) {
		v := Verifier{Options: Options{Policy: Policy{ClockSkew: -1, ExpirySkew: time.Minute}}}
		if got := verifyOne(t, &v, sig{extra: at("t", 1)}.sign(testMessage)); !errors.Is(got.Err, ErrFuture) {
			t.Errorf("a second in the future, no skew: %v", got.Err)
		}
		if got := verifyOne(t, &v, sig{extra: at("x", -60)}.sign(testMessage)); got.Status != StatusPass {
			t.Errorf("a minute late, a minute of skew: %v", got.Err)
		}
	})
}

func FuzzSignature(f *testing.F) {
	for _, s := range []string{
		"v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=AAAA", "", ";", "=", "i=@;d=a.b", "l=" + strings.Repeat("9", 76),
		"t=999999999999999999999; x=1", "b=\r\n A=\t=;bh==", "d=\xff.example", "h=a:b:\u212a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s Signature
		start, end, _ := tagvalue.Find([]byte(text), "b")
		if parseSignature(text[:start]+text[end:], []byte(text[start:end]), &Limits{}, &s) != nil {
			return
		}
		if s.Domain == "" || s.Selector == "" || len(s.Value) == 0 || len(s.BodyHash) != 32 || len(s.Header) == 0 || s.Version != "1" {
			t.Fatalf("accepted without a required tag: %+v", s)
		}
		if s.BodyLength != nil && *s.BodyLength < 0 || s.Time.Year() > 9999 || s.Expires.Year() > 9999 {
			t.Fatalf("numbers out of range: %+v", s)
		}
	})
}
