package explain

import (
	"encoding/json"
	"io"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/suite"
)

// A result that was stored as JSON may come back with null in any place.
func TestNothingPanicsOnNullsInJSON(t *testing.T) {
	text, err := json.Marshal(everything("shop.example"))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"fail", "pass", "none"} {
		var value map[string]any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		value["dmarc"].(map[string]any)["verdict"] = status
		places := 0
		suite.EachNull(value, func() {
			places++
			readBack(t, value)
		})
		if places < 100 {
			t.Errorf("%d places, want more", places)
		}
	}
}

// readBack reads a result from JSON, if it is one, and explains it.
func readBack(t *testing.T, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	r := new(dmarc.Result)
	if json.Unmarshal(text, r) != nil {
		return
	}
	for _, e := range []*Explanation{Explain(r), ExplainSPF(r.Envelope, r.SPF, r.HELO)} {
		everyText(e, func(text string) { checkLine(t, text) })
		if err := e.Text(io.Discard, TextOptions{}); err != nil {
			t.Error(err)
		}
	}
}

func FuzzJSON(f *testing.F) {
	text, err := json.Marshal(everything("shop.example"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, uint64(0xdeadbeefcafe1234))
	f.Fuzz(func(t *testing.T, text []byte, holes uint64) {
		var value any
		if json.Unmarshal(text, &value) == nil {
			readBack(t, suite.Nulls(value, holes))
		}
	})
}
