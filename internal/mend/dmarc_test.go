package mend

import (
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/record"
)

func TestDMARCIsMended(t *testing.T) {
	for text, want := range map[string]string{
		"v=DMARC1 p=reject":                                    "v=DMARC1; p=reject",
		"v=DMARC1 p=none rua=mailto:a@x.example":               "v=DMARC1; p=none; rua=mailto:a@x.example",
		"v=DMARC1, p=none, sp=none":                            "v=DMARC1; p=none; sp=none",
		"v=dmarc1; p=none":                                     "v=DMARC1; p=none",
		"V=DMARC; p=none":                                      "v=DMARC1; p=none",
		"v=DMARC 1; p=none":                                    "v=DMARC1; p=none",
		"DMARC1; p=none":                                       "v=DMARC1; p=none",
		"p=reject; v=DMARC1":                                   "v=DMARC1; p=reject",
		"p=reject; rua=mailto:a@x.example":                     "v=DMARC1; p=reject; rua=mailto:a@x.example",
		" v=DMARC1; p=none":                                    "v=DMARC1; p=none",
		`"v=DMARC1; p=none"`:                                   "v=DMARC1; p=none",
		`v=DMARC1\; p=reject`:                                  "v=DMARC1; p=reject",
		"v=DMARC1;\u00a0p=none":                                "v=DMARC1; p=none",
		"v=DMARC1; p=monitor":                                  "v=DMARC1; p=none",
		"v=DMARC1; p=rejct; rua=mailto:a@x.example":            "v=DMARC1; p=reject; rua=mailto:a@x.example",
		"v=DMARC1; p=quarantaine":                              "v=DMARC1; p=quarantine",
		"v=DMARC1; p=block":                                    "v=DMARC1; p=reject",
		"v=DMARC1; p reject; rua=mailto:a@x.example":           "v=DMARC1; p=reject; rua=mailto:a@x.example",
		"v=DMARC1; p:reject":                                   "v=DMARC1; p=reject",
		"v=DMARC1; rua=mailto:a@x.example":                     "v=DMARC1; p=none; rua=mailto:a@x.example",
		"v=DMARC1":                                             "v=DMARC1; p=none",
		"v=DMARC1; p=none; rua=a@x.example":                    "v=DMARC1; p=none; rua=mailto:a@x.example",
		"v=DMARC1; p=none; rua=mailto: a@x.example":            "v=DMARC1; p=none; rua=mailto:a@x.example",
		"v=DMARC1; p=none; rua=mailto:a@x.example;b@x.example": "v=DMARC1; p=none; rua=mailto:a@x.example,mailto:b@x.example",
		"v=DMARC1; p=none; rua=https://x.example":              "v=DMARC1; p=none",
		"v=DMARC1; p=none; adkim=relaxed; aspf=strict":         "v=DMARC1; p=none; adkim=r; aspf=s",
		"v=DMARC1; p=none; aspf=x":                             "v=DMARC1; p=none",
		"v=DMARC1; p=none; fo=0,1":                             "v=DMARC1; p=none; fo=0:1",
		"v=DMARC1; p=none; p=none":                             "v=DMARC1; p=none",
		"v=DMARC1; p=none; ruaa=mailto:a@x.example":            "v=DMARC1; p=none; rua=mailto:a@x.example",
		"v=DMARC1; p=reject; p":                                "v=DMARC1; p=reject",
		"v=DMARC1; p=none; p=reject":                           "",
		"v=DMARC1; p=perhaps":                                  "",
	} {
		r, meant := DMARC(text)
		if !meant {
			t.Errorf("%q was not meant to be DMARC", text)
			continue
		}
		if r.Mended != want || len(r.Faults) == 0 {
			t.Errorf("%q became %q, want %q; faults %+v", text, r.Mended, want, r.Faults)
		}
		checkFaults(t, r)
	}
}

func TestDMARCThatIsRightStaysAsItIs(t *testing.T) {
	for _, text := range []string{
		"v=DMARC1; p=none", "v=DMARC1;p=Reject;", "v = DMARC1 ; p = reject ; sp = none", "v=DMARC1; p=none; pct=50; rf=afrf",
		"v=DMARC1; p=none; rua=mailto:a@x.example, mailto:b@x.example; fo=1:d", "v=DMARC1;; p=none",
	} {
		r, meant := DMARC(text)
		if !meant || len(r.Faults) > 0 || r.Mended != "" {
			t.Errorf("%q: %v, %+v", text, meant, r)
		}
	}
}

func TestWhatWasNotMeantToBeDMARCIsLeftAlone(t *testing.T) {
	for _, text := range []string{"", "v=spf1 -all", "v=DKIM1; k=rsa; p=AAAA", "v=STSv1; id=1", "google-site-verification=p", "k=rsa; p=reject1234", "v=BIMI1; l="} {
		if r, meant := DMARC(text); meant {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func FuzzDMARC(f *testing.F) {
	for _, text := range []string{
		"v=DMARC1 p=monitor, rua=a@x.example;b@x.example", `"v=dmarc1\; p rejct; fo=0,1"`, "p=none; v=DMARC1; adkim=relaxed",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, meant := DMARC(text)
		if record.IsDMARC(text) && len(text) <= maxText && !meant {
			t.Fatalf("%q is DMARC", text)
		}
		if !meant {
			return
		}
		checkFaults(t, r)
		if r.Mended == "" {
			return
		}
		parsed, is, err := record.Parse(r.Mended, record.RFC9989)
		if !is || err != nil {
			t.Fatalf("%q became %q: %v", text, r.Mended, err)
		}
		for _, p := range parsed.Problems {
			if p.Tag == "p" {
				t.Fatalf("%q became %q: %v", text, r.Mended, p)
			}
		}
	})
}
