package dkim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestAMessageWithoutSignaturesHasNoResults(t *testing.T) {
	var v Verifier
	for _, message := range []string{testMessage, "", "\r\n", "hello", "DomainKey-Signature: x\r\n" + testMessage} {
		if got := verify(t, &v, message); len(got) != 0 {
			t.Errorf("%q: %d results", message, len(got))
		}
	}
}

func TestBody(t *testing.T) {
	tests := []struct {
		name           string
		sig            sig
		body           string
		then           string // the body that arrives
		status         Status
		err            error
		signed, unsign int64
	}{
		{"an unchanged body", sig{}, "hello\r\n", "hello\r\n", StatusPass, nil, 7, 0},
		{"empty lines at the end do not count", sig{}, "hello\r\n", "hello\r\n\r\n\r\n", StatusPass, nil, 7, 0},
		{"an empty body, relaxed", sig{}, "", "", StatusPass, nil, 0, 0},
		{"an empty body, simple, is a line end", sig{c: "simple/simple"}, "", "", StatusPass, nil, 2, 0},
		{"a body without its last line end", sig{}, "hello\r\n", "hello", StatusPass, nil, 7, 0},
		{"a changed body", sig{}, "hello\r\n", "hallo\r\n", StatusFail, ErrBodyHashMismatch, 7, 0},
		{"white space, relaxed", sig{}, "a b\r\n", "a \t b \r\n", StatusPass, nil, 5, 0},
		{"white space, simple", sig{c: "relaxed/simple"}, "a b\r\n", "a  b\r\n", StatusFail, ErrBodyHashMismatch, 6, 0},
		{"l= of the whole body", sig{extra: "l=7;"}, "hello\r\n", "hello\r\n", StatusPass, nil, 7, 0},
		{"l= of less than the body", sig{extra: "l=5;"}, "hello\r\n", "hello\r\n", StatusPolicy, ErrBodyUnsigned, 5, 2},
		{"l= that cuts a line end", sig{extra: "l=6;"}, "hello\r\n", "hello\r\n", StatusPolicy, ErrBodyUnsigned, 6, 1},
		{"l= and text that was added", sig{extra: "l=7;"}, "hello\r\n", "hello\r\nbuy\r\n", StatusPolicy, ErrBodyUnsigned, 7, 5},
		{"l=0 signs nothing", sig{extra: "l=0;"}, "hello\r\n", "pay here\r\n", StatusPolicy, ErrBodyUnsigned, 0, 10},
		{"l=0 of an empty body", sig{extra: "l=0;"}, "", "", StatusPass, nil, 0, 0},
		{"l= of more than the body", sig{extra: "l=8;"}, "hello\r\n", "hello\r\n", StatusPermError, ErrBodyLength, 7, 0},
		{"l= that counts the octets of a last line without a line end", sig{extra: "l=5;"}, "hello", "hello", StatusPass, nil, 5, 0},
		{"l= of those octets, to which a relay adds a line end", sig{extra: "l=5;"}, "hello", "hello\r\n", StatusPolicy, ErrBodyUnsigned, 5, 2},
		{"l= of less than a last line without a line end", sig{extra: "l=4;"}, "hello", "hello", StatusPolicy, ErrBodyUnsigned, 4, 1},
		{"l=0 of an empty body, simple", sig{c: "simple/simple", extra: "l=0;"}, "", "", StatusPass, nil, 0, 0},
		{"l= counts canonical octets", sig{extra: "l=7;"}, "a  b\t c\r\n", "a  b\t c\r\n", StatusPass, nil, 7, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var v Verifier
			message := test.sig.sign(testHeader + "\r\n" + test.body)
			head, _, _ := strings.Cut(message, "\r\n\r\n")
			got := verifyOne(t, &v, head+"\r\n\r\n"+test.then)
			if got.Status != test.status || !errors.Is(got.Err, test.err) || got.BodySigned != test.signed || got.BodyUnsigned != test.unsign {
				t.Errorf("%v (%v), %d octets signed, %d not", got.Status, got.Err, got.BodySigned, got.BodyUnsigned)
			}
			if !got.HeaderVerified {
				t.Error("the header was not changed, and the result does not say so")
			}
			if slices.Equal(got.BodyHash, got.Signature.BodyHash) == (test.status == StatusFail) {
				t.Errorf("body hash %x, stated %x", got.BodyHash, got.Signature.BodyHash)
			}
			if unsigned := slices.Contains(got.Warnings, WarningBodyUnsigned); unsigned != (test.unsign > 0) {
				t.Errorf("warnings %v", got.Warnings)
			}
			allowing := Verifier{Options: Options{Policy: Policy{AllowUnsignedBody: true}}}
			if got := verifyOne(t, &allowing, head+"\r\n\r\n"+test.then); (got.Status == StatusPass) != (test.status == StatusPass || test.status == StatusPolicy) {
				t.Errorf("unsigned octets allowed: %v (%v)", got.Status, got.Err)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	insert := func(field string) func(string) string { return func(m string) string { return field + "\r\n" + m } }
	replace := func(old, by string) func(string) string {
		return func(m string) string { return strings.Replace(m, old, by, 1) }
	}
	tests := []struct {
		name   string
		s      sig
		change func(string) string
		status Status
		err    error
	}{
		{"a field that is not signed may change", sig{h: "from:to"}, replace("Subject: Hello", "Subject: Bye"), StatusPass, nil},
		{"a signed field may not", sig{}, replace("Subject: Hello", "Subject: Bye"), StatusFail, ErrSignatureMismatch},
		{"relaxed lets folding and white space change", sig{}, replace("Subject: Hello", "SUBJECT : \r\n\t Hello \t"), StatusPass, nil},
		{"simple does not", sig{c: "simple/simple"}, replace("Subject: Hello", "Subject:  Hello"), StatusFail, ErrSignatureMismatch},
		{"simple does not let the signature change either", sig{c: "simple/simple"}, replace("v=1; ", "v=1;  "), StatusFail, ErrSignatureMismatch},
		{"fields may be added that the message has not", sig{}, insert("X-New: 1"), StatusPass, nil},
		{"over-signing says that a field must not exist", sig{h: "from:cc:to:subject:date:content-type"}, insert("Cc: x@example.net"), StatusFail, ErrSignatureMismatch},
		{"over-signing says that a field must not exist twice", sig{h: "from:from:to:subject:date:content-type"}, insert("From: eve@example.com"), StatusFail, ErrSignatureMismatch},
		{"a second From was added", sig{}, insert("From: eve@example.com"), StatusPolicy, ErrFieldAdded},
		{"a second Subject was added", sig{}, insert("Subject: Act now"), StatusPolicy, ErrFieldAdded},
		{"a second Content-Type was added", sig{}, insert("content-type : text/html"), StatusPolicy, ErrFieldAdded},
		{"a second Subject, where none was signed", sig{h: "from:to:date:content-type"}, insert("Subject: Act now"), StatusPass, nil},
		{"KELVIN SIGN is not a k", sig{h: "from:x-key"}, insert("X-\u212aey: 1"), StatusPass, nil},
		{"names in h= have no case", sig{h: "FROM:tO:SUBJECT:date:content-TYPE"}, replace("To: bob", "To: eve"), StatusFail, ErrSignatureMismatch},
		{"DKIM-Signature in h= is another signature", sig{h: "from:dkim-signature"}, func(m string) string { return m }, StatusPass, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var v Verifier
			got := verifyOne(t, &v, test.change(test.s.sign(testMessage)))
			if got.Status != test.status || !errors.Is(got.Err, test.err) {
				t.Errorf("%v (%v), want %v (%v)", got.Status, got.Err, test.status, test.err)
			}
			if added := slices.Contains(got.Warnings, WarningFieldAdded); added != (test.err == ErrFieldAdded) {
				t.Errorf("warnings %v", got.Warnings)
			}
			allowing := Verifier{Options: Options{Policy: Policy{AllowAddedFields: true}}}
			if got := verifyOne(t, &allowing, test.change(test.s.sign(testMessage))); test.err == ErrFieldAdded && got.Status != StatusPass {
				t.Errorf("added fields allowed: %v (%v)", got.Status, got.Err)
			}
		})
	}
}

// What readers show or obey may not be added after signing; of other fields that a message
// may have once, honest relays add a second.
func TestFieldsAddedAfterSigning(t *testing.T) {
	for _, tt := range []struct {
		names   string
		status  Status
		err     error
		warning bool
	}{
		{"From Sender Reply-To To Cc Subject Date Content-Type Content-Transfer-Encoding Content-Disposition", StatusPolicy, ErrFieldAdded, true},
		{"Bcc Message-ID In-Reply-To References MIME-Version Content-ID Content-Description", StatusPass, nil, true},
		{"Received X-Other Comments List-Id", StatusPass, nil, false},
	} {
		for name := range strings.FieldsSeq(tt.names) {
			message := testMessage
			if !strings.Contains(message, name+":") {
				message = name + ": one\r\n" + message
			}
			names := "From:" + name
			if name == "From" {
				names = name
			}
			message = sig{h: names}.sign(message)
			got := verifyOne(t, &Verifier{}, strings.ToLower(name)+": two\r\n"+message)
			if got.Status != tt.status || !errors.Is(got.Err, tt.err) || slices.Contains(got.Warnings, WarningFieldAdded) != tt.warning {
				t.Errorf("%s: %v (%v), warnings %v", name, got.Status, got.Err, got.Warnings)
			}
			if tt.err != nil && !strings.HasSuffix(got.Err.Error(), ": "+strings.ToLower(name)) {
				t.Errorf("%s: the error does not name the field: %v", name, got.Err)
			}
			// A field that stands twice and is signed twice was not added.
			twice := sig{h: names + ":" + name}.sign(name + ": two\r\n" + message)
			if got := verify(t, &Verifier{}, twice)[0]; got.Status != StatusPass || slices.Contains(got.Warnings, WarningFieldAdded) {
				t.Errorf("%s, signed twice: %v (%v), warnings %v", name, got.Status, got.Err, got.Warnings)
			}
		}
	}
}

func TestRepeatedFieldsAreSignedFromTheBottom(t *testing.T) {
	const message = "Received: 3\r\nReceived: 2\r\nReceived: 1\r\n" + testMessage
	var v Verifier
	signed := sig{h: "from:received:received"}.sign(message)
	if got := verifyOne(t, &v, strings.Replace(signed, "Received: 3", "Received: x", 1)); got.Status != StatusPass {
		t.Errorf("the topmost changed: %v", got.Err)
	}
	for _, field := range []string{"Received: 2", "Received: 1"} {
		if got := verifyOne(t, &v, strings.Replace(signed, field, "Received: x", 1)); got.Status != StatusFail {
			t.Errorf("%s changed: %v", field, got.Status)
		}
	}
}

func TestTheCoverageIsInTheResult(t *testing.T) {
	var v Verifier
	got := verifyOne(t, &v, sig{h: "From:from:TO:cc:date:Cc"}.sign("X-A: 1\r\nX-A: 2\r\n"+testMessage))
	for _, list := range []struct {
		name      string
		got, want []string
	}{
		{"signed", got.Signed, []string{"From", "TO", "date"}},
		{"absent", got.Absent, []string{"cc", "Cc"}},
		{"over-signed", got.OverSigned, []string{"from"}},
		{"not signed", got.NotSigned, []string{"X-A", "X-A", "Subject", "Content-Type"}},
	} {
		if !slices.Equal(list.got, list.want) {
			t.Errorf("%s: %q, want %q", list.name, list.got, list.want)
		}
	}
	if fmt.Sprint(got.Warnings) != "[subject-not-signed content-type-not-signed]" {
		t.Errorf("warnings %v", got.Warnings)
	}
	roundTrip(t, got)
}

func TestPolicy(t *testing.T) {
	message := sig{h: "from:to:subject:date:content-type"}.sign(testMessage)
	v := Verifier{Options: Options{Policy: Policy{RequiredFields: []string{"Subject", "Reply-To"}}}}
	if got := verifyOne(t, &v, message); got.Status != StatusPolicy || !errors.Is(got.Err, ErrFieldNotSigned) {
		t.Errorf("Reply-To is required: %v (%v)", got.Status, got.Err)
	}
	v = Verifier{Options: Options{Policy: Policy{RequiredFields: []string{"Subject"}}}}
	if got := verifyOne(t, &v, message); got.Status != StatusPass {
		t.Errorf("Subject is required: %v (%v)", got.Status, got.Err)
	}
	zone := resolver.Zone{"s1._domainkey.example.com": {TXT: []string{"t=y; " + strings.TrimPrefix(recordOf(ed()), "v=DKIM1; ")}}}
	v = Verifier{Resolver: zone, Options: Options{Policy: Policy{RefuseTesting: true}}}
	if got := verifyOne(t, &v, message); got.Status != StatusPolicy || !errors.Is(got.Err, ErrKeyTesting) {
		t.Errorf("keys in testing mode are refused: %v (%v)", got.Status, got.Err)
	}
	// A failure in testing mode is a failure: RFC 6376, section 3.6.1.
	if got := verifyOne(t, &v, message+"x"); got.Status != StatusFail {
		t.Errorf("a changed body in testing mode: %v", got.Status)
	}
}

// split cuts p into chunks of up to most octets.
func split(random *rand.Rand, p []byte, most int) [][]byte {
	var chunks [][]byte
	for len(p) > 0 {
		n := min(len(p), 1+random.IntN(most))
		chunks = append(chunks, p[:n])
		p = p[n:]
	}
	return chunks
}

func TestWhereTheMessageIsCutMakesNoDifference(t *testing.T) {
	message := sig{key: rsa2048(), s: "rsa", c: "relaxed/simple"}.sign(sig{}.sign(testHeader + "\r\na  b \r\n\r\n \r\nc\r\n\r\n"))
	unix := strings.ReplaceAll(message, "\r\n", "\n")
	random := rand.New(rand.NewPCG(1, 1))
	v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
	for _, text := range []string{message, unix} {
		for _, most := range []int{1, 2, 7, 100, 1000} {
			for range 30 {
				w := v.Begin(context.Background())
				for _, chunk := range split(random, []byte(text), most) {
					if _, err := w.Write(chunk); err != nil {
						t.Fatal(err)
					}
				}
				results, err := w.Finish()
				if err != nil || len(results) != 2 || results[0].Status != StatusPass || results[1].Status != StatusPass {
					t.Fatalf("chunks up to %d: %v, %v", most, results, err)
				}
			}
		}
	}
}

func TestJunkOnTopDoesNotPushTheGoodSignatureOut(t *testing.T) {
	junk := strings.Repeat("DKIM-Signature: v=1; a=ed25519-sha256; d=junk.example; s=s1; h=from; bh="+strings.Repeat("A", 43)+"=; b=AAAA\r\n", 60)
	var asked atomic.Int32
	v := Verifier{Resolver: counting{testZone(), &asked}}
	results := verify(t, &v, junk+sig{}.sign(testMessage))
	if len(results) != 61 || results[60].Status != StatusPass {
		t.Fatalf("%d results, the last %v (%v)", len(results), results[len(results)-1].Status, results[len(results)-1].Err)
	}
	tried := 0
	for _, r := range results[:60] {
		if r.Status == StatusPass || r.Status == StatusPolicy && !errors.Is(r.Err, ErrLimit) {
			t.Errorf("junk is %v (%v)", r.Status, r.Err)
		}
		if r.Status != StatusPolicy {
			tried++
		}
	}
	if tried != 9 || asked.Load() != 2 {
		t.Errorf("%d pieces of junk verified, %d questions", tried, asked.Load())
	}
}

func TestAFloodOfSignaturesHasOneResultForTheRest(t *testing.T) {
	var flood strings.Builder
	for i := range 500 {
		fmt.Fprintf(&flood, "DKIM-Signature: v=1; a=ed25519-sha256; d=junk.example; s=s%d; h=from; bh=%s=; b=AAAA\r\n", i, strings.Repeat("A", 43))
	}
	var asked atomic.Int32
	v := Verifier{Resolver: counting{testZone(), &asked}}
	results := verify(t, &v, flood.String()+sig{}.sign(testMessage))
	if len(results) != 11 || results[9].Status != StatusPass || asked.Load() != 10 {
		t.Fatalf("%d results, %d questions", len(results), asked.Load())
	}
	if last := results[10]; !errors.Is(last.Err, ErrLimit) || !strings.Contains(last.Err.Error(), "491 more") {
		t.Errorf("the last result is %v (%v)", last.Status, last.Err)
	}
}

func TestJunkOfManyLengthsDoesNotPushTheGoodSignatureOut(t *testing.T) {
	junk := ""
	for i := range 8 {
		junk += fmt.Sprintf("DKIM-Signature: v=1; a=ed25519-sha256; d=junk.example; s=s1; h=from; l=%d; bh=%s=; b=AAAA\r\n", i, strings.Repeat("A", 43))
	}
	whole := verify(t, &Verifier{}, junk+sig{}.sign(testMessage))
	if last := whole[len(whole)-1]; last.Status != StatusPass {
		t.Errorf("over the whole body: %v (%v)", last.Status, last.Err)
	}
	v := Verifier{Options: Options{Policy: Policy{AllowUnsignedBody: true}}}
	part := verify(t, &v, junk+sig{extra: "l=9;"}.sign(testMessage))
	if last := part[len(part)-1]; last.Status != StatusPass {
		t.Errorf("over a part of it: %v (%v)", last.Status, last.Err)
	}
}

func TestLimitsBelowZeroAreNone(t *testing.T) {
	message := testMessage
	for i := range 12 {
		message = sig{extra: fmt.Sprintf("l=%d;", i), h: "from" + strings.Repeat(":x", 300)}.sign(message)
	}
	var asked atomic.Int32
	zone := testZone()
	zone["s1._domainkey.example.com"] = resolver.Records{TXT: append(slices.Repeat([]string{"a"}, 20), "n="+strings.Repeat("x", 9000)+";"+strings.TrimPrefix(recordOf(ed()), "v=DKIM1;"))}
	v := Verifier{Resolver: counting{zone, &asked}, Options: Options{Policy: Policy{AllowUnsignedBody: true}, Limits: Limits{
		HeaderOctets: -1, FieldOctets: -1, HeaderFields: -1,
		Signatures: -1, Results: -1, SignatureOctets: -1, SignedNames: -1, ValueOctets: -1, BodyHashes: -1, KeyOctets: -1, KeyRecords: -1,
	}}}
	results := verify(t, &v, strings.Repeat("X-Filler: x\r\n", 30_000)+message)
	if len(results) != 12 {
		t.Fatalf("%d results", len(results))
	}
	for i, r := range results {
		if r.Status != StatusPass {
			t.Errorf("signature %d: %v (%v)", i+1, r.Status, r.Err)
		}
	}
}

// What the header does not decide is open where the rest of the message is missing.
func checkInterrupted(t *testing.T, results []*Result, err, cause error) {
	t.Helper()
	if !errors.Is(err, cause) || len(results) != 2 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if r := results[0]; r.Status != StatusPermError || !errors.Is(r.Err, ErrVersion) {
		t.Errorf("a signature that the header refuses: %v (%v)", r.Status, r.Err)
	}
	if r := results[1]; r.Status != StatusTempError || !errors.Is(r.Err, ErrInterrupted) || !errors.Is(r.Err, cause) || r.HeaderVerified || r.Domain != "example.com" {
		t.Errorf("a good signature: %v (%v)", r.Status, r.Err)
	}
	roundTrip(t, results[1])
}

// unsound is a signature that is refused whatever else the message holds.
const unsound = "DKIM-Signature: v=2; a=ed25519-sha256; d=example.com; s=s1; h=from; bh=AAAA; b=AAAA\r\n"

func TestAMessageThatIsCutShortLeavesItsSignaturesOpen(t *testing.T) {
	message := unsound + sig{}.sign(testMessage)
	t.Run("by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		v := Verifier{Resolver: testZone()}
		s := v.Begin(ctx)
		if _, err := io.WriteString(s, message); err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := io.WriteString(s, "more"); !errors.Is(err, context.Canceled) {
			t.Errorf("writing on: %v, want that of the context", err)
		}
		results, err := s.Finish()
		checkInterrupted(t, results, err, context.Canceled)
		again, err := s.Finish()
		checkInterrupted(t, again, err, context.Canceled)
	})
	t.Run("by its reader", func(t *testing.T) {
		broken := errors.New("the connection broke")
		v := Verifier{Resolver: testZone()}
		results, err := v.Verify(context.Background(), io.MultiReader(strings.NewReader(message), iotest.ErrReader(broken)))
		checkInterrupted(t, results, err, broken)
	})
	t.Run("by a wrong call", func(t *testing.T) {
		v := Verifier{Resolver: testZone()}
		s := v.Begin(context.Background())
		io.WriteString(s, message)
		if err := s.WriteField("Subject", " x"); !errors.Is(err, ErrOrder) {
			t.Errorf("WriteField after Write: %v", err)
		}
		if _, err := s.Write([]byte("x")); !errors.Is(err, ErrOrder) {
			t.Errorf("Write after that: %v", err)
		}
		results, err := s.Finish()
		checkInterrupted(t, results, err, ErrOrder)
	})
	t.Run("within its header", func(t *testing.T) {
		broken := errors.New("the connection broke")
		v := Verifier{Resolver: testZone()}
		results, err := v.Verify(context.Background(), io.MultiReader(strings.NewReader(message[:len(message)-40]), iotest.ErrReader(broken)))
		if results != nil || !errors.Is(err, broken) {
			t.Errorf("%d results, %v", len(results), err)
		}
	})
}

// A context that ends when the message was read leaves open only what it ended.
func TestAContextThatEndsAfterTheMessageIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
	s := v.Begin(ctx)
	io.WriteString(s, sig{}.sign(testMessage))
	cancel()
	results, err := s.Finish()
	if err != nil || len(results) != 1 || results[0].Status != StatusPass {
		t.Errorf("%v, %v", results, err)
	}
}

func TestTheHashesOverTheBodyAreBounded(t *testing.T) {
	message := testMessage
	for i := range 6 {
		message = sig{extra: fmt.Sprintf("l=%d;", i)}.sign(message)
	}
	v := Verifier{Options: Options{Policy: Policy{AllowUnsignedBody: true}}}
	results := verify(t, &v, message)
	for i, r := range results {
		if want := i < 4; want != (r.Status == StatusPass) || want == errors.Is(r.Err, ErrLimit) {
			t.Errorf("signature %d: %v (%v)", i+1, r.Status, r.Err)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		limits Limits
		s      sig
	}{
		"octets in a DKIM-Signature": {Limits{SignatureOctets: 100}, sig{}},
		"names in h=":                {Limits{}, sig{h: "from" + strings.Repeat(":x", 256)}},
		"octets in b=":               {Limits{ValueOctets: 63}, sig{}},
	} {
		v := Verifier{Options: Options{Limits: test.limits}}
		if got := verifyOne(t, &v, test.s.sign(testMessage)); got.Status != StatusPermError || !errors.Is(got.Err, ErrLimit) {
			t.Errorf("%s: %v (%v)", name, got.Status, got.Err)
		}
	}
	for _, limits := range []Limits{{HeaderOctets: 100}, {FieldOctets: 100}, {HeaderFields: 5}} {
		v := Verifier{Resolver: testZone(), Options: Options{Limits: limits}}
		results, err := v.Verify(context.Background(), strings.NewReader(sig{}.sign(testMessage)))
		if !errors.Is(err, ErrLimit) || results != nil {
			t.Errorf("%+v: %v, %v", limits, results, err)
		}
	}
	var v Verifier
	_, err := v.Verify(context.Background(), strings.NewReader(strings.Repeat("x", 1<<20)))
	if !errors.Is(err, header.ErrFieldLimit) {
		t.Errorf("a megabyte without a line end: %v", err)
	}
}

// counting counts the questions.
type counting struct {
	resolver.Resolver
	asked *atomic.Int32
}

func (c counting) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	c.asked.Add(1)
	return c.Resolver.Resolve(ctx, q)
}

func TestKeysAreAskedForOnceEachAndAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := resolver.Zone{}
		message := testMessage
		for i := range 5 {
			name := fmt.Sprintf("s%d", i)
			zone[name+"._domainkey.example.com"] = resolver.Records{TXT: []string{recordOf(ed())}, Fault: resolver.Fault{Delay: time.Second}}
			message = sig{s: name}.sign(sig{s: name, c: "simple/simple"}.sign(message))
		}
		var asked atomic.Int32
		v := Verifier{Resolver: counting{zone, &asked}, Options: Options{Now: func() time.Time { return testNow }}}
		start := time.Now()
		for _, r := range verify(t, &v, message) {
			if r.Status != StatusPass {
				t.Errorf("%v (%v)", r.Status, r.Err)
			}
		}
		if took := time.Since(start); took != time.Second || asked.Load() != 5 {
			t.Errorf("took %v and %d questions", took, asked.Load())
		}
	})
}

func TestKeysAreAskedForWhileTheBodyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := testZone()
		records := zone["s1._domainkey.example.com"]
		records.Fault.Delay = 3 * time.Second
		zone["s1._domainkey.example.com"] = records
		v := Verifier{Resolver: zone, Options: Options{Now: func() time.Time { return testNow }}}
		start := time.Now()
		w := v.Begin(context.Background())
		head, body, _ := strings.Cut(sig{}.sign(testMessage), "\r\n\r\n")
		io.WriteString(w, head+"\r\n")
		io.WriteString(w, "\r\n")
		time.Sleep(3 * time.Second) // the body is long in coming
		io.WriteString(w, body)
		results, err := w.Finish()
		if err != nil || results[0].Status != StatusPass || time.Since(start) != 3*time.Second {
			t.Errorf("%v, %v after %v", results[0].Status, err, time.Since(start))
		}
	})
}

func TestNothingIsLeftRunning(t *testing.T) {
	zone := resolver.Zone{"s1._domainkey.example.com": {TXT: []string{recordOf(ed())}, Fault: resolver.Fault{Delay: time.Hour}}}
	message := sig{}.sign(testMessage)
	broken := errors.New("the connection broke")
	// In the bubble, a goroutine that is left behind fails the test.
	t.Run("after a reader that fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			v := Verifier{Resolver: zone}
			results, err := v.Verify(context.Background(), io.MultiReader(strings.NewReader(message), iotest.ErrReader(broken)))
			if !errors.Is(err, broken) || len(results) != 1 || results[0].Status != StatusTempError || time.Since(start) != 0 {
				t.Errorf("%v, %v after %v", results, err, time.Since(start))
			}
		})
	})
	t.Run("after a context that is cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			v := Verifier{Resolver: zone, Options: Options{Now: func() time.Time { return testNow }}}
			results, err := v.Verify(ctx, strings.NewReader(message))
			if err != nil || len(results) != 1 || results[0].Status != StatusTempError || !errors.Is(results[0].Err, ErrDNS) || time.Since(start) != time.Minute {
				t.Errorf("%v, %v after %v", results, err, time.Since(start))
			}
		})
	})
	t.Run("after a header that exceeds a limit", func(t *testing.T) {
		before := runtime.NumGoroutine()
		v := Verifier{Resolver: zone, Options: Options{Limits: Limits{HeaderFields: 1}}}
		if _, err := v.Verify(context.Background(), strings.NewReader(message)); !errors.Is(err, ErrLimit) {
			t.Errorf("error %v", err)
		}
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("%d goroutines, %d before", after, before)
		}
	})
	t.Run("after Close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			v := Verifier{Resolver: zone}
			s := v.Begin(context.Background())
			io.WriteString(s, message)
			if err := s.Close(); err != nil || time.Since(start) != 0 {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if results, err := s.Finish(); results != nil || !errors.Is(err, ErrClosed) {
				t.Errorf("Finish after Close: %v, %v", results, err)
			}
			if _, err := s.Write([]byte("x")); !errors.Is(err, ErrClosed) {
				t.Errorf("Write after Close: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close after Close: %v", err)
			}
		})
	})
	t.Run("after a reader that panics", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := Verifier{Resolver: zone}
			defer func() {
				if p := recover(); p != "broken" {
					t.Errorf("panic %v", p)
				}
			}()
			v.Verify(context.Background(), io.MultiReader(strings.NewReader(message), readerFunc(func([]byte) (int, error) { panic("broken") })))
		})
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestFinishAgainReturnsTheSame(t *testing.T) {
	v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
	s := v.Begin(context.Background())
	defer s.Close()
	io.WriteString(s, sig{}.sign(testMessage))
	results, err := s.Finish()
	if err != nil || len(results) != 1 || results[0].Status != StatusPass {
		t.Fatalf("%v, %v", results, err)
	}
	if _, err := s.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("Write after Finish: %v", err)
	}
	for _, err := range []error{s.WriteField("a", "b"), s.EndHeader()} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("a field after Finish: %v", err)
		}
	}
	s.Close()
	again, err := s.Finish()
	if err != nil || len(again) != 1 || again[0] != results[0] {
		t.Errorf("%v, %v", again, err)
	}
}

func TestAMessageFieldByFieldIsThatOfItsOctets(t *testing.T) {
	v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
	for _, c := range []string{"relaxed/relaxed", "simple/simple"} {
		message := sig{c: c, h: "from:subject:x-bare:x-fold"}.sign("X-Bare:no space\r\nX-Fold: a\r\n\tb\r\n  c\r\n" + testMessage)
		block, body, _ := strings.Cut(message, "\r\n\r\n")
		for _, fold := range []string{"\r\n", "\n"} {
			s := v.Begin(context.Background())
			for _, f := range header.Parse([]byte(block)).Fields {
				value := strings.ReplaceAll(string(f.Body()), "\r\n", fold)
				if err := s.WriteField(string(f.BeforeColon()), value); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.EndHeader(); err != nil {
				t.Fatal(err)
			}
			io.WriteString(s, body[:3])
			io.WriteString(s, body[3:])
			results, err := s.Finish()
			if err != nil || len(results) != 1 || results[0].Status != StatusPass {
				t.Errorf("%s, fold %q: %v, %v", c, fold, results, err)
			}
		}
	}
}

type panicking struct{}

func (panicking) Resolve(context.Context, resolver.Question) (resolver.Answer, error) { panic("oops") }

func TestAResolverThatPanicsHasNotAnswered(t *testing.T) {
	v := Verifier{Resolver: panicking{}}
	if got := verifyOne(t, &v, sig{}.sign(testMessage)); got.Status != StatusTempError || !errors.Is(got.Err, ErrDNS) {
		t.Errorf("%v (%v)", got.Status, got.Err)
	}
}

func TestOneVerifierServesManyAtOnce(t *testing.T) {
	v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			body := fmt.Sprintf("\r\nmessage %d\r\n", i)
			message := sig{key: rsa2048(), s: "rsa"}.sign(sig{}.sign(testHeader + body))
			for range 20 {
				results, err := v.Verify(context.Background(), strings.NewReader(message))
				if err != nil || len(results) != 2 || results[0].Status != StatusPass || results[1].Status != StatusPass {
					t.Errorf("%v, %v", results, err)
				}
			}
		})
	}
	wait.Wait()
}

func TestHostileMessagesTakeLittleTime(t *testing.T) {
	long := func(n int, s string) string { return strings.Repeat(s, n/len(s)) }
	v := Verifier{Options: Options{Limits: Limits{HeaderOctets: 4 << 20, FieldOctets: 4 << 20, HeaderFields: 2000, SignatureOctets: 4 << 20, SignedNames: 20_000}}}
	for name, message := range map[string]string{
		"a megabyte of folded lines":           sig{h: "from:x"}.sign("X: 1\r\n" + long(1<<20, " \t\r\n x\r\n") + testMessage),
		"10,000 names in h= over 1,000 fields": sig{h: "from" + long(20_000, ":x")}.sign(long(6000, "X: 1\r\n") + testMessage),
		"5 MB of CRLF":                         sig{}.sign(testHeader + "\r\n" + long(5<<20, "\r\n")),
		"5 MB of white space":                  sig{}.sign(testHeader + "\r\n" + long(5<<20, " \t")),
		"a megabyte without a newline":         sig{}.sign(testHeader + "\r\n" + long(1<<20, "x")),
		"200 kB in one tag":                    "DKIM-Signature: v=1; z=" + long(200_000, "x") + "\r\n" + testMessage,
		"200 kB of tags":                       "DKIM-Signature: " + long(200_000, "a=;") + "\r\n" + testMessage,
		"200 kB of other tags":                 "DKIM-Signature: v=1" + numbered(20_000) + "\r\n" + testMessage,
		"1,000 signatures":                     long(50_000, "DKIM-Signature: v=1; d=a.example; s=b; h=from; b=\r\n") + testMessage,
		"a From full of at signs":              sig{}.sign("From: " + long(60_000, "@") + "\r\n" + testMessage),
	} {
		start := time.Now()
		verify(t, &v, message)
		// Far more than any of them takes, on a busy machine and with -race, and far
		// less than what grows with the square would.
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ";t%d=", i)
	}
	return b.String()
}

func FuzzVerify(f *testing.F) {
	f.Add(sig{}.sign(testMessage))
	f.Add(sig{c: "simple/relaxed", extra: "l=3;", h: "from:from:x"}.sign(testMessage))
	f.Add("DKIM-Signature: v=1\n x\n\nbody\n")
	f.Add("DKIM-Signature:z=\xb2")
	f.Add("")
	zone := resolver.Zone{"s1._domainkey.example.com": {TXT: []string{recordOf(ed())}}}
	v := &Verifier{Resolver: zone, Options: Options{Now: func() time.Time { return testNow }}}
	f.Fuzz(func(t *testing.T, message string) {
		results, err := v.Verify(context.Background(), strings.NewReader(message))
		if err != nil {
			return
		}
		for _, r := range results {
			if (r.Err == nil) != (r.Status == StatusPass) || r.Status == StatusNone {
				t.Fatalf("%v with error %v", r.Status, r.Err)
			}
			if r.Status == StatusPass && (!r.HeaderVerified || r.BodyUnsigned != 0 || !slices.Equal(r.BodyHash, r.Signature.BodyHash)) {
				t.Fatalf("a pass without cause: %+v", r)
			}
			// JSON is UTF-8, and has U+FFFD for what is not.
			if utf8.ValidString(message) {
				roundTrip(t, r)
			}
		}
	})
}
