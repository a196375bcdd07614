package dkim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

// explained fails unless a result that is no pass has a cause and a reason in JSON, and the
// sentence that a reader sees is want.
func explained(t *testing.T, r *Result, cause, want string) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Cause, Reason string }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Cause != cause || got.Reason != want {
		t.Errorf("cause %q, reason %q,\nwant  %q,        %q", got.Cause, got.Reason, cause, want)
	}
}

func TestTheReasonSaysWhatIsWrongWithASignature(t *testing.T) {
	field := func(replaced ...string) string {
		return strings.NewReplacer(replaced...).Replace("v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from:subject; bh={bh}; b={b}")
	}
	for _, tt := range []struct{ field, cause, reason string }{
		{"hello", "syntax", `the field is not a list of tags: tag has no "="`},
		{field("v=1", "1=v"), "syntax", "the field is not a list of tags: tag name is not a letter followed by letters, digits and underscores"},
		{field("s=s1", "s=s\x01"), "syntax", "the field is not a list of tags: tag value has a control character"},
		{field("v=1;", "v=1;;"), "syntax", "the field is not a list of tags: empty tag"},
		{field("v=1", "v=1; d=a.example"), "duplicate-tag", "a tag stands more than once: d="},
		{field("v=1", "v=1; xy=1; xy=1"), "duplicate-tag", "a tag stands more than once: xy="},
		{field("v=1;", ""), "version", "the version (v=) is missing or is not 1"},
		{field("v=1", "v=0"), "version", "the version (v=) is missing or is not 1"},
		{field("v=1", "v="), "version", "the version (v=) is missing or is not 1"},
		{field("a=ed25519-sha256;", ""), "tag-missing", "a required tag is missing: a="},
		{field("b={b}", ""), "tag-missing", "a required tag is missing: b="},
		{field("bh={bh};", ""), "tag-missing", "a required tag is missing: bh="},
		{field("d=example.com;", ""), "tag-missing", "a required tag is missing: d="},
		{field("h=from:subject;", ""), "tag-missing", "a required tag is missing: h="},
		{field("s=s1;", ""), "tag-missing", "a required tag is missing: s="},
		{field("a=ed25519-sha256", "a=ed25519_sha256"), "tag-malformed", "a tag does not follow its grammar: a="},
		{field("a=ed25519-sha256", "a="), "tag-malformed", "a tag does not follow its grammar: a="},
		{field("a=ed25519-sha256", "a=é"), "tag-malformed", "a tag does not follow its grammar: a="},
		{field("{b}", "?"), "tag-malformed", "a tag does not follow its grammar: b="},
		{field("{bh}", "{bh}A"), "tag-malformed", "a tag does not follow its grammar: bh="},
		{field("{bh}", "AAAA"), "tag-malformed", "a tag does not follow its grammar: bh="},
		{field("d=example.com", "d=com"), "tag-malformed", "a tag does not follow its grammar: d=: domain name has one label only"},
		{field("d=example.com", "d=example.com."), "tag-malformed", "a tag does not follow its grammar: d=: domain name has an empty label"},
		{field("d=example.com", "d="), "tag-malformed", "a tag does not follow its grammar: d=: empty domain name"},
		{field("s=s1", "s=a b"), "tag-malformed", "a tag does not follow its grammar: s=: domain name has an octet other than a letter, digit, hyphen, underscore or dot"},
		{field("s=s1", "s="+strings.Repeat("a.", 120)+"a"), "tag-malformed", "a tag does not follow its grammar: s= and d= together: domain name has more than 253 octets"},
		{field("from:subject", "from::subject"), "tag-malformed", "a tag does not follow its grammar: h="},
		{field("v=1", "v=1; i=joe"), "tag-malformed", "a tag does not follow its grammar: i="},
		{field("v=1", "v=1; i=joe@a..example.com"), "tag-malformed", "a tag does not follow its grammar: i=: domain name has an empty label"},
		{field("v=1", "v=1; i=@.example.com"), "tag-malformed", "a tag does not follow its grammar: i=: domain name has an empty label"},
		{field("v=1", "v=1; i=@example.com."), "tag-malformed", "a tag does not follow its grammar: i=: domain name has an empty label"},
		{field("v=1", "v=1; l=-1"), "tag-malformed", "a tag does not follow its grammar: l="},
		{field("v=1", "v=1; l="), "tag-malformed", "a tag does not follow its grammar: l="},
		{field("v=1", "v=1; t=1.5"), "tag-malformed", "a tag does not follow its grammar: t="},
		{field("v=1", "v=1; x="), "tag-malformed", "a tag does not follow its grammar: x="},
		{field("ed25519-sha256", "ED448-x"), "algorithm", "the algorithm (a=) is not supported: ed448-x"},
		{field("ed25519-sha256", "rsa-sha1"), "rsa-sha1", "rsa-sha1 is no longer valid (RFC 8301)"},
		{field("relaxed/relaxed", "relaxed/nofws"), "canonicalization", "the canonicalization (c=) is not supported"},
		{field("relaxed/relaxed", "nofws/relaxed"), "canonicalization", "the canonicalization (c=) is not supported"},
		{field("relaxed/relaxed", "relaxed/"), "canonicalization", "the canonicalization (c=) is not supported"},
		{field("v=1", "v=1; q=dns/a:x"), "query", "none of the query methods (q=) is supported"},
		{field("v=1", "v=1; i=@example.org"), "identity", "the AUID (i=) is not within the SDID (d=)"},
		{field("v=1", "v=1; i=@xexample.com"), "identity", "the AUID (i=) is not within the SDID (d=)"},
		{field("v=1", "v=1; i=@com.example"), "identity", "the AUID (i=) is not within the SDID (d=)"},
		{field("from:subject", "subject:xfrom"), "from-not-signed", "the From field is not signed"},
		{field("v=1", "v=1; t=9; x=9"), "expiry-before-time", "the expiry (x=) is not after the time of signing (t=)"},
		{field("v=1", "v=1; x=9"), "expired", "the signature has expired (x=): 1970-01-01T00:00:09Z"},
		{field("v=1", "v=1; t=1780315501"), "future", "the signature is from the future (t=): 2026-06-01T12:05:01Z"},
		{field("v=1", "v=1; l=99"), "body-length", "the body is shorter than the signature says (l=): 21 octets of 99"},
		{field("v=1", "v=1; l=9"), "body-unsigned", "octets of the body are not signed (l=): 12 octets"},
		{field("{bh}", strings.Repeat("A", 43)), "body-hash-mismatch", "the body was changed: its hash does not match"},
		{field("{b}", "AAAA"), "signature-mismatch", "the signature does not match"},
		// A fault of the first tag does not hide that others can be read.
		{field("v=1", "v=2; a=x"), "duplicate-tag", "a tag stands more than once: a="},
	} {
		r := verifyOne(t, &Verifier{}, sig{template: tt.field}.sign(testMessage))
		explained(t, r, tt.cause, tt.reason)
		if r.Status == StatusPass {
			t.Errorf("%s passes", tt.field)
		}
	}
	changed := "Subject: new\r\n" + sig{h: "from:subject"}.sign(testMessage)
	explained(t, verifyOne(t, &Verifier{}, changed), "field-added", "a field stands in the header once more than was signed: Subject")
	required := Verifier{Options: Options{Policy: Policy{RequiredFields: []string{"To", "X-None"}}}}
	explained(t, verifyOne(t, &required, sig{h: "from:TO"}.sign(testMessage)), "field-not-signed", "a field that has to be signed is not: X-None")
}

func TestTheReasonSaysWhichLimitWasReached(t *testing.T) {
	one := sig{}.sign(testMessage)
	for reason, limits := range map[string]Limits{
		"octets in a DKIM-Signature field": {SignatureOctets: 100},
		"names in h=":                      {SignedNames: 4},
		"octets in b=":                     {ValueOctets: 63},
		"octets in a key record":           {KeyOctets: 40},
	} {
		explained(t, verifyOne(t, &Verifier{Options: Options{Limits: limits}}, one), "limit", "a limit was reached: "+reason)
	}
	// One more would have done.
	for _, limits := range []Limits{{SignatureOctets: 277}, {SignedNames: 5}, {ValueOctets: 64}, {KeyOctets: 67}, {KeyRecords: 1}, {Signatures: 1}, {Results: 1}, {BodyHashes: 1}} {
		if r := verifyOne(t, &Verifier{Options: Options{Limits: limits}}, one); r.Status != StatusPass {
			t.Errorf("%+v: %v", limits, r)
		}
	}
	two := sig{extra: "l=1;"}.sign(one)
	for reason, limits := range map[string]Limits{"signatures verified": {Signatures: 1}, "hashes over the body": {BodyHashes: 1}} {
		results := verify(t, &Verifier{Options: Options{Limits: limits}}, two)
		n := slices.IndexFunc(results, func(r *Result) bool { return errors.Is(r.Err, ErrLimit) })
		if n < 0 {
			t.Fatalf("%s: no limit was reached", reason)
		}
		explained(t, results[n], "limit", "a limit was reached: "+reason)
	}
	results := verify(t, &Verifier{Options: Options{Limits: Limits{Results: 1, Signatures: 1}}}, two)
	explained(t, results[len(results)-1], "limit", "a limit was reached: 1 more signatures were not verified")
}

func TestTheReasonSaysWhatIsWrongWithAKey(t *testing.T) {
	p := data(recordOf(ed()))
	for _, tt := range []struct{ record, cause, reason string }{
		{"k=ed25519; k=ed25519; p=" + p, "key-malformed", "the key record is malformed: a tag stands more than once: k="},
		{"hello", "key-malformed", "the key record is malformed: it is not a list of tags"},
		{"v=DKIM2; k=ed25519; p=" + p, "key-malformed", "the key record is malformed: v= is not DKIM1"},
		{"k=ed25519; v=DKIM1; p=" + p, "key-malformed", "the key record is malformed: v= is not first"},
		{"k=ed25519", "key-malformed", "the key record is malformed: p= is missing"},
		{"k=ed25519; p=?", "key-malformed", "the key record is malformed: p= is not base64"},
		{"k=ed25519; p=AAAA", "key-malformed", "the key record is malformed: an Ed25519 key has 32 octets"},
		{"k=rsa; p=AAAA", "key-malformed", "the key record is malformed: p= is not an RSA key"},
		{"k=rsa; p=" + base64.StdEncoding.EncodeToString(ed25519PKIX(t)), "key-malformed", "the key record is malformed: k= is rsa, but p= holds a key of another type"},
		{"k=ed25519; p=", "key-revoked", "the key is revoked"},
		{"k=dsa; p=" + p, "key-type", "the key's type (k=) is not the one of the algorithm: unknown type"},
		{recordOf(rsa1024()), "key-type", "the key's type (k=) is not the one of the algorithm"},
		{"h=sha1; k=ed25519; p=" + p, "key-hash", "the key does not allow the hash (h=)"},
		{"s=tlsrpt; k=ed25519; p=" + p, "key-service", "the key is not for email (s=)"},
		{"t=s; k=ed25519; p=" + p, "key-strict", "the key demands that the AUID's domain is the SDID (t=s)"},
		{"k=ed25519; p=" + strings.Repeat("A", 43), "key-unsafe", "anyone can sign for the key: Ed25519 point of small order"},
	} {
		v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{tt.record}}}}
		r := verifyOne(t, &v, sig{extra: "i=@sub.example.com;"}.sign(testMessage))
		explained(t, r, tt.cause, tt.reason)
		if r.Status != StatusPermError || r.HeaderVerified {
			t.Errorf("%q: %v", tt.record, r)
		}
	}
	small := Verifier{Options: Options{Policy: Policy{MinRSABits: 1025}}}
	explained(t, verifyOne(t, &small, sig{key: rsa1024(), s: "rsa1024"}.sign(testMessage)), "key-too-small", "the key is too small: 1024 bits")
	large := Verifier{Options: Options{Policy: Policy{MaxRSABits: 2047}}}
	explained(t, verifyOne(t, &large, sig{key: rsa2048(), s: "rsa"}.sign(testMessage)), "key-too-large", "the key is too large: 2048 bits")
	testing := Verifier{Options: Options{Policy: Policy{RefuseTesting: true}},
		Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{"t=y; k=ed25519; p=" + p}}}}
	explained(t, verifyOne(t, &testing, sig{}.sign(testMessage)), "key-testing", "the key is in testing mode (t=y)")
	none := Verifier{Resolver: resolver.Zone{}}
	explained(t, verifyOne(t, &none, sig{}.sign(testMessage)), "key-missing", "there is no key: s1._domainkey.example.com TXT: no such domain name")
	failing := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {Fault: resolver.Fault{Err: resolver.ErrServFail}}}}
	explained(t, verifyOne(t, &failing, sig{}.sign(testMessage)), "dns", "the key could not be had from DNS: s1._domainkey.example.com TXT: the server failed (SERVFAIL)")
}

// Of several keys that do not verify, which one the result shows does not depend on the
// order of the answer.
func TestTheKeyThatComesClosestIsShown(t *testing.T) {
	p := data(recordOf(ed()))
	other := "k=ed25519; p=" + base64.StdEncoding.EncodeToString(slices.Repeat([]byte{9}, 32))
	for _, tt := range []struct {
		records []string
		want    int // which record
		status  Status
	}{
		{[]string{"text", "k=ed25519; p="}, 1, StatusPermError},
		{[]string{"h=sha1; k=ed25519; p=" + p, "a=b"}, 0, StatusPermError},
		{[]string{"k=ed25519; p=", other}, 1, StatusFail},
		{[]string{other, "s=tlsrpt; k=ed25519; p=" + p}, 0, StatusFail},
		{[]string{other, "n=good; k=ed25519; p=" + p}, 1, StatusPass},
		{[]string{"zz=1", "v=DKIM1"}, 1, StatusPermError},                             // the first in the order of their text
		{[]string{"n=b; k=ed25519; p=" + p, "n=a; k=ed25519; p=" + p}, 1, StatusPass}, // likewise
		{[]string{"k=ed25519; p=", "k=dsa; p=AAAA"}, 1, StatusPermError},              // likewise
	} {
		want := tt.records[tt.want]
		for range 2 {
			v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: slices.Clone(tt.records)}}}
			if r := verifyOne(t, &v, sig{}.sign(testMessage)); r.Key == nil || r.Key.Record != want || r.Status != tt.status {
				t.Errorf("%q: key %+v, %v", tt.records, r.Key, r)
			}
			slices.Reverse(tt.records)
		}
	}
	// A small RSA key comes closer than one of another type, and not as close as one that fits.
	records := []string{recordOf(rsa1024()), "k=ed25519; p=" + p, recordOf(rsa2048())}
	for n, want := range []string{recordOf(rsa1024()), recordOf(rsa2048())} {
		v := Verifier{Options: Options{Policy: Policy{MinRSABits: 2048}}, Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: records[:2+n]}}}
		r := verifyOne(t, &v, sig{key: rsa1024()}.sign(testMessage))
		if r.Key.Record != want || fmt.Sprint(r.Status) != []string{"policy", "fail"}[n] {
			t.Errorf("%v with key %.30s", r, r.Key.Record)
		}
	}
}
