package spf_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestAResultKeepsItsReasonThroughJSON(t *testing.T) {
	broken := resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	for _, test := range []struct {
		record, cause string
		err           error
	}{
		{"v=spf1 a:broken.example.com -all", "dns", spf.ErrDNS},
		{"v=spf1 include:gone.example.com -all", "no-target", spf.ErrNoTarget},
		{"v=spf1 include:moo.example.com -all", "syntax", spf.ErrSyntax},
		{"v=spf1 redirect=example.com", "loop", spf.ErrLoop},
		{"v=spf1" + strings.Repeat(" a:far.example.com", 11), "term-limit", spf.ErrTermLimit},
		{"v=spf1", "no-match", spf.ErrNoMatch},
		{"v=spf1 a:far.example.com exists:gone.example.com ip4:192.0.2.1 -all", "", nil},
		{"v=spf1 a:gone.example.com a:gone.example.com a:gone.example.com", "void-limit", spf.ErrVoidLimit},
	} {
		zone := hosts(test.record)
		zone["broken.example.com"] = broken
		zone["moo.example.com"] = resolver.Records{TXT: []string{"v=spf1 moo"}}
		r := (&spf.Checker{Resolver: zone, Options: spf.Options{Trace: true}}).Check(t.Context(), client)
		text := asJSON(t, r)
		var fields struct{ Reason, Cause string }
		var back spf.Result
		if err := errors.Join(json.Unmarshal([]byte(text), &fields), json.Unmarshal([]byte(text), &back)); err != nil {
			t.Fatal(err)
		}
		if fields.Cause != test.cause || test.err != nil && fields.Reason != r.Err.Error() {
			t.Errorf("%q: got cause %q, reason %q", test.record, fields.Cause, fields.Reason)
		}
		if !errors.Is(back.Err, test.err) || asJSON(t, back) != text {
			t.Errorf("%q: came back as\n%s\nfrom\n%s", test.record, asJSON(t, back), text)
		}
	}
}

func TestEveryErrorHasItsWordInJSON(t *testing.T) {
	for word, err := range map[string]error{
		"no-address": spf.ErrNoAddress, "no-mail-from": spf.ErrNoMailFrom, "no-domain": spf.ErrNoDomain, "bad-domain": spf.ErrBadDomain,
		"no-record": spf.ErrNoRecord, "no-target": spf.ErrNoTarget, "no-match": spf.ErrNoMatch,
		"syntax": spf.ErrSyntax, "multiple-records": spf.ErrMultipleRecords, "record-limit": spf.ErrRecordLimit,
		"loop": spf.ErrLoop, "term-limit": spf.ErrTermLimit, "void-limit": spf.ErrVoidLimit, "mx-limit": spf.ErrMXLimit,
		"question-limit": spf.ErrQuestionLimit, "time-limit": spf.ErrTimeLimit, "canceled": spf.ErrCanceled, "dns": spf.ErrDNS,
	} {
		text := asJSON(t, spf.Result{Err: err})
		var fields struct{ Cause, Reason string }
		var back spf.Result
		if err := errors.Join(json.Unmarshal([]byte(text), &fields), json.Unmarshal([]byte(text), &back)); err != nil {
			t.Fatal(err)
		}
		if fields.Cause != word || fields.Reason != err.Error() || !errors.Is(back.Err, err) {
			t.Errorf("%v: got %s", err, text)
		}
		for _, v := range []any{spf.Evaluation{Err: err}, spf.Step{Err: err}} {
			fields.Cause = ""
			if json.Unmarshal([]byte(asJSON(t, v)), &fields); fields.Cause != word {
				t.Errorf("%v: got %s", err, asJSON(t, v))
			}
		}
		if err == spf.ErrLoop && !errors.Is(back.Err, spf.ErrTermLimit) {
			t.Errorf("%v came back without being a term limit", back.Err)
		}
	}
	answer := spf.Answer{Question: resolver.Question{Name: "a.example", Type: resolver.TypeA}, Err: resolver.ErrServFail}
	var back spf.Answer
	if err := json.Unmarshal([]byte(asJSON(t, answer)), &back); err != nil || !errors.Is(back.Err, resolver.ErrServFail) {
		t.Errorf("an answer came back as %v, %v", back, err)
	}
}

func TestWhatIsNoResultInJSONIsAnError(t *testing.T) {
	for _, v := range []json.Unmarshaler{&spf.Result{}, &spf.Evaluation{}, &spf.Step{}, &spf.Answer{}} {
		if err := v.UnmarshalJSON([]byte(`[1]`)); err == nil {
			t.Errorf("%T: no error", v)
		}
	}
}

func TestARecordComesBackFromJSONWhole(t *testing.T) {
	record, _, err := spf.Parse("V=spf1  ip4:192.0.2.0/24 ip6:2001:db8::/32 a:%{l}.example.com/24//64 foo=bar -all exp=%{d2}.example.com")
	if err != nil {
		t.Fatal(err)
	}
	type logged struct {
		Record  *spf.Record `json:"record"`
		ByValue spf.Record  `json:"by_value"`
	}
	text := asJSON(t, logged{record, *record})
	var back logged
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Record, record) || !reflect.DeepEqual(&back.ByValue, record) || back.Record.Terms[0].Network() != record.Terms[0].Network() {
		t.Errorf("%s came back as %s", text, back.Record)
	}
}

func TestATextThatIsNoRecordIsNotReadAsOne(t *testing.T) {
	for _, text := range []string{`""`, `"v=spf10"`, `"v=spf1 moo"`} {
		record := spf.Record{Text: "v=spf1"}
		if err := json.Unmarshal([]byte(text), &record); !errors.Is(err, spf.ErrSyntax) || record.Text != "v=spf1" {
			t.Errorf("%s: got %v, %v", text, record, err)
		}
	}
}

func TestTheTraceShowsEveryTermInOrder(t *testing.T) {
	zone := resolver.Zone{
		"example.com":   {TXT: []string{"v=spf1 ip4:203.0.113.1 a:%{o}/24 include:i.example.com foo=bar mx redirect=r.example.com"}, A: []string{"203.0.113.1"}},
		"i.example.com": {TXT: []string{"v=spf1 exists:gone.example.com -all"}},
		"r.example.com": {TXT: []string{"v=spf1 -all exp=w.example.com"}},
		"w.example.com": {TXT: []string{`"quoted"`}},
	}
	for _, sequential := range []bool{false, true} {
		r := (&spf.Checker{Resolver: zone, Options: spf.Options{Trace: true, Sequential: sequential}}).Check(t.Context(), client)
		e := r.Evaluation
		if e == nil || e.Domain != "example.com" || e.Status != spf.StatusFail || e.Record != zone["example.com"].TXT[0] {
			t.Fatalf("got %s", asJSON(t, e))
		}
		var terms []string
		for _, s := range e.Steps {
			terms = append(terms, s.Term)
		}
		if want := []string{"ip4:203.0.113.1", "a:%{o}/24", "include:i.example.com", "mx", "redirect=r.example.com"}; !reflect.DeepEqual(terms, want) {
			t.Fatalf("got terms %q", terms)
		}
		a, include, mx, redirect := e.Steps[1], e.Steps[2], e.Steps[3], e.Steps[4]
		if a.Expanded != "example.com" || a.Match || a.Lookups != 1 || len(a.Answers) != 1 ||
			a.Answers[0].Question != (resolver.Question{Name: "example.com", Type: resolver.TypeA}) || a.Answers[0].Records[0] != "203.0.113.1" {
			t.Errorf("a: %s", asJSON(t, a))
		}
		if include.Match || include.Lookups != 3 || include.VoidLookups != 1 || include.Nested.Status != spf.StatusFail ||
			len(include.Nested.Steps) != 2 || !errors.Is(include.Nested.Steps[0].Answers[0].Err, resolver.ErrNotFound) || !include.Nested.Steps[1].Match {
			t.Errorf("include: %s", asJSON(t, include))
		}
		if mx.VoidLookups != 2 || mx.Expanded != "" {
			t.Errorf("mx: %s", asJSON(t, mx))
		}
		nested := redirect.Nested
		if nested == nil || nested.Domain != "r.example.com" || len(nested.Steps) != 2 || !nested.Steps[0].Match || redirect.Answers[0].Records[0] != `"v=spf1 -all exp=w.example.com"` {
			t.Fatalf("redirect: %s", asJSON(t, redirect))
		}
		if exp := nested.Steps[1]; exp.Term != "exp=w.example.com" || exp.Match || exp.Answers[0].Records[0] != `"\"quoted\""` {
			t.Errorf("exp: %s", asJSON(t, exp))
		}
	}
}

func TestTheTraceHoldsNothingThatCouldHarmATerminal(t *testing.T) {
	zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 include:i.example.com -all"}},
		"i.example.com": {TXT: []string{"v=spf1 \x1b[31m\r\nred \u202e"}}}
	r := (&spf.Checker{Resolver: zone, Options: spf.Options{Trace: true}}).Check(t.Context(), client)
	answers := r.Evaluation.Steps[0].Answers
	if want := `"v=spf1 \027[31m\013\010red \226\128\174"`; answers[0].Records[0] != want {
		t.Errorf("got %s", answers[0].Records[0])
	}
	for _, c := range r.Err.Error() {
		if c < ' ' || c > '~' {
			t.Errorf("reason has %q: %q", c, r.Err)
		}
	}
}

func TestWithoutTraceThereIsNoEvaluation(t *testing.T) {
	if r := (&spf.Checker{Resolver: hosts("v=spf1 a mx -all")}).Check(t.Context(), client); r.Evaluation != nil {
		t.Errorf("got %s", asJSON(t, r.Evaluation))
	}
}

func TestWordsComeBackFromText(t *testing.T) {
	for k := spf.KindAll; k <= spf.KindUnknown; k++ {
		var back spf.Kind
		text, err := k.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != k || k.String() != string(text) {
			t.Errorf("%v came back as %v", k, back)
		}
	}
	for s := spf.StatusNone; s <= spf.StatusPermError; s++ {
		var back spf.Status
		text, err := s.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != s || s.String() != string(text) {
			t.Errorf("%v came back as %v", s, back)
		}
	}
}
