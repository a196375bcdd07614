package suite

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

func TestAZoneOfTheDataAnswers(t *testing.T) {
	var in map[string]map[string]any
	text := `{"A.Example": {"TXT": ["one", ["t", "wo"]], "A": ["192.0.2.1"], "AAAA": ["2001:db8::1"], "MX": ["10 mx.example"]},
		"b.example": {"CNAME": "a.example"}, "c.example": {"CNAME": ["a.example"]}, "d.example": {"RCODE": "SERVFAIL"}}`
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	zone := Zone(t, in)
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		a, err := zone.Resolve(t.Context(), resolver.Question{Name: name, Type: resolver.TypeTXT})
		if err != nil || len(a.TXT) != 2 || a.TXT[0] != "one" || a.TXT[1] != "two" {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	for _, typ := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA, resolver.TypeMX} {
		if a, err := zone.Resolve(t.Context(), resolver.Question{Name: "a.example", Type: typ}); err != nil || a.Count() != 1 {
			t.Errorf("%s: %v, %v", typ, a, err)
		}
	}
	_, err := zone.Resolve(t.Context(), resolver.Question{Name: "d.example", Type: resolver.TypeTXT})
	if !errors.Is(err, resolver.ErrServFail) {
		t.Errorf("a name that fails: %v", err)
	}
}
