package dmarc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

var update = flag.Bool("update", false, "write testdata/result.json as it is now")

// rich returns a result in which as much as possible is set.
func rich(t *testing.T) *dmarc.Result {
	zone := resolver.Zone{
		"_dmarc.shop.example": {TXT: []string{
			"v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; t=y; pct=50; fo=1:d; x=unknown; broken;" +
				" rua=mailto:agg@shop.example!10m,https://shop.example/; ruf=mailto:fail@shop.example",
			"unrelated",
		}},
		"news.shop.example":     {A: []string{"198.51.100.1"}},
		"mail.provider.example": {TXT: []string{"v=spf1 a:%{d} include:_spf.provider.example -all exp=why.provider.example"}},
		"_spf.provider.example": {TXT: []string{"v=spf1 mx ?all"}},
		"why.provider.example":  {TXT: []string{"%{i} is not ours"}},
	}
	key := func(name, text string) { zone[name] = resolver.Records{TXT: []string{text}} }
	body := strings.Repeat("Hello. ", 10) + "\n"
	message := dmarctest.Message{From: "News <news@news.shop.example>", Date: time.Now(), Body: body}.Bytes(t)
	message = dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example", Selector: "revoked"})
	message = dmarctest.Sign(t, zone, message, dmarctest.Signature{
		Domain: "news.shop.example", Identifier: "joe@news.shop.example", Expires: time.Now().Add(time.Hour),
		Header: []string{"From", "From", "Reply-To", "To"},
	})
	key("revoked._domainkey.shop.example", "v=DKIM1; p=")
	records := zone["test._domainkey.news.shop.example"]
	records.TXT[0] = strings.Replace(records.TXT[0], "v=DKIM1;", "v=DKIM1; t=y:s; s=email; h=sha256; n=note;", 1)
	message = append(message, "Appended.\r\n"...)

	f := dmarctest.Fixture{
		Message: message,
		Zone:    zone,
		Envelope: dmarc.Envelope{
			IP:       netip.MustParseAddr("192.0.2.25"),
			HELO:     "out.provider.example",
			MailFrom: "b@mail.provider.example",
		},
		Now: time.Now().Add(time.Minute),
	}
	r := f.Verify(t)
	r.Others = []dmarc.Verdict{{Status: dmarc.None, AuthorDomain: "other.example", Err: dmarc.ErrNoRecord}}
	return r
}

// The keys are what people store and search: none is ever renamed or taken away.
func TestTheKeysOfAResultInJSONAreStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := json.MarshalIndent(rich(t), "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		const name = "testdata/result.json"
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("%v (go test -update writes it)", err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the result is\n%s\nwant\n%s", got, want)
		}
	})
}

func TestAResultComesBackFromJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rich(t)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back dmarc.Result
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&back)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, text) {
			t.Errorf("%s came back as %s", text, again)
		}
		for _, test := range []struct{ err, want error }{
			{back.DMARC.Err, dmarc.ErrNotAuthenticated},
			{back.Others[0].Err, dmarc.ErrNoRecord},
			{back.DKIM[0].Err, dkim.ErrBodyHashMismatch},
			{back.DKIM[1].Err, dkim.ErrKeyRevoked},
			{back.HELO.Err, spf.ErrNoRecord},
			{back.DMARC.Discovery.Query().Record.AggregateReports[1].Err, dmarc.ErrURIScheme},
			{back.SPF.Evaluation.Steps[0].Answers[0].Err, resolver.ErrNoData},
		} {
			if !errors.Is(test.err, test.want) {
				t.Errorf("the error %v came back without %v", test.err, test.want)
			}
		}
	})
}

// What is not in the golden file is not guarded by it.
func TestTheGoldenFileHasEveryKey(t *testing.T) {
	text, err := os.ReadFile("testdata/result.json")
	if err != nil {
		t.Fatal(err)
	}
	// Keys that a single message cannot have beside the others.
	rare := []string{
		"l",             // of a signature: go-msgauth signs without it
		"z",             // likewise
		"public_suffix", // the record of a name on the public suffix list
		"open",          // DNS failed
	}
	snake := regexp.MustCompile(`^[a-z0-9_]+$`)
	for _, key := range keys(reflect.TypeFor[dmarc.Result](), nil) {
		if !snake.MatchString(key) {
			t.Errorf("%q is not snake_case", key)
		}
		if !slices.Contains(rare, key) && !bytes.Contains(text, []byte(`"`+key+`": `)) {
			t.Errorf("no %q in the golden file", key)
		}
	}
}

// keys returns the JSON keys of a type and of all that it holds.
func keys(t reflect.Type, seen []reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return keys(t.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if slices.Contains(seen, t) {
		return nil
	}
	seen = append(seen, t)
	var list []string
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" || key == "-" {
			continue
		}
		list = append(append(list, key), keys(f.Type, seen)...)
	}
	return list
}
