package dmarctest

import (
	"encoding/json"
	"flag"
	"reflect"
	"testing"
)

// Of this package's own tests: go test ./dmarc/dmarctest -update.
var _ = flag.Bool("update", false, "write the expectations of the fixtures")

func TestOnlyTheExpectationIsRewritten(t *testing.T) {
	w := Want{Verdict: "pass", Disposition: "none", SPF: "fail", DKIM: []string{"pass", "fail"}}
	const text = "{\n    \"verdict\": \"pass\",\n    \"disposition\": \"none\",\n    \"spf\": \"fail\",\n    \"dkim\": [\"pass\", \"fail\"]\n  }"
	for _, tt := range []struct{ name, in, want string }{
		{"in the middle", `{"ip": "::1" , "want" :  {"verdict":"none"} ,"helo":"a"}`, `{"ip": "::1" , "want" :  ` + text + ` ,"helo":"a"}`},
		{"at the end", "{\n  \"want\": {}\n}\n", "{\n  \"want\": " + text + "\n}\n"},
		{"where there is none", "{\n  \"ip\": \"::1\"\n}\n", "{\n  \"ip\": \"::1\",\n  \"want\": " + text + "\n}\n"},
		{"in an empty object", "{}\n", "{\n  \"want\": " + text + "\n}\n"},
		{"where the key stands deeper too", `{"faults": {"want": "1s"}, "want": null}`, `{"faults": {"want": "1s"}, "want": ` + text + `}`},
		{"where there are two, of which the last counts", `{"want": {}, "want": {}}`, `{"want": {}, "want": ` + text + `}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := replaceWant([]byte(tt.in), w)
			if err != nil || string(got) != tt.want {
				t.Fatalf("%v\n%s\nwant\n%s", err, got, tt.want)
			}
			var back struct{ Want Want }
			if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back.Want, w) {
				t.Errorf("%+v, %v", back.Want, err)
			}
		})
	}
	for _, in := range []string{"", "[]", "{", `{"ip"`, `{"ip": "::1", }`, `"want"`} {
		if got, err := replaceWant([]byte(in), w); err == nil {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestExpectationsAreRewrittenOnlyWhereThatIsAskedFor(t *testing.T) {
	update := flag.Lookup("update").Value.String()
	t.Cleanup(func() {
		if err := flag.Set("update", update); err != nil {
			t.Error(err)
		}
	})
	for _, tt := range []struct {
		variable, flag string
		want           bool
	}{
		{"", "false", false},
		{"1", "false", true},
		{"true", "false", true},
		{"0", "true", false},
		{"", "true", true},
	} {
		t.Setenv(updateVariable, tt.variable)
		if err := flag.Set("update", tt.flag); err != nil {
			t.Fatal(err)
		}
		if got := updating(); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func FuzzReplaceWant(f *testing.F) {
	f.Add(`{"ip": "::1", "want": {"verdict": "none"}}`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, in string) {
		w := Want{Verdict: "pass", Disposition: "none", SPF: "none", DKIM: []string{}}
		out, err := replaceWant([]byte(in), w)
		if err != nil || !json.Valid([]byte(in)) {
			return
		}
		var back map[string]json.RawMessage
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%q became %q: %v", in, out, err)
		}
		var got Want
		if err := json.Unmarshal(back["want"], &got); err != nil || !reflect.DeepEqual(got, w) {
			t.Fatalf("%q became %q: %+v, %v", in, out, got, err)
		}
	})
}
