package authres

import (
	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
	"reflect"
	"strings"
	"testing"
)

func TestAFieldThatWasReadIsWrittenAsTheSame(t *testing.T) {
	for name, field := range map[string]string{
		"no results":                       "mx.example; none",
		"every kind of value":              `mx.example; dkim=pass reason="a; \"b\" \\c (d" header.i=joe@news.example header.b="ab/cd==" header.d=news.example`,
		"a quoted local part":              `mx.example; spf=pass smtp.mailfrom="a b\"c"@news.example`,
		"a quoted text like an address":    `mx.example; spf=pass smtp.mailfrom="\"a b\"@news.example"`,
		"an address without a local part":  "mx.example; dkim=pass header.i=@news.example",
		"an empty value":                   `mx.example; spf=none smtp.helo=""`,
		"an id in quotes":                  `"my host"; spf=pass`,
		"an empty id":                      `""; spf=pass`,
		"UTF-8":                            `bücher.example; spf=pass smtp.mailfrom=bücher.example reason`[0:44],
		"UTF-8 that needs quotes":          "mx; spf=fail reason=\"ü \u202e \ufffd ü\"",
		"a version of the method":          "mx; dkim/2=pass",
		"a tab in quotes":                  "mx; spf=fail reason=\"a\tb\"",
		"a reason wider than a line":       `mx; spf=fail reason="` + strings.Repeat("word  ", 300) + `"`,
		"a wide local part with a pair":    `mx; spf=fail smtp.mailfrom="` + strings.Repeat(`w\ w `, 100) + `"@a.example`,
		"a token that looks like a domain": "mx; spf=fail smtp.helo=-.-",
		"many results":                     "mx; " + strings.Repeat("dkim=pass header.d=a.example; ", 100) + "spf=none",
	} {
		t.Run(name, func(t *testing.T) { checkRoundTrip(t, fieldName+": "+field) })
	}
}

// checkRoundTrip reads a field, writes what it read, and reads that.
func checkRoundTrip(t *testing.T, field string) {
	t.Helper()
	want, err := Parse(field)
	if err != nil {
		t.Fatalf("%q: %v", field, err)
	}
	for _, text := range []string{want.Format(), fieldName + ": " + want.String()} {
		if len(text) > rfc8601.MaxOctets {
			continue
		}
		if got, err := Parse(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q was read as %+v, written as %q, and read as %+v (%v)", field, want, text, got, err)
		}
	}
	for line := range strings.SplitSeq(want.Format(), "\r\n") {
		if strings.TrimSpace(line) == "" {
			t.Errorf("an empty line in %q", want.Format())
		}
		if len(line) > 200 && strings.Contains(strings.TrimSpace(line), " w") {
			t.Errorf("a line of %d octets that could be folded: %q", len(line), line)
		}
	}
}

func TestAWideTextIsFoldedAtItsSpaces(t *testing.T) {
	for _, test := range []struct{ reason, want string }{
		{strings.Repeat("word ", 30) + "end", "" +
			"Authentication-Results: mx;\r\n\tspf=fail\r\n" +
			"\treason=\"word word word word word word word word word word word word\r\n" +
			" word word word word word word word word word word word word word word word\r\n" +
			" word word word end\""},
		{strings.Repeat("x", 200), "Authentication-Results: mx;\r\n\tspf=fail\r\n\treason=" + strings.Repeat("x", 200)},
		{"short text", "Authentication-Results: mx;\r\n\tspf=fail reason=\"short text\""},
	} {
		field := &Field{ID: "mx", Results: []Result{{Method: "spf", Value: "fail", Reason: test.reason}}}
		if got := field.Format(); got != test.want {
			t.Errorf("got\n%q\nwant\n%q", got, test.want)
		}
	}
}

func TestNoHostileTextLeavesAResultThatSomebodyElseGives(t *testing.T) {
	for _, s := range hostile {
		more := Result{
			Method: "x" + s, MethodVersion: 1, Value: "y" + s, Reason: s, Comments: []string{s, s},
			Properties: []Property{{Type: "smtp", Name: "auth", Value: s}, {Type: "a" + s, Name: "b" + s, Value: s}, {Type: "", Name: s, Value: s}, {Type: s, Name: "", Value: s}},
		}
		for _, utf8 := range []bool{false, true} {
			f := Formatter{SMTPUTF8: utf8, More: []Result{more, {Method: "iprev", Value: "pass"}}}
			for _, text := range []string{f.Format(ours, shop()), fieldName + ": " + f.Value(ours, shop())} {
				checkField(t, text, shop())
				field, err := Parse(text)
				if err != nil || len(field.Results) != 6 || field.Results[5].Method != "iprev" {
					t.Fatalf("%v: %d results of 6 in %q", err, len(field.Results), text)
				}
				for i := 0; !utf8 && i < len(text); i++ {
					if text[i] > '~' {
						t.Fatalf("more than ASCII in %q", text)
					}
				}
			}
		}
		// And where a program writes a field of its own.
		field := &Field{ID: s, Results: []Result{more}}
		for _, text := range []string{field.Format(), fieldName + ": " + field.String(), fieldName + ": mx; " + more.String()} {
			if got, err := Parse(text); err != nil || len(got.Results) != 1 {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestMoreResultsStandBehindOurs(t *testing.T) {
	f := Formatter{More: []Result{
		{Method: "auth", Value: "pass", Comments: []string{"plain"}, Properties: []Property{{Type: "smtp", Name: "auth", Value: "joe doe"}}},
		{Method: "iprev", Value: "pass", Properties: []Property{{Type: "policy", Name: "iprev", Value: "2001:db8::1"}}},
		{Method: "arc", Value: "none"},
		{Method: "dkim adsp!", Value: ""},
	}}
	got := f.Value(ours, shop())
	_, got, _ = strings.Cut(got, "; dmarc=")
	_, got, _ = strings.Cut(got, "; ")
	if want := `auth=pass (plain) smtp.auth="joe doe"; iprev=pass policy.iprev="2001:db8::1"; arc=none; dkim-adsp=unknown`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPropertiesThatTheGrammarCannotHoldAreLeftOut(t *testing.T) {
	f, err := ParseLenient("Authentication-Results: mx; dmarc=a_b action=none header.from=a")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.String(); got != "mx; dmarc=a-b header.from=a" {
		t.Errorf("got %s", got)
	}
}

func TestAVersionIsWritten(t *testing.T) {
	if got := (&Field{ID: "mx", Version: 2}).String(); got != "mx 2; none" {
		t.Errorf("got %s", got)
	}
}
