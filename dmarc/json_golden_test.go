package dmarc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
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
	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/dmarc/record"
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
		"out.provider.example":  {TXT: []string{"v=spf1 ipv4:192.0.2.25 -all"}},
	}
	key := func(name, text string) { zone[name] = resolver.Records{TXT: []string{text}} }
	body := strings.Repeat("Hello. ", 10) + "\n"
	message := dmarctest.Message{From: "News, Shop <news@news.shop.example>", Date: time.Now(), Body: body}.Bytes(t)
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
	r.Envelope.MailFromUnknown = true // for its key
	r.ARC = &arc.Result{Status: arc.StatusFail, Err: arc.ErrSealedFail, Sets: []arc.Set{{
		Instance:              1,
		AuthenticationResults: "lists.example; dmarc=pass header.from=shop.example",
		Signature:             arc.Signature{Status: arc.StatusPass, Domain: "lists.example", Selector: "s", Algorithm: "rsa-sha256", Time: r.Time, KeyBits: 2048},
		Seal:                  arc.Signature{Status: arc.StatusPass, Domain: "lists.example", Selector: "s", Algorithm: "rsa-sha256", Time: r.Time, KeyBits: 2048},
	}}}
	r.Others = []dmarc.Verdict{{Status: dmarc.StatusNone, AuthorDomain: "other.example", Err: dmarc.ErrNoRecord}}
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
		for _, difference := range differences("result", reflect.ValueOf(*r), reflect.ValueOf(back)) {
			t.Error(difference)
		}
		for _, test := range []struct{ err, want error }{
			{back.DMARC.Err, dmarc.ErrNotAuthenticated},
			{back.Others[0].Err, dmarc.ErrNoRecord},
			{back.DKIM[0].Err, dkim.ErrBodyHashMismatch},
			{back.DKIM[1].Err, dkim.ErrKeyRevoked},
			{back.HELO.Err, spf.ErrSyntax},
			{back.DMARC.Discovery.Query().Record.AggregateReports[1].Err, record.ErrURIScheme},
			{back.SPF.Evaluation.Steps[0].Answers[0].Err, resolver.ErrNoData},
		} {
			if !errors.Is(test.err, test.want) {
				t.Errorf("the error %v came back without %v", test.err, test.want)
			}
		}
	})
}

// differences lists where a value and what came back for it are not the same, errors by
// their texts. What is not written is not compared, and empty slices are as good as nil.
func differences(path string, a, b reflect.Value) []string {
	switch x := a.Interface().(type) {
	case time.Time:
		if !x.Equal(b.Interface().(time.Time)) {
			return []string{fmt.Sprintf("%s: %v came back as %v", path, x, b)}
		}
		return nil
	case error:
		if y, _ := b.Interface().(error); y == nil || y.Error() != x.Error() {
			return []string{fmt.Sprintf("%s: %v came back as %v", path, x, y)}
		}
		return nil
	}
	var list []string
	switch kind := a.Kind(); {
	case kind == reflect.Pointer && !a.IsNil() && !b.IsNil():
		return differences(path, a.Elem(), b.Elem())
	case kind == reflect.Slice && a.Len() == b.Len():
		for i := range a.Len() {
			list = append(list, differences(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))...)
		}
	case kind == reflect.Struct && a.Type() != reflect.TypeFor[netip.Addr]():
		for i := range a.NumField() {
			f := a.Type().Field(i)
			if f.IsExported() && (f.Tag.Get("json") != "-" || f.Type == reflect.TypeFor[error]()) {
				list = append(list, differences(path+"."+f.Name, a.Field(i), b.Field(i))...)
			}
		}
	case !reflect.DeepEqual(a.Interface(), b.Interface()):
		list = append(list, fmt.Sprintf("%s: %v came back as %v", path, a, b))
	}
	return list
}

// Text that is not UTF-8 has U+FFFD in its place. Package encoding/json writes that as an
// escape the first time, and as itself when it was read: another text, the same value.
func TestAResultWithTextThatIsNotUTF8IsStableInJSON(t *testing.T) {
	f := dmarctest.Fixture{
		Message: []byte("From: \xff <a@shop.example>\r\n\r\n"),
		Zone: resolver.Zone{
			"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=none; x=\xff", "\xffx"}},
			"shop.example":        {TXT: []string{"v=spf1 \xff -all"}},
		},
		Envelope: dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.25"), HELO: "x\xff", MailFrom: "\xff@shop.example"},
	}
	var texts [3][]byte
	var values [3]any
	r := f.Verify(t)
	for i := range texts {
		var err error
		if texts[i], err = json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(texts[i], &values[i]); err != nil {
			t.Fatal(err)
		}
		r = new(dmarc.Result)
		if err := json.Unmarshal(texts[i], r); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(values[1], values[0]) {
		t.Errorf("%s came back as %s", texts[0], texts[1])
	}
	if !bytes.Equal(texts[2], texts[1]) {
		t.Errorf("%s came back as %s", texts[1], texts[2])
	}
	if r.Envelope.HELO != "x\uFFFD" || r.DMARC.Discovery.Queries[0].Discarded[0].Text != "\uFFFDx" {
		t.Errorf("%s came back as %+v", texts[0], r)
	}
}

// What is not in the golden file is not guarded by it.
func TestTheGoldenFileHasEveryKey(t *testing.T) {
	text, err := os.ReadFile("testdata/result.json")
	if err != nil {
		t.Fatal(err)
	}
	// Keys that a single message cannot have beside the others.
	rare := []string{
		"l",                                                    // of a signature: go-msgauth signs without it
		"z",                                                    // likewise
		"public_suffix",                                        // the record of a name on the public suffix list
		"open",                                                 // DNS failed
		"policy_assumed",                                       // the record states no valid policy
		"suffix", "possible", "unanswered", "exists_authentic", // package discovery has them
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
