package dmarc_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
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
