package explain_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestWhatTheOwnerGetsToKnowIsExplained(t *testing.T) {
	shop := []dmarctest.Signature{{Domain: "shop.example"}}
	for _, tt := range []struct {
		name, record string
		sign         []dmarctest.Signature
		fail         []string
		want         []string // lines of evidence, with what comes of it as the last
		not          string
	}{
		{
			name: "the row, its results, and where it goes", record: "v=DMARC1; p=reject; rua=mailto:agg@shop.example,mailto:x@tools.example",
			want: []string{
				"row: 192.0.2.25, disposition=reject, dkim=fail, spf=fail", "From: shop.example", "MAIL FROM: mail.provider.example",
				"spf: mail.provider.example: pass", "to: agg@shop.example",
				"to: x@tools.example, if DNS has a record v=DMARC1 at shop.example._report._dmarc.tools.example",
				"counted: A receiver that reports counts the message in the row above. No address of a person is in it.",
			},
			not: "failure:",
		},
		{
			name: "a message that passes is disposition=pass", record: "v=DMARC1; p=reject; rua=mailto:agg@shop.example", sign: shop,
			want: []string{"row: 192.0.2.25, disposition=pass, dkim=pass, spf=fail", "dkim: shop.example, selector test: pass"},
		},
		{
			name: "why less was done than the policy asks for", record: "v=DMARC1; p=reject; t=y; rua=mailto:agg@shop.example",
			want: []string{"row: 192.0.2.25, disposition=quarantine, dkim=fail, spf=fail", "reason: policy_test_mode: t=y"},
		},
		{
			name: "nobody can be told", record: "v=DMARC1; p=reject; rua=https://shop.example/",
			want: []string{"not counted: The message is in no aggregate report: the record names no address for aggregate reports."}, not: "row:",
		},
		{
			name: "fo=1 asks for what does not pass twice", record: "v=DMARC1; p=none; ruf=mailto:f@shop.example; fo=1:d", sign: shop,
			want: []string{"failure: report asked for by fo=1: SPF or DKIM did not pass with alignment", "to: f@shop.example"}, not: "fo=d",
		},
		{
			name: "the default asks for what does not pass at all", record: "v=DMARC1; p=none; ruf=mailto:f@tools.example",
			want: []string{"failure: report asked for by fo=0: neither SPF nor DKIM passed with alignment",
				"to: f@tools.example, if DNS has a record v=DMARC1 at shop.example._report._dmarc.tools.example"},
		},
		{
			name: "the default asks for nothing about what passes", record: "v=DMARC1; p=none; ruf=mailto:f@shop.example", sign: shop,
			want: []string{"failure: no report asked for: fo=0 does not apply to this message"}, not: "to:",
		},
		{
			name: "fo without ruf", record: "v=DMARC1; p=none; fo=1",
			want: []string{"failure: no report asked for: the record has fo, but no address in ruf"},
		},
		{
			name: "a public suffix gets none", record: "v=DMARC1; p=none; psd=y; ruf=mailto:f@shop.example",
			want: []string{"failure: no report asked for: the record is a public suffix's"},
		},
		{
			name: "DNS left the verdict open", record: "v=DMARC1; p=reject; rua=mailto:agg@shop.example; ruf=mailto:f@shop.example", sign: shop,
			fail: []string{"test._domainkey.shop.example TXT"},
			want: []string{"failure: no report asked for: the verdict is temperror",
				"not counted: The message is in no aggregate report: the message was refused for now and comes again."},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := story{records: resolver.Zone{"_dmarc.shop.example": {TXT: []string{tt.record}}}, sign: tt.sign, fail: tt.fail}
				e := explain.Explain(s.result(t))
				i := slices.IndexFunc(e.Steps, func(s explain.Step) bool { return s.Kind == explain.KindReports })
				if i < 0 {
					t.Fatal("there is no such step")
				}
				var lines []string
				for _, f := range e.Steps[i].Evidence {
					lines = append(lines, f.Label+": "+f.Text)
				}
				lines = append(lines, e.Steps[i].Outcome+": "+e.Steps[i].Consequence)
				for _, want := range tt.want {
					if !slices.Contains(lines, want) {
						t.Errorf("no %q in\n%s", want, strings.Join(lines, "\n"))
					}
				}
				if tt.not != "" && slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, tt.not) }) {
					t.Errorf("%q in\n%s", tt.not, strings.Join(lines, "\n"))
				}
			})
		})
	}
}

func TestWhereNobodyAsksNothingIsSaidOfReports(t *testing.T) {
	for _, records := range []resolver.Records{{}, {TXT: []string{"v=DMARC1; p=reject"}}} {
		synctest.Test(t, func(t *testing.T) {
			s := story{records: resolver.Zone{"_dmarc.shop.example": records}}
			for _, step := range explain.Explain(s.result(t)).Steps {
				if step.Kind == explain.KindReports {
					t.Errorf("%+v", step)
				}
			}
		})
	}
}
