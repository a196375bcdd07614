package record_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/alignment"
	. "github.com/mailverdict/mailverdict/dmarc/record"
)

func TestProblemsOfARecordAreListed(t *testing.T) {
	for _, tt := range []struct {
		name, record string
		kind         ProblemKind
		tag, assumed string
	}{
		{"a bad alignment mode", "v=DMARC1; p=none; adkim=x", ProblemValue, "adkim", "r"},
		{"a bad psd", "v=DMARC1; p=none; psd=maybe", ProblemValue, "psd", "u"},
		{"a bad t", "v=DMARC1; p=none; t=1", ProblemValue, "t", "n"},
		{"a bad fo", "v=DMARC1; p=none; fo=9", ProblemValue, "fo", "0"},
		{"a bad pct", "v=DMARC1; p=none; pct=101", ProblemValue, "pct", "100"},
		{"a bad ri", "v=DMARC1; p=none; ri=1h", ProblemValue, "ri", "86400"},
		{"a bad p", "v=DMARC1; p=rejct", ProblemValue, "p", "no policy stated"},
		{"a bad np", "v=DMARC1; p=none; np=", ProblemValue, "np", "no policy stated"},
		{"a value with a control character", "v=DMARC1; p=re\x01ject", ProblemValue, "p", "no policy stated"},
		{"fo with both 0 and 1", "v=DMARC1; p=none; fo=0:1", ProblemList, "fo", "0:1"},
		{"fo with the same value twice", "v=DMARC1; p=none; fo=1:d:s:d", ProblemList, "fo", "1:d:s:d"},
		{"a repeated tag", "v=DMARC1; p=none; t=y; T=Y", ProblemRepeated, "t", "the first one"},
		{"a tag repeated with another value", "v=DMARC1; p=none; t=y; t=n", ProblemConflict, "t", "no policy stated"},
		{"a tag without an equals sign", "v=DMARC1; p=none; sp-none", ProblemNoEquals, "sp-none", "ignored"},
		{"a name that no tag can have", "v=DMARC1; p=none; 2p=none", ProblemName, "2p=none", "ignored"},
		{"a URI that is none", "v=DMARC1; p=none; rua=bogus", ProblemURI, "rua", "not used"},
		{"a missing policy", "v=DMARC1; rua=mailto:a@a.example", ProblemMissing, "p", "no policy stated"},
		{"a policy assumed for the sake of reports", "v=DMARC1; rua=mailto:a@a.example", ProblemAssumed, "p", "p=none"},
		{"a record of over 8 KiB", "v=DMARC1; p=none; x=" + strings.Repeat("a", 8<<10), ProblemRecordLimit, "v", "no policy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _, _ := Parse(tt.record, RFC9989)
			for _, p := range r.Problems {
				if p.Kind == tt.kind && p.Tag == tt.tag && p.Assumed == tt.assumed {
					return
				}
			}
			t.Errorf("%.80q: problems %v, want %s of %s that assumes %s", tt.record, r.Problems, tt.kind, tt.tag, tt.assumed)
		})
	}
}

func TestAProblemSaysInOneLineWhatIsWrong(t *testing.T) {
	r, _, _ := Parse("v=DMARC1; p=none; t=\x1b[31m", RFC9989)
	if got, want := r.Problems[0].String(), `t: "\x1b[31m" is not y or n; assumed: n`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r, _, _ = Parse("v=DMARC1; p=none; \x1b[31m", RFC9989)
	if got, want := r.Problems[0].String(), `\x1b[31m: tag has no "="; assumed: ignored`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPolicies has what p, sp and np come to. All three are PolicyUnset where the error is
// ErrNoPolicy.
func TestPolicies(t *testing.T) {
	const rua = "; rua=mailto:a@a.example"
	for _, tt := range []struct {
		name, record string
		p, sp, np    Policy
		assumed      bool
	}{
		{"p is for all", "v=DMARC1; p=reject", PolicyReject, PolicyReject, PolicyReject, false},
		{"np falls back to sp", "v=DMARC1; p=reject; sp=none", PolicyReject, PolicyNone, PolicyNone, false},
		{"each for itself", "v=DMARC1; np=reject; sp=quarantine; p=none", PolicyNone, PolicyQuarantine, PolicyReject, false},
		{"np without sp", "v=DMARC1; p=none; np=reject", PolicyNone, PolicyNone, PolicyReject, false},
		{"case does not matter", "V=DMARC1; P=Reject; SP=NONE", PolicyReject, PolicyNone, PolicyNone, false},
		{"no p", "v=DMARC1; sp=reject", 0, 0, 0, false},
		{"no p, but reports", "v=DMARC1; sp=reject" + rua, PolicyNone, PolicyNone, PolicyNone, true},
		{"no p, and a report URI that cannot be used but is one", "v=DMARC1; rua=https://a.example/", PolicyNone, PolicyNone, PolicyNone, true},
		{"no p, and a report URI that is none", "v=DMARC1; rua=a@a.example", 0, 0, 0, false},
		{"a bad p", "v=DMARC1; p=x", 0, 0, 0, false},
		{"a bad p, but reports", "v=DMARC1; p=x" + rua, PolicyNone, PolicyNone, PolicyNone, true},
		{"a bad sp", "v=DMARC1; p=reject; sp=x", 0, 0, 0, false},
		{"a bad sp, but reports", "v=DMARC1; p=reject; sp=x" + rua, PolicyNone, PolicyNone, PolicyNone, true},
		{"a bad np", "v=DMARC1; p=reject; np=x", 0, 0, 0, false},
		{"an item without an equals sign is ignored", "v=DMARC1; p=reject; p", PolicyReject, PolicyReject, PolicyReject, false},
		{"also of sp", "v=DMARC1; p=reject; sp; np none", PolicyReject, PolicyReject, PolicyReject, false},
		{"p without an equals sign is no p", "v=DMARC1; p reject", 0, 0, 0, false},
		{"p without an equals sign is no p, but reports", "v=DMARC1; p reject" + rua, PolicyNone, PolicyNone, PolicyNone, true},
		{"repeated with the same value", "v=DMARC1; p=reject; p=Reject", PolicyReject, PolicyReject, PolicyReject, false},
		{"sp repeated with the same value", "v=DMARC1; p=reject; sp=none; sp=none", PolicyReject, PolicyNone, PolicyNone, false},
		{"p repeated with another value", "v=DMARC1; p=reject; p=none", 0, 0, 0, false},
		{"p repeated with another value, but reports", "v=DMARC1; p=reject; p=none" + rua, PolicyNone, PolicyNone, PolicyNone, true},
		{"three times, the last one another", "v=DMARC1; p=none; p=none; p=reject", 0, 0, 0, false},
		{"adkim repeated with another value", "v=DMARC1; p=reject; adkim=r; adkim=s", 0, 0, 0, false},
		{"aspf repeated with another value, but reports", "v=DMARC1; p=reject; aspf=r; aspf=s" + rua, PolicyNone, PolicyNone, PolicyNone, true},
		{"the version repeated with another value", "v=DMARC1; p=reject; v=dmarc1", 0, 0, 0, false},
		{"the version repeated", "v=DMARC1; p=reject; v=DMARC1", PolicyReject, PolicyReject, PolicyReject, false},
		{"rua repeated with another value", "v=DMARC1; p=reject; rua=mailto:a@a.example; rua=mailto:b@a.example", 0, 0, 0, false},
		{"rua repeated with other case is another value", "v=DMARC1; p=reject; rua=mailto:a@a.example; rua=mailto:A@a.example", 0, 0, 0, false},
		{"an unknown tag repeated with another value", "v=DMARC1; p=reject; x=1; X=2", 0, 0, 0, false},
		{"a removed tag repeated with another value", "v=DMARC1; p=reject; pct=1; pct=2", 0, 0, 0, false},
		{"an unknown tag repeated with the same value", "v=DMARC1; p=reject; x=1; x=1", PolicyReject, PolicyReject, PolicyReject, false},
		{"an empty record", "v=DMARC1", 0, 0, 0, false},
		{"over 8 KiB", "v=DMARC1; p=reject; x=" + strings.Repeat("a", 8<<10), 0, 0, 0, false},
		{"8 KiB", "v=DMARC1; p=reject; x=" + strings.Repeat("a", 8<<10-len("v=DMARC1; p=reject; x=")), PolicyReject, PolicyReject, PolicyReject, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, isDMARC, err := Parse(tt.record, RFC9989)
			if !isDMARC || errors.Is(err, ErrNoPolicy) != (tt.p == PolicyUnset) || (err == nil) != (tt.p != PolicyUnset) {
				t.Fatalf("is a DMARC record: %v, error %v", isDMARC, err)
			}
			if r.Policy != tt.p || r.SubdomainPolicy != tt.sp || r.NonexistentPolicy != tt.np || r.PolicyAssumed != tt.assumed {
				t.Errorf("p=%s sp=%s np=%s, assumed: %v; want %s %s %s, %v", r.Policy, r.SubdomainPolicy, r.NonexistentPolicy, r.PolicyAssumed,
					tt.p, tt.sp, tt.np, tt.assumed)
			}
		})
	}
}

func TestTheErrorOfALongRecordNamesTheLimit(t *testing.T) {
	_, _, err := Parse("v=DMARC1; p=reject; x="+strings.Repeat("a", 8<<10), RFC9989)
	if !errors.Is(err, ErrRecordLimit) || !strings.Contains(err.Error(), "8 KiB") {
		t.Errorf("error %v", err)
	}
}

func TestATagThatIsRepeatedWithAnotherValueHasItsDefault(t *testing.T) {
	r, _, _ := Parse("v=DMARC1; p=none; psd=y; psd=n; adkim=s; adkim=r; aspf=s; t=y; rua=mailto:a@a.example", RFC9989)
	if r.PSD != PSDUnknown || r.DKIMAlignment != alignment.Relaxed {
		t.Errorf("psd=%s, adkim %s", r.PSD, r.DKIMAlignment)
	}
	if r.SPFAlignment != alignment.Strict || !r.Testing || len(r.AggregateReports) != 1 {
		t.Error("other tags do not count")
	}
}

func TestPSDCountsWhereThereIsNoPolicy(t *testing.T) {
	for text, want := range map[string]PSD{
		"v=DMARC1; psd=y": PSDYes, "v=DMARC1; PSD=N": PSDNo, "v=DMARC1; psd=u": PSDUnknown, "v=DMARC1; p=x; p=y; psd=n": PSDNo,
	} {
		if r, _, err := Parse(text, RFC9989); !errors.Is(err, ErrNoPolicy) || r.PSD != want {
			t.Errorf("%s: psd=%s (%v), want %s", text, r.PSD, err, want)
		}
	}
}

func TestATextThatIsNoDMARCRecord(t *testing.T) {
	for _, text := range []string{
		"", "v", "v=", "v=DMARC", "v=DMARC10; p=none", "v=dmarc1; p=none", " v=DMARC1; p=none", "p=none; v=DMARC1", "x=DMARC1; p=none",
		"v=DMARC1 p=none", "v=DMARC1\\; p=none", "vv=DMARC1; p=none", "v DMARC1; p=none", "v=spf1 -all",
	} {
		if r, isDMARC, err := Parse(text, RFC9989); r != nil || isDMARC || err != nil || IsDMARC(text) {
			t.Errorf("%q is taken for a record: %v", text, err)
		}
	}
	for _, text := range []string{"v=DMARC1", "V=DMARC1;", "v = DMARC1 ;p=none", "v\t=\tDMARC1\t"} {
		if _, isDMARC, _ := Parse(text, RFC9989); !isDMARC || !IsDMARC(text) {
			t.Errorf("%q is not taken for a record", text)
		}
	}
}

func TestTagsAreKeptAsTheyStand(t *testing.T) {
	const text = "V=DMARC1; P=Reject; pct=5; x=y; broken; rf=afrf; np=none; ri=60"
	for standard, kinds := range map[Standard][]TagKind{
		RFC9989: {TagKnown, TagKnown, TagRemoved, TagUnknown, TagBroken, TagRemoved, TagKnown, TagRemoved},
		RFC7489: {TagKnown, TagKnown, TagKnown, TagUnknown, TagBroken, TagKnown, TagLater, TagKnown},
	} {
		r, _, _ := Parse(text, standard)
		want := []Tag{
			{"V", "DMARC1", 0}, {"P", "Reject", 0}, {"pct", "5", 0}, {"x", "y", 0}, {"broken", "", 0}, {"rf", "afrf", 0}, {"np", "none", 0}, {"ri", "60", 0},
		}
		for i := range want {
			want[i].Kind = kinds[i]
		}
		if !reflect.DeepEqual(r.Tags, want) {
			t.Errorf("%s: tags %v, want %v", standard, r.Tags, want)
		}
		if !r.Stated("p") || r.Stated("sp") || r.Stated("x") || r.Stated("np") != (standard == RFC9989) {
			t.Errorf("%s: Stated does not know what is stated", standard)
		}
		if r.Percent != 5 || r.Interval != 60 {
			t.Errorf("%s: pct=%d, ri=%d", standard, r.Percent, r.Interval)
		}
	}
}

func TestEveryTagHasItsKind(t *testing.T) {
	for _, tt := range []struct {
		tags     string
		new, old TagKind
	}{
		{"v p sp adkim aspf rua ruf fo", TagKnown, TagKnown},
		{"np psd t", TagKnown, TagLater},
		{"pct ri rf", TagRemoved, TagKnown},
		{"vv ps x", TagUnknown, TagUnknown},
	} {
		for _, name := range strings.Fields(tt.tags) {
			for standard, want := range map[Standard]TagKind{RFC9989: tt.new, RFC7489: tt.old} {
				r, _, _ := Parse("v=DMARC1; "+name+"=DMARC1", standard)
				if got := r.Tags[1].Kind; got != want {
					t.Errorf("%s by %s: %s, want %s", name, standard, got, want)
				}
			}
		}
	}
}

func TestARepeatedValueMayDifferInCaseWhereCaseDoesNotMatter(t *testing.T) {
	for tag, kind := range map[string]ProblemKind{
		"p=NONE; p=none": ProblemRepeated, "p=none; sp=None; sp=none": ProblemRepeated, "p=none; np=None; np=none": ProblemRepeated,
		"p=none; adkim=S; adkim=s": ProblemRepeated, "p=none; aspf=S; aspf=s": ProblemRepeated, "p=none; psd=Y; psd=y": ProblemRepeated,
		"p=none; t=Y; t=y": ProblemRepeated, "p=none; fo=D; fo=d": ProblemRepeated,
		"p=none; ruf=mailto:A@a.example; ruf=mailto:a@a.example": ProblemConflict, "p=none; x=A; x=a": ProblemConflict,
	} {
		r, _, err := Parse("v=DMARC1; "+tag, RFC9989)
		if len(r.Problems) == 0 || r.Problems[0].Kind != kind || (err == nil) != (kind == ProblemRepeated) {
			t.Errorf("%s: %v (%v), want %s", tag, r.Problems, err, kind)
		}
	}
}

func TestRFC7489DoesNotKnowLaterTags(t *testing.T) {
	r, _, err := Parse("v=DMARC1; p=reject; np=none; psd=y; t=y", RFC7489)
	if err != nil || r.NonexistentPolicy != PolicyReject || r.PSD != PSDUnknown || r.Testing {
		t.Errorf("np=%s, psd=%s, t=%v (%v)", r.NonexistentPolicy, r.PSD, r.Testing, err)
	}
	if r, _, err = Parse("v=DMARC1; p=reject; np=x; t=maybe", RFC7489); err != nil || len(r.Problems) != 0 {
		t.Errorf("values of later tags are read: %v, %v", err, r.Problems)
	}
}

func TestTagsWithTheirDefaults(t *testing.T) {
	want := &Record{
		Policy: PolicyNone, SubdomainPolicy: PolicyNone, NonexistentPolicy: PolicyNone,
		FailureOptions: []string{"0"}, Percent: 100, Interval: 86400,
		Tags: []Tag{{"v", "DMARC1", TagKnown}, {"p", "none", TagKnown}},
	}
	if r, _, err := Parse("v=DMARC1; p=none", RFC9989); err != nil || !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v, %v; want %+v", r, err, want)
	}
	r, _, _ := Parse("v=DMARC1; p=none; adkim=S; aspf=s; t=N; fo=1:D:s; pct=0; ri=0; ruf=mailto:f@a.example", RFC9989)
	if r.DKIMAlignment != alignment.Strict || r.SPFAlignment != alignment.Strict || r.Testing ||
		strings.Join(r.FailureOptions, ":") != "1:d:s" || r.Percent != 0 || r.Interval != 0 || r.FailureReports[0].Address != "f@a.example" {
		t.Errorf("got %+v", r)
	}
	if len(r.Problems) != 0 {
		t.Errorf("problems %v", r.Problems)
	}
	if r, _, _ := Parse("v=DMARC1; p=none; pct=100; ri=2147483647", RFC9989); r.Percent != 100 || r.Interval != 2147483647 || len(r.Problems) != 0 {
		t.Errorf("pct=%d, ri=%d, problems %v", r.Percent, r.Interval, r.Problems)
	}
	if r, _, _ := Parse("v=DMARC1; p=none; pct=101; ri=2147483648", RFC9989); r.Percent != 100 || r.Interval != 86400 || len(r.Problems) != 2 {
		t.Errorf("pct=%d, ri=%d, problems %v", r.Percent, r.Interval, r.Problems)
	}
}

func TestARecordComesBackFromJSON(t *testing.T) {
	r, _, _ := Parse("v=DMARC1; p=none; adkim=x; psd=n; rua=mailto:a@a.example!10m, bogus, https://a.example/; x; pct=1; y=z", RFC7489)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("%s\ncame back as\n%s (%v)", text, again, err)
	}
	if !errors.Is(back.AggregateReports[1].Err, ErrURISyntax) || !errors.Is(back.AggregateReports[2].Err, ErrURIScheme) {
		t.Errorf("errors of URIs: %v, %v", back.AggregateReports[1].Err, back.AggregateReports[2].Err)
	}
	if !strings.Contains(string(text), `"standard":"RFC 7489"`) || !strings.Contains(string(text), `"kind":"later"`) {
		t.Errorf("%s", text)
	}
}

func TestWords(t *testing.T) {
	for value, want := range map[interface{ MarshalText() ([]byte, error) }]string{
		PolicyQuarantine: "quarantine", PSDYes: "y", TagBroken: "broken", ProblemRecordLimit: "record-limit", RFC7489: "RFC 7489",
	} {
		if text, err := value.MarshalText(); err != nil || string(text) != want {
			t.Errorf("got %s, %v; want %s", text, err, want)
		}
	}
	if PolicyReject.Lower() != PolicyQuarantine || PolicyQuarantine.Lower() != PolicyNone || PolicyNone.Lower() != PolicyNone || PolicyUnset.Lower() != PolicyUnset {
		t.Error("Lower is not one level below")
	}
	var p Policy
	if p.UnmarshalText([]byte("rejct")) == nil {
		t.Error("a word that is none is read")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=reject; rua=mailto:a@example.com!10m, mailto:b@example.com; pct=5; t=y",
		"V = DMARC1 ;P=none;;x;adkim=s", "v=DMARC1; p=none; p=none; t=y; t=n", "v=DMARC1;9=x;a=\x00;fo=1:d:s",
	} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, old bool) {
		standard := RFC9989
		if old {
			standard = RFC7489
		}
		r, isDMARC, err := Parse(s, standard)
		if !isDMARC {
			if r != nil || err != nil {
				t.Fatalf("not a record, but %v, %v", r, err)
			}
			return
		}
		if (err == nil) != (r.Policy != PolicyUnset) {
			t.Fatalf("error %v with policy %s", err, r.Policy)
		}
		if len(s) > 8<<10 {
			return
		}
		again, isDMARC, _ := Parse(r.String(), standard)
		if !isDMARC || !reflect.DeepEqual(again, r) {
			t.Errorf("%q: String gives %q, which reads as\n%+v, want\n%+v", s, r.String(), again, r)
		}
	})
}
