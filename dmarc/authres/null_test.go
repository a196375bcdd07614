package authres

import (
	"encoding/json"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
)

// A result that was stored as JSON may come back with null in any place.
func TestNothingPanicsOnNullsInJSON(t *testing.T) {
	text, err := json.Marshal(stored())
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	places := 0
	suite.EachNull(value, func() {
		places++
		readBack(t, value)
	})
	if places < 100 {
		t.Errorf("%d places, want more", places)
	}
}

// stored returns a result with something in most places.
func stored() *dmarc.Result {
	r := shop()
	r.DMARC.Status = dmarc.StatusFail
	r.DMARC.Override = &dmarc.Override{Type: dmarc.OverrideTestMode}
	r.DMARC.Identifiers = []dmarc.Identifier{
		{Method: dmarc.MethodSPF, Domain: "mail.provider.example", Authenticated: true},
		{Method: dmarc.MethodDKIM, Domain: "shop.example", Authenticated: true, Alignment: discovery.Aligned},
	}
	r.DMARC.Discovery = &discovery.Result{
		AuthorDomain: "shop.example", PolicyDomain: "shop.example",
		Queries:       []*discovery.Query{{Domain: "shop.example", Record: &record.Record{Testing: true}}, {Domain: "example"}},
		Organizations: []discovery.Organization{{Domain: "shop.example"}},
	}
	r.Others = []dmarc.Verdict{r.DMARC}
	return r
}

// readBack reads a result from JSON, if it is one, and writes the field for it.
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
	if _, err := Parse(Format(ours, r)); err != nil {
		t.Errorf("%s: %v", text, err)
	}
}

// Any number of nulls, and any other JSON.
func FuzzJSON(f *testing.F) {
	text, err := json.Marshal(stored())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, uint64(0))
	f.Add(text, uint64(0xdeadbeefcafe1234))
	f.Fuzz(func(t *testing.T, text []byte, holes uint64) {
		var value any
		if json.Unmarshal(text, &value) != nil {
			return
		}
		value = suite.Nulls(value, holes)
		readBack(t, value)
	})
}
