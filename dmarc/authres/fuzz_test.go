package authres

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/spf"
)

// Whatever a sender puts anywhere, the field has one result for each that was found, and
// no line end or control character.
func FuzzFormat(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, s, []byte(s))
	}
	f.Fuzz(func(t *testing.T, a, b, c string, value []byte) {
		r := shop()
		r.Envelope.MailFrom, r.Envelope.HELO = a, b
		r.SPF.Domain, r.SPF.Sender, r.SPF.Explanation, r.SPF.Record = a, b, c, c
		r.SPF.Status, r.SPF.Err = spf.StatusPermError, cause.Wrap(spf.ErrSyntax, c, nil)
		r.HELO.Status, r.HELO.Domain = spf.StatusNone, b
		r.DKIM = []*dkim.Result{signed(dkim.StatusPass, a, b, c), signed(dkim.StatusFail, b, c, a)}
		r.DKIM[0].Signature.Value, r.DKIM[0].Algorithm = value, c
		r.DKIM[1].Err = cause.Wrap(dkim.ErrKeyMalformed, a, errors.New(b))
		r.Author.From = a
		r.DMARC.AuthorDomain, r.DMARC.Record, r.DMARC.PolicyTag = c, a, b
		checkField(t, Format(ours, r), r)
		checkUTF8(t, r)
	})
}

// A field that Parse takes is read as the same after it was written again.
func FuzzParse(f *testing.F) {
	f.Add("Authentication-Results: mx.example (a) 1 (b); dkim / 1 = pass reason=\"x;\\\"\" header.i=\"a b\"@c.example")
	f.Add("Authentication-Results: mx.example; none")
	for _, s := range hostile {
		f.Add("Authentication-Results: mx.example; spf=pass (" + s + ") smtp.helo=\"" + s + "\"")
	}
	f.Fuzz(func(t *testing.T, field string) {
		got, err := Parse(field)
		if err != nil {
			if got != nil && !errors.Is(err, ErrVersion) {
				t.Fatal("a field and an error")
			}
			return
		}
		if strings.ContainsAny(got.ID, "\r\n") {
			t.Fatalf("a line end in the id %q", got.ID)
		}
		checkRoundTrip(t, field)
	})
}

// Octets are only ever removed, never in the body, and what is left claims nothing to
// our own parser.
func FuzzRemoveForged(f *testing.F) {
	f.Add([]byte("Authentication-Results: mx.receiver.example; none\r\nA: b\n c\r\n\r\nbody"))
	f.Add([]byte("A: b\nAuthentication-Results : (x) \"MX.receiver.example\" 1;\r none\r\n\r\nbody"))
	f.Add([]byte("Authentication-Results: mx.receiver.example; none\nA: b\r\n\nAuthentication-Results: mx.receiver.example; none\r\n\r\n"))
	f.Add([]byte("X: a\r\nA: b\n\nc\r\nAuthentication-Results: mx.receiver.example; none\r\n\r\nAuthentication-Results: mx.receiver.example; none\r\n"))
	f.Add([]byte("A: b\nc\r\n\r\nAuthentication-Results: mx.receiver.example; none\r\n"))
	f.Add([]byte("X: a\r\rAuthentication-Results: mx.receiver.example; none\n\nReceived-SPF: pass\r\n"))
	f.Add([]byte("A: b\nAuthentication-Results:\n mx.receiver.example; spf=pass\n\nbody"))
	f.Fuzz(func(t *testing.T, message []byte) {
		var out, again bytes.Buffer
		removed, err := RemoveForged(&out, bytes.NewReader(message), ours)
		if err != nil {
			t.Fatal(err)
		}
		if removed == 0 && !bytes.Equal(out.Bytes(), message) {
			t.Fatalf("%q became %q, with nothing removed", message, out.Bytes())
		}
		if !isSubsequence(out.Bytes(), message) {
			t.Fatalf("%q became %q", message, out.Bytes())
		}
		if _, body, ok := bytes.Cut(message, []byte("\r\n\r\n")); ok && !bytes.HasSuffix(out.Bytes(), append([]byte("\r\n"), body...)) {
			t.Fatalf("the body of %q did not stay in %q", message, out.Bytes())
		}
		if n, _ := RemoveForged(&again, bytes.NewReader(out.Bytes()), ours); n != 0 || !bytes.Equal(again.Bytes(), out.Bytes()) {
			t.Fatalf("%q became %q, and then %q", message, out.Bytes(), again.Bytes())
		}
		left := out.String()
		both := Filter{ID: ours, ReceivedSPF: true}
		out.Reset()
		again.Reset()
		both.Remove(&out, bytes.NewReader(message))
		if n, _ := both.Remove(&again, bytes.NewReader(out.Bytes())); n != 0 || !bytes.Equal(again.Bytes(), out.Bytes()) {
			t.Fatalf("with Received-SPF, %q became %q, and then %q", message, out.Bytes(), again.Bytes())
		}
		if line, _, _ := strings.Cut(left, "\n"); !strings.HasSuffix(line, "\r") {
			return // CRLF need not be what parts fields
		}
		header, _, _ := strings.Cut("\r\n"+left, "\r\n\r\n")
		for field := range strings.SplitSeq(header, "\r\n") {
			if f, err := Parse(field); err == nil && f.ID == ours {
				t.Fatalf("%q is left of %q", field, message)
			}
		}
	})
}

func isSubsequence(short, long []byte) bool {
	for _, c := range short {
		i := bytes.IndexByte(long, c)
		if i < 0 {
			return false
		}
		long = long[i+1:]
	}
	return true
}
