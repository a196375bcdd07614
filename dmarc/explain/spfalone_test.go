package explain_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestSPFAloneIsExplained(t *testing.T) {
	zone := resolver.Zone{
		"pass.example":    {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}},
		"open.example":    {TXT: []string{"v=spf1 +all"}},
		"fail.example":    {TXT: []string{"v=spf1 -all"}},
		"soft.example":    {TXT: []string{"v=spf1 ~all"}},
		"shrug.example":   {TXT: []string{"v=spf1 ?all"}},
		"broken.example":  {TXT: []string{"v=spf1 ipv4:192.0.2.25 -all"}},
		"nearly.example":  {TXT: []string{"v=spf1include:pass.example -all"}},
		"slow.example":    {Fault: resolver.Fault{Err: resolver.ErrTimeout}},
		"refused.example": {Fault: resolver.Fault{Err: resolver.ErrRefused}},
		"none.example":    {A: []string{"192.0.2.1"}},
	}
	for domain, want := range map[string][3]string{
		"pass.example":    {"PASS: pass.example lets 192.0.2.25 send its mail.", "", ""},
		"open.example":    {"PASS: open.example lets 192.0.2.25 send its mail.", "", "It lets everybody send mail in your name: +all."},
		"fail.example":    {"FAIL: fail.example says that 192.0.2.25 may not send its mail.", "[replace TXT fail.example: v=spf1 ip4:192.0.2.25 -all]", ""},
		"soft.example":    {"MILD FAIL: soft.example says that 192.0.2.25 is probably none of its servers.", "[replace TXT soft.example: v=spf1 ip4:192.0.2.25 ~all]", ""},
		"shrug.example":   {"NO ANSWER: shrug.example says nothing about 192.0.2.25.", "[replace TXT shrug.example: v=spf1 ip4:192.0.2.25 ?all]", ""},
		"broken.example":  {"NO ANSWER: the SPF record of broken.example cannot be used. A part of it cannot be read.", "[replace TXT broken.example: v=spf1 ip4:192.0.2.25 -all]", ""},
		"nearly.example":  {"NO ANSWER: there is nothing to check by. There is no SPF record.", "[replace TXT nearly.example: v=spf1 include:pass.example -all]", ""},
		"slow.example":    {"NOT KNOWN YET: whether slow.example lets 192.0.2.25 send its mail. DNS did not answer.", "Send it again later.", ""},
		"refused.example": {"NOT KNOWN YET", "Check the message again, with another DNS server.", ""},
		"none.example":    {"NO ANSWER: there is nothing to check by. There is no SPF record.", "[add TXT none.example: v=spf1 ip4:192.0.2.25 ~all]", ""},
	} {
		t.Run(domain, func(t *testing.T) {
			e := dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.25"), HELO: "pass.example", MailFrom: "a@" + domain}
			c := spf.Checker{Resolver: zone}
			got := explain.ExplainSPF(e, c.Check(t.Context(), e), c.CheckHELO(t.Context(), e))
			if text := answerText(&got.Answer); !strings.HasPrefix(text, want[0]) {
				t.Errorf("the answer is %q, want %q", text, want[0])
			}
			if text := fixText(got.Answer.Fixes); !strings.Contains(text, want[1]) || want[1] == "" && text != "" {
				t.Errorf("the fix is %q, want %q", text, want[1])
			}
			if text := fixText(got.Answer.Advice); !strings.Contains(text, want[2]) || want[2] == "" && text != "" {
				t.Errorf("the advice is %q, want %q", text, want[2])
			}
			if len(got.Steps) != 3 || got.Steps[1].Kind != explain.KindSPF || got.Steps[2].Kind != explain.KindHELO {
				t.Errorf("the steps are %+v", got.Steps)
			}
			checkPlain(t, got)

			e.IP = netip.Addr{}
			if got := explain.ExplainSPF(e, c.Check(t.Context(), e), nil); len(got.Answer.Fixes)+len(got.Answer.Advice) > 0 {
				t.Errorf("for an unknown client there is a fix: %+v", got.Answer.Fixes)
			}
		})
	}
	if got := explain.ExplainSPF(dmarc.Envelope{}, nil, nil); got.Answer.Verdict != "" || len(got.Steps) != 1 {
		t.Errorf("without a result: %+v", got)
	}
}
