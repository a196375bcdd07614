package mend

import (
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/spf"
)

func TestSPFIsMended(t *testing.T) {
	for text, want := range map[string]string{
		"v=spf1 ipv4:192.0.2.1 -all":                                "v=spf1 ip4:192.0.2.1 -all",
		"v=spf1 ip:192.0.2.0/24 -all":                               "v=spf1 ip4:192.0.2.0/24 -all",
		"v=spf1 ipv6:2001:db8::1 -all":                              "v=spf1 ip6:2001:db8::1 -all",
		"v=spf1 ip4:2001:db8::/32 -all":                             "v=spf1 ip6:2001:db8::/32 -all",
		"v=spf1 ip6:192.0.2.1 -all":                                 "v=spf1 ip4:192.0.2.1 -all",
		"v=spf1 ip4=192.0.2.1 -all":                                 "v=spf1 ip4:192.0.2.1 -all",
		"v=spf1 a:192.0.2.1 -all":                                   "v=spf1 ip4:192.0.2.1 -all",
		"v=spf1 ip4:mail.example.com -all":                          "v=spf1 a:mail.example.com -all",
		"v=spf1 192.0.2.1 2001:db8::1 ~all":                         "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all",
		"v=spf1 +192.0.2.0/24 ~all":                                 "v=spf1 +ip4:192.0.2.0/24 ~all",
		"v=spf1 ip4: 192.0.2.1 -all":                                "v=spf1 ip4:192.0.2.1 -all",
		"v=spf1 include: _spf.example.com -all":                     "v=spf1 include:_spf.example.com -all",
		"v=spf1 redirect= _spf.example.com":                         "v=spf1 redirect=_spf.example.com",
		"v=spf1 a - all":                                            "v=spf1 a -all",
		"v=spf1 ip4:192.0.2.1,ip4:192.0.2.2 -all":                   "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all",
		"v=spf1 ip4:192.0.2.1, 192.0.2.2,192.0.2.3 -all":            "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 -all",
		"v=spf1 include:a.example; include:b.example; ~all":         "v=spf1 include:a.example include:b.example ~all",
		"v=spf1; a; mx; -all;":                                      "v=spf1 a mx -all",
		"v=spf1 ip4:192.0.2.1~all":                                  "v=spf1 ip4:192.0.2.1 ~all",
		"v=spf1include:p.example.net -all":                          "v=spf1 include:p.example.net -all",
		"v=spf1-all":                                                "v=spf1 -all",
		"v=spf1 includes:p.example.net -all":                        "v=spf1 include:p.example.net -all",
		"v=spf1 inlcude:p.example.net -all":                         "v=spf1 include:p.example.net -all",
		"v=spf1 include=p.example.net -all":                         "v=spf1 include:p.example.net -all",
		"v=spf1 include:https://p.example.net/ -all":                "v=spf1 include:p.example.net -all",
		"v=spf1 include:info@p.example.net -all":                    "v=spf1 include:p.example.net -all",
		"v=spf1 redirect:p.example.net":                             "v=spf1 redirect=p.example.net",
		"v=spf1 a -al":                                              "v=spf1 a -all",
		"v=spf1 a ~alll":                                            "v=spf1 a ~all",
		"v=spf1 a --all":                                            "v=spf1 a -all",
		"v=spf1 a \u2013all":                                        "v=spf1 a -all",
		"v=spf1\u00a0a -all":                                        "v=spf1 a -all",
		"\"v=spf1 a -all\"":                                         "v=spf1 a -all",
		"\u201cv=spf1 a -all\u201d":                                 "v=spf1 a -all",
		`"v=spf1 a" " -all"`:                                        "v=spf1 a -all",
		`v=spf1 include:p.example.net \-all`:                        "v=spf1 include:p.example.net -all",
		" v=spf1 a -all":                                            "v=spf1 a -all",
		"v=spf 1 a -all":                                            "v=spf1 a -all",
		"V = SPF1 a -all":                                           "v=spf1 a -all",
		"spf1 a -all":                                               "v=spf1 a -all",
		"v:spf1 a -all":                                             "v=spf1 a -all",
		"v=spf2.0 a -all":                                           "v=spf1 a -all",
		"v=spf a -all":                                              "v=spf1 a -all",
		"include:p.example.net ~all":                                "v=spf1 include:p.example.net ~all",
		"v=spf1 a -all v=spf1 mx -all":                              "v=spf1 a -all mx -all",
		"v=spf1 host:mail.example.com -all":                         "v=spf1 a:mail.example.com -all",
		"v=spf1 exist:%{i}.x.example -all":                          "v=spf1 exists:%{i}.x.example -all",
		"v=spf1 ip4:192.0.2.1  192.0.2.2 include:a.example. ipv4:x": "",
		"v=spf1 ip4:192.0.2.300 -all":                               "",
		"v=spf1 ip4:192.0.2.0/33 -all":                              "",
		"v=spf1 something -all":                                     "",
		"v=spf1 include: -all":                                      "",
	} {
		r, meant := SPF(text)
		if !meant {
			t.Errorf("%q was not meant to be SPF", text)
			continue
		}
		if r.Mended != want || len(r.Faults) == 0 {
			t.Errorf("%q became %q, want %q; faults %+v", text, r.Mended, want, r.Faults)
		}
		checkFaults(t, r)
	}
}

func TestSPFThatIsRightStaysAsItIs(t *testing.T) {
	for _, text := range []string{
		"v=spf1 -all", "V=SPF1 A -ALL", "v=spf1  a  mx ", "v=spf1 a:foo.b-all -all", "v=spf1 ra=x rp=10 rr=e:f -all", "v=spf1",
		"v=spf1 exists:%{l,}.x.example -all", "v=spf1 include:_spf.example.com. -all", "v=spf1 x-include=a -all",
	} {
		r, meant := SPF(text)
		if !meant || len(r.Faults) > 0 || r.Mended != "" {
			t.Errorf("%q: %v, %+v", text, meant, r)
		}
	}
}

func TestWhatWasNotMeantToBeSPFIsLeftAlone(t *testing.T) {
	for _, text := range []string{
		"", "google-site-verification=abc", "v=DMARC1; p=none", "spf2.0/mfrom,pra a -all", "MS=ms123", "v=STSv1", "vendor=1",
		"the spf1 record", strings.Repeat("v=spf1 ", 5000),
	} {
		if r, meant := SPF(text); meant {
			t.Errorf("%.50q: %+v", text, r)
		}
	}
}

func TestThePlaceIsThatOfTheRecordAsItIsPublished(t *testing.T) {
	for text, want := range map[string]string{
		"v=spf1 ipv4:192.0.2.1 -all":             "ipv4:192.0.2.1",
		"v=spf1 ip4: 192.0.2.1 -all":             " ",
		"v=spf1 ip4:192.0.2.1,ip4:192.0.2.2 ~al": ",/~al",
		"\u201cv=spf1 \u2013al\u201d":            "\u201c/\u2013/\u2013al",
		"v=spf1include:a.example -all":           "",
	} {
		r, _ := SPF(text)
		var places []string
		for _, f := range r.Faults {
			places = append(places, text[f.Begin:f.End])
		}
		if got := strings.Join(places, "/"); got != want {
			t.Errorf("%q is wrong at %q, want %q", text, got, want)
		}
	}
}

// checkFaults reports places that are none.
func checkFaults(t *testing.T, r *Record) {
	t.Helper()
	for _, f := range r.Faults {
		if f.Begin < 0 || f.Begin > f.End || f.End > len(r.Text) || f.Text == "" || f.Kind == "" {
			t.Fatalf("%+v in %q", f, r.Text)
		}
	}
}

func TestSeveralRecordsAreMerged(t *testing.T) {
	for _, test := range []struct {
		records []string
		want    string
	}{
		{[]string{"v=spf1 include:a.example -all", "v=spf1 include:b.example ~all"}, "v=spf1 include:a.example include:b.example ~all"},
		{[]string{"v=spf1 a mx -all", "v=spf1 mx +A -all"}, "v=spf1 a mx -all"},
		{[]string{"v=spf1 mx", "v=spf1 redirect=b.example"}, "v=spf1 mx include:b.example ~all"},
		{[]string{"v=spf1 mx +all", "v=spf1 a -all exp=x.example"}, "v=spf1 mx a -all"},
		{[]string{"v=spf1 mx -all", "v=spf1 ipv4:192.0.2.1 -all"}, ""},
	} {
		if got := Merge(test.records); got != test.want {
			t.Errorf("%q became %q, want %q", test.records, got, test.want)
		}
	}
}

func FuzzSPF(f *testing.F) {
	for _, text := range []string{
		"v=spf1 ipv4:192.0.2.1,192.0.2.2 include: a.example -al", "\u201cv=spf 1 \u2013 all\u201d", `"v=spf1 a" "-all"`, "v=spf1include:a~all",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, meant := SPF(text)
		if _, is, err := spf.Parse(text); is && err == nil && len(text) <= maxText {
			if !meant {
				t.Fatalf("%q is SPF", text)
			}
		}
		if !meant {
			return
		}
		checkFaults(t, r)
		if r.Mended == "" {
			return
		}
		if _, is, err := spf.Parse(r.Mended); !is || err != nil {
			t.Fatalf("%q became %q: %v", text, r.Mended, err)
		}
		if again, meant := SPF(r.Mended); !meant || len(again.Faults) > 0 && again.Faults[0].Kind != KindRepeated {
			t.Fatalf("%q became %q, which has faults: %+v", text, r.Mended, again.Faults)
		}
	})
}
