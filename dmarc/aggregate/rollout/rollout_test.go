package rollout_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

func pass(domain, selector string) aggregate.Auth {
	return aggregate.Auth{Domain: domain, Selector: selector, Result: "pass"}
}

func TestARowShowsWhoSentAsFarAsItProvesIt(t *testing.T) {
	host := netip.MustParseAddr("192.0.2.1")
	for _, test := range []struct {
		name  string
		row   aggregate.Row
		class rollout.Class
		who   string
	}{
		{"own mail is named by its selector", aggregate.Row{DKIM: "pass", AuthDKIM: []aggregate.Auth{pass("example.com", "s1")}}, rollout.Aligned, "selector s1"},
		{"a provider that signs beside the domain is named", aggregate.Row{DKIM: "pass",
			AuthDKIM: []aggregate.Auth{pass("example.com", "abc"), pass("amazonses.com", "x")}}, rollout.Aligned, "Amazon SES"},
		{"a provider that is not set up", aggregate.Row{DKIM: "fail", SPF: "fail", AuthSPF: []aggregate.Auth{pass("u1.sendgrid.net", "")}}, rollout.Misaligned, "SendGrid"},
		{"a name below the domain, which adkim=s does not take", aggregate.Row{DKIM: "fail", AuthDKIM: []aggregate.Auth{pass("mail.example.com", "s")}}, rollout.Misaligned, "selector s"},
		{"a list that changed signed mail and signed itself", aggregate.Row{DKIM: "fail",
			AuthDKIM: []aggregate.Auth{{Domain: "example.com", Result: "fail"}, pass("lists.example.org", "l")}}, rollout.Forwarded, "example.org"},
		{"a forwarder that the reporter knows", aggregate.Row{Reasons: []aggregate.Reason{{Type: "forwarded"}}}, rollout.Forwarded, ""},
		{"a chain of seals that the reporter trusts", aggregate.Row{Reasons: []aggregate.Reason{{Type: "local_policy", Comment: "ARC=pass as.1.x"}}}, rollout.Forwarded, ""},
		{"a stranger", aggregate.Row{AuthSPF: []aggregate.Auth{pass("spam.example.net", "")}}, rollout.Unknown, "example.net"},
		{"a name in HELO proves nothing", aggregate.Row{AuthSPF: []aggregate.Auth{{Domain: "mx.example.com", Scope: "helo", Result: "pass"}}}, rollout.Unknown, ""},
		{"nothing", aggregate.Row{}, rollout.Unknown, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.row.Source, test.row.HeaderFrom, test.row.Count = host, "example.com", 3
			f := rollout.Of(&test.row)
			if f.Class != test.class || f.Name != test.who || f.Messages != 3 || f.Source != host {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestAHostIsKnownByWhatElseComesFromIt(t *testing.T) {
	own, forwarder, stranger := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	flows := []rollout.Flow{
		{Source: own, SPF: true, Class: rollout.Aligned}, {Source: own, Class: rollout.Unknown},
		{Source: forwarder, DKIM: true, Class: rollout.Aligned}, {Source: forwarder, Class: rollout.Unknown},
		{Source: stranger, Class: rollout.Unknown}, {Class: rollout.Unknown}, {SPF: true, Class: rollout.Aligned},
	}
	rollout.Refine(flows)
	for i, want := range []rollout.Class{rollout.Aligned, rollout.Misaligned, rollout.Aligned, rollout.Forwarded, rollout.Unknown, rollout.Unknown, rollout.Aligned} {
		if flows[i].Class != want {
			t.Errorf("flow %d: %s, want %s", i, flows[i].Class, want)
		}
	}
}

func TestSourcesAreSummedByNameWithTheFixOfTheProvider(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	list := rollout.Sources("example.com", []rollout.Flow{
		{Source: a, Name: "SendGrid", Provider: "sendgrid", Class: rollout.Misaligned, Messages: 5, First: day(2), Last: day(3)},
		{Source: b, Name: "SendGrid", Provider: "sendgrid", Class: rollout.Aligned, Messages: 7, First: day(1), Last: day(2)},
		{Source: b, Class: rollout.Unknown, Messages: 1 << 62}, {Source: b, Class: rollout.Unknown, Messages: 1 << 62},
	})
	if len(list) != 2 || list[0].Name != "192.0.2.2" || list[0].Messages != 1<<63-1 {
		t.Fatalf("%v", list)
	}
	s := list[1]
	if s.String() != "SendGrid: misaligned, messages: 12, hosts: 2" || !s.First.Equal(day(1)) || !s.Last.Equal(day(3)) || s.Addresses[0] != b {
		t.Errorf("%+v", s)
	}
	if s.Fix == nil || !strings.Contains(s.Fix.Text, "example.com") || s.Fix.Records[1].Name != "s1._domainkey.example.com" {
		t.Errorf("%+v", s.Fix)
	}
}

func day(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

// input returns that of a domain of which all is well: a month of reports, and mail that passes.
func input() rollout.Input {
	return rollout.Input{
		Domain: "example.com", Now: day(31), Days: 30, Covered: 30, Record: "v=DMARC1; p=none; rua=mailto:d@example.com",
		Flows:   []rollout.Flow{{HeaderFrom: "example.com", Class: rollout.Aligned, Messages: 10_000}},
		Missing: map[string]bool{},
	}
}

func flow(from string, c rollout.Class, n int64, name string) rollout.Flow {
	return rollout.Flow{HeaderFrom: from, Class: c, Messages: n, Name: name, Source: netip.MustParseAddr("192.0.2.9")}
}

func TestTheNextStep(t *testing.T) {
	const rua = "rua=mailto:d@example.com"
	for _, test := range []struct {
		name   string
		change func(in *rollout.Input)
		record string // "" for none
		block  rollout.BlockKind
	}{
		{"none goes to quarantine, and names that send nothing to reject", func(in *rollout.Input) {},
			"v=DMARC1; p=quarantine; sp=reject; np=reject; " + rua, ""},
		{"a sender that fails blocks p, but not np", func(in *rollout.Input) {
			in.Flows = append(in.Flows, flow("example.com", rollout.Misaligned, 100, "SendGrid"), flow("www.example.com", rollout.Aligned, 1, ""))
			in.Missing["www.example.com"] = false
		}, "v=DMARC1; p=none; np=reject; " + rua, rollout.BlockSource},
		{"a name that sends mail, and of which DNS did not say whether it exists, blocks np", func(in *rollout.Input) {
			in.Flows = append(in.Flows, flow("www.example.com", rollout.Aligned, 1, ""))
		}, "v=DMARC1; p=quarantine; sp=none; np=none; " + rua, ""},
		{"mail that proves nothing from a name that exists blocks sp", func(in *rollout.Input) {
			in.Missing["shop.example.com"] = false
			in.Flows = append(in.Flows, flow("shop.example.com", rollout.Unknown, 70, ""))
		}, "v=DMARC1; p=quarantine; sp=none; np=reject; " + rua, ""},
		{"what was forwarded in a name that does not exist blocks np", func(in *rollout.Input) {
			in.Missing["cron.example.com"] = true
			in.Flows = append(in.Flows, flow("cron.example.com", rollout.Forwarded, 70, ""))
		}, "v=DMARC1; p=quarantine; sp=reject; np=none; " + rua, ""},
		{"a sender that is not the owner's blocks nothing", func(in *rollout.Input) {
			in.NotMine = []string{"SendGrid"}
			in.Flows = append(in.Flows, flow("example.com", rollout.Misaligned, 100, "SendGrid"))
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; " + rua, ""},
		{"mail without an Author Domain is the domain's", func(in *rollout.Input) {
			in.Flows = []rollout.Flow{flow("", rollout.Aligned, 1000, "")}
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; " + rua, ""},
		{"mail on working days has a month of reports too", func(in *rollout.Input) { in.Covered, in.First = 20, day(3) },
			"v=DMARC1; p=quarantine; sp=reject; np=reject; " + rua, ""},
		{"three weeks of reports are no month", func(in *rollout.Input) { in.Covered, in.First = 20, day(10) },
			"v=DMARC1; p=none; np=reject; " + rua, rollout.BlockReports},
		{"a policy that is tested is applied before the next one", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject; t=y; fo=1", "no"
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; fo=1", ""},
		{"one that is applied to a part of the mail too", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=reject; pct=10; sp=reject; np=reject", "no"
		}, "v=DMARC1; p=reject; sp=reject; np=reject", ""},
		{"a tested reject needs what reject needs", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=reject; t=y", "yes"
		}, "", rollout.BlockPeople},
		{"own mail that is refused is told, although nothing is stricter than reject", func(in *rollout.Input) {
			in.Record = "v=DMARC1; p=reject"
			in.Flows = append(in.Flows, flow("example.com", rollout.Misaligned, 100, "SendGrid"))
		}, "", rollout.BlockSource},
		{"much that is forwarded blocks reject for programs too", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject", "no"
			in.Flows = append(in.Flows, flow("example.com", rollout.Forwarded, 4000, "uni.example"))
		}, "", rollout.BlockForwarded},
		{"and even quarantine, if it is very much", func(in *rollout.Input) {
			in.Flows = append(in.Flows, flow("example.com", rollout.Forwarded, 4000, "uni.example"))
		}, "v=DMARC1; p=none; sp=reject; np=reject; " + rua, rollout.BlockForwarded},
		{"sp follows p where names below the domain send mail that passes", func(in *rollout.Input) {
			in.Record = "v=DMARC1; p=reject; sp=none; np=reject"
			in.Missing["www.example.com"] = false
			in.Flows = append(in.Flows, flow("www.example.com", rollout.Aligned, 100, ""))
		}, "v=DMARC1; p=reject; sp=quarantine; np=reject", ""},
		{"a domain that sends nothing needs no month of reports", func(in *rollout.Input) {
			in.Flows, in.NoMail, in.Covered = []rollout.Flow{flow("example.com", rollout.Unknown, 10, "")}, true, 4
		}, "v=DMARC1; p=reject; sp=none; np=reject; " + rua, ""},
		{"without reports and record there is nothing to tell", func(in *rollout.Input) {
			in.Flows, in.Record, in.Covered = nil, "", 0
		}, "", rollout.BlockReports},
		{"what a reporter writes adds no tag to the record", func(in *rollout.Input) {
			evil := "; rua=mailto:evil@evil.example"
			in.Record, in.Reported = "", aggregate.Policy{P: "none" + evil, SP: "none" + evil, NP: "reject" + evil, DKIMAlignment: "s" + evil, FailureOptions: "1" + evil}
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; rua=<THE ADDRESS THAT YOU HAVE THERE>", ""},
		{"names of which nobody knows whether they exist block np", func(in *rollout.Input) {
			in.Covered, in.Missing = 5, nil
			in.Flows = append(in.Flows, flow("www.example.com", rollout.Aligned, 1, ""))
		}, "", rollout.BlockReports},
		{"very few that fail block nothing", func(in *rollout.Input) {
			in.Flows = append(in.Flows, flow("example.com", rollout.Misaligned, 49, "SendGrid"))
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; " + rua, ""},
		{"forged mail blocks nothing", func(in *rollout.Input) {
			in.Flows = append(in.Flows, flow("example.com", rollout.Unknown, 1e9, ""), flow("a.example.com", rollout.Unknown, 1e9, ""))
			in.Missing["a.example.com"] = true
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; " + rua, ""},
		{"a domain that sends nothing, and says so, goes to reject at once", func(in *rollout.Input) {
			in.Flows, in.NoMail = []rollout.Flow{flow("example.com", rollout.Unknown, 100, "")}, true
		}, "v=DMARC1; p=reject; sp=reject; np=reject; " + rua, ""},
		{"one of which nothing proves to be its own may be one that is not set up", func(in *rollout.Input) {
			in.Flows = []rollout.Flow{flow("example.com", rollout.Unknown, 100, "")}
		}, "v=DMARC1; p=none; sp=reject; np=reject; " + rua, rollout.BlockNothing},
		{"names below the domain keep what held for them when p becomes stricter", func(in *rollout.Input) {
			in.Record = "v=DMARC1;p=none;np=reject;" + rua
			in.Flows = append(in.Flows, flow("news.example.com", rollout.Misaligned, 1000, "Mailgun"))
		}, "v=DMARC1; p=quarantine; sp=none; np=reject; " + rua, ""},
		{"names that do not exist and send mail of the domain block np", func(in *rollout.Input) {
			in.Covered, in.Missing = 5, map[string]bool{"cron.example.com": true}
			in.Flows = append(in.Flows, flow("cron.example.com", rollout.Aligned, 3, ""))
		}, "", rollout.BlockReports},
		{"a week of reports is too little for p and sp", func(in *rollout.Input) { in.Covered = 7 },
			"v=DMARC1; p=none; np=reject; " + rua, rollout.BlockReports},
		{"a policy stands for a month", func(in *rollout.Input) {
			in.Record, in.Since, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject", day(20), "no"
		}, "", rollout.BlockTime},
		{"a policy of which no report tells yet is new, however old the one before is", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject", "no"
			in.Reported, in.Since = aggregate.Policy{P: "none"}, day(1).AddDate(-1, 0, 0)
		}, "", rollout.BlockTime},
		{"nobody said whether people write", func(in *rollout.Input) { in.Record = "v=DMARC1; p=quarantine; sp=reject; np=reject" }, "", rollout.BlockPeople},
		{"people write: never reject", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject", "yes"
		}, "", rollout.BlockPeople},
		{"programs only: reject", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject; fo=1", "no"
		}, "v=DMARC1; p=reject; sp=reject; np=reject; fo=1", ""},
		{"reject asks for less that fails than quarantine", func(in *rollout.Input) {
			in.Record, in.People = "v=DMARC1; p=quarantine; sp=reject; np=reject", "no"
			in.Flows = append(in.Flows, flow("example.com", rollout.Misaligned, 20, "SendGrid"))
		}, "", rollout.BlockSource},
		{"nothing is left to do", func(in *rollout.Input) { in.Record = "v=DMARC1; p=reject" }, "", ""},
		{"without the record, what reports tell of it", func(in *rollout.Input) {
			in.Record, in.Reported = "", aggregate.Policy{P: "none", SP: "none", DKIMAlignment: "s", FailureOptions: "1"}
		}, "v=DMARC1; p=quarantine; sp=reject; np=reject; adkim=s; fo=1; rua=<THE ADDRESS THAT YOU HAVE THERE>", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := input()
			test.change(&in)
			p := rollout.Make(in)
			if p.Step.Record != test.record {
				t.Errorf("record %q, want %q: %s", p.Step.Record, test.record, p.Step.Reason)
			}
			if p.Step.Reason == "" || (test.record != "") != (p.Step.Name == "_dmarc.example.com") {
				t.Errorf("step %+v", p.Step)
			}
			switch {
			case test.block == "" && len(p.Blocks) > 0, test.block != "" && len(p.Blocks) != 1:
				t.Errorf("blocks %+v", p.Blocks)
			case test.block != "" && p.Blocks[0].Kind != test.block:
				t.Errorf("block %+v, want %s", p.Blocks[0], test.block)
			}
		})
	}
}

func TestMailIsCountedUnderTheTagThatAppliesToIt(t *testing.T) {
	in := input()
	in.Missing = map[string]bool{"nope.example.com": true}
	in.Flows = append(in.Flows, flow("example.com", rollout.Forwarded, 4, ""), flow("www.example.com", rollout.Misaligned, 5, "Zoho"), flow("nope.example.com", rollout.Unknown, 6, ""))
	p := rollout.Make(in)
	if p.P.Messages != 10_004 || p.P.Failing() != 4 || p.SP.Misaligned != 5 || p.NP.Unknown != 6 || p.Messages != 10_015 || p.NP.Policy != "none" {
		t.Errorf("%+v %+v %+v", p.P, p.SP, p.NP)
	}
}
