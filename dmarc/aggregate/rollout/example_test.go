package rollout_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

func Example() {
	// The rows of the reports of a month, of which a program would keep the sums.
	rows := []aggregate.Row{
		{Source: netip.MustParseAddr("192.0.2.1"), Count: 9000, DKIM: "pass", SPF: "pass", HeaderFrom: "example.com",
			AuthDKIM: []aggregate.Auth{{Domain: "example.com", Selector: "s1", Result: "pass"}}},
		{Source: netip.MustParseAddr("198.51.100.7"), Count: 300, DKIM: "fail", SPF: "fail", HeaderFrom: "example.com",
			AuthSPF: []aggregate.Auth{{Domain: "em1.sendgrid.net", Result: "pass"}}},
		{Source: netip.MustParseAddr("203.0.113.9"), Count: 40, DKIM: "fail", SPF: "fail", HeaderFrom: "nowhere.example.com"},
	}
	var flows []rollout.Flow
	for i := range rows {
		flows = append(flows, rollout.Of(&rows[i]))
	}
	rollout.Refine(flows)
	for _, s := range rollout.Sources("example.com", flows) {
		fmt.Println(s)
	}
	plan := rollout.Make(rollout.Input{
		Domain: "example.com", Flows: flows, Now: time.Now(), Days: 30, Covered: 30,
		Record: "v=DMARC1; p=none; rua=mailto:dmarc@example.com", Missing: map[string]bool{"nowhere.example.com": true},
	})
	fmt.Println(plan.Step.Record)
	for _, b := range plan.Blocks {
		fmt.Println(b.Text)
	}
	// Output:
	// selector s1: aligned, messages: 9000, hosts: 1
	// SendGrid: misaligned, messages: 300, hosts: 1
	// 203.0.113.9: unknown, messages: 40, hosts: 1
	// v=DMARC1; p=none; sp=reject; np=reject; rua=mailto:dmarc@example.com
	// SendGrid sent 300 messages that fail, 3.2 % of your own. Set it up before p=quarantine, or make sure that it is not yours.
}
