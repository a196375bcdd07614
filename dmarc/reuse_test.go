package dmarc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/resolver"
)

// The memory of a message serves the next one, and no result may refer to it.
func TestAResultStaysAsItIsWhateverComesAfterIt(t *testing.T) {
	fixtures := dmarctest.Load(t, "../testdata")
	v := &dmarc.Verifier{InvalidAuthor: dmarc.InvalidAuthorEvaluateAll}
	verify := func(f *dmarctest.Fixture, r resolver.Resolver, session bool) *dmarc.Result {
		v.Resolver = r
		var result *dmarc.Result
		var err error
		if session {
			s := v.Begin(t.Context(), f.Envelope)
			for piece := range bytes.Lines(f.Message) {
				if _, err := s.Write(piece); err != nil {
					t.Fatal(err)
				}
			}
			result, err = s.Finish()
		} else {
			result, err = v.Verify(t.Context(), f.Envelope, bytes.NewReader(f.Message))
		}
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	text := func(r *dmarc.Result) string {
		octets, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(octets)
	}
	var results []*dmarc.Result
	var before []string
	for range 3 {
		for i, f := range fixtures {
			for _, r := range []resolver.Resolver{f.Zone, forgetful{f.Zone}} {
				result := verify(f, r, i%2 == 0)
				results, before = append(results, result), append(before, text(result))
			}
		}
	}
	for i, result := range results {
		if now := text(result); now != before[i] {
			t.Errorf("%s: %s\nhas become %s", fixtures[i/2%len(fixtures)].Name, before[i], now)
		}
	}
}

// np is DNS of which every question has to be waited for, and in which the policy of names
// below shop.example depends on whether they exist.
type np struct{}

func (np) Resolve(_ context.Context, q resolver.Question) (resolver.Answer, error) {
	time.Sleep(time.Millisecond)
	return resolver.Zone{
		"a.shop.example":      {TXT: []string{"v=spf1 +all"}},
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject; np=reject"}},
	}.Resolve(context.Background(), q)
}

// A WaitGroup belongs to the bubble of a test by its address, until somebody waits for it.
func TestAVerifierServesTestsThatHaveBubbles(t *testing.T) {
	const message = "From: a@a.shop.example\r\n\r\n"
	v := &dmarc.Verifier{Resolver: np{}}
	e := dmarc.Envelope{IP: fromShop.IP, HELO: "mx.shop.example", MailFrom: "a@a.shop.example"}
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			s := v.Begin(t.Context(), e)
			io.WriteString(s, message)
			s.Close()
			if r, err := v.Verify(t.Context(), e, strings.NewReader(message)); err != nil || r.DMARC.Status != dmarc.StatusPass {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
}

// A writerKeeper is a reader that keeps what it wrote itself to.
type writerKeeper struct {
	text string
	to   io.Writer
}

func (k *writerKeeper) Read([]byte) (int, error) { return 0, io.EOF }

func (k *writerKeeper) WriteTo(w io.Writer) (int64, error) {
	k.to = w
	n, err := io.WriteString(w, k.text)
	return int64(n), err
}

func TestAReaderThatWritesLateWritesToNoOtherMessage(t *testing.T) {
	k := &writerKeeper{text: letter}
	zone := shop()
	v, d := &dmarc.Verifier{Resolver: zone}, &dkim.Verifier{Resolver: zone}
	for name, verify := range map[string]func(){
		"dmarc": func() { v.Verify(t.Context(), fromShop, k) },
		"dkim":  func() { d.Verify(t.Context(), k) },
	} {
		verify()
		s, ds := v.Begin(t.Context(), fromShop), d.Begin(t.Context())
		defer ds.Close()
		if _, err := io.WriteString(k.to, "From: late@evil.example\r\n"); !errors.Is(err, dmarc.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		io.WriteString(s, letter)
		if r, err := s.Finish(); err != nil || r.Author.Err != nil {
			t.Errorf("%s: the next message has the author %v (%v)", name, r.Author, err)
		}
	}
}

func TestAFieldNameWithALineEndIsTwoFields(t *testing.T) {
	s := (&dmarc.Verifier{Resolver: shop()}).Begin(t.Context(), fromShop)
	defer s.Close()
	s.WriteField("From", " a@shop.example")
	s.WriteField("X: 1\r\nFrom", " b@evil.example")
	if r, err := s.Finish(); err != nil || !errors.Is(r.Author.Err, author.ErrSeveralFrom) {
		t.Errorf("%v, %v", r.Author, err)
	}
}
