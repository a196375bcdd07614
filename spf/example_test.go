package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// zone stands for the DNS in the examples. A program leaves Checker.Resolver nil.
var zone = resolver.Zone{
	"shop.example":        {TXT: []string{"v=spf1 include:_spf.mailer.example -all exp=why.shop.example"}},
	"_spf.mailer.example": {TXT: []string{"v=spf1 ip4:198.51.100.0/24 ~all"}},
	"why.shop.example":    {TXT: []string{"%{c} does not send for %{d}"}},
	"broken.example":      {TXT: []string{"v=spf1 ip4:198.51.100.300 -all"}},
}

func ExampleChecker_Check() {
	checker := spf.Checker{Resolver: zone}
	result := checker.Check(context.Background(), spf.Envelope{
		IP:       netip.MustParseAddr("198.51.100.7"),
		HELO:     "out7.mailer.example",
		MailFrom: "orders@shop.example",
	})
	fmt.Println(result.Status, "for", result.Domain, "by", result.Mechanism)
	fmt.Println(result.Lookups, "term that asks DNS,", result.Questions, "questions")
	// Output:
	// pass for shop.example by include:_spf.mailer.example
	// 1 term that asks DNS, 2 questions
}

func ExampleChecker_Check_fail() {
	checker := spf.Checker{Resolver: zone}
	result := checker.Check(context.Background(), spf.Envelope{
		IP:       netip.MustParseAddr("203.0.113.9"),
		HELO:     "localhost",
		MailFrom: "orders@shop.example",
	})
	fmt.Println(result.Status, "by", result.Mechanism)
	fmt.Println(result.Domain, "explains:", result.Explanation)
	// Output:
	// fail by -all
	// shop.example explains: 203.0.113.9 does not send for shop.example
}

func ExampleChecker_Check_why() {
	checker := spf.Checker{Resolver: zone}
	result := checker.Check(context.Background(), spf.Envelope{
		IP:       netip.MustParseAddr("203.0.113.9"),
		MailFrom: "someone@broken.example",
	})
	fmt.Println(result.Status, errors.Is(result.Err, spf.ErrSyntax))
	fmt.Println(result.Err)
	// Output:
	// permerror true
	// the SPF record is malformed: "ip4:198.51.100.300" at octet 11: want an IPv4 address; an IPv6 address takes ip6
}

func ExampleChecker_trace() {
	checker := spf.Checker{Resolver: zone, Options: spf.Options{Trace: true}}
	result := checker.Check(context.Background(), spf.Envelope{
		IP:       netip.MustParseAddr("203.0.113.9"),
		MailFrom: "orders@shop.example",
	})
	var show func(e *spf.Evaluation, indent string)
	show = func(e *spf.Evaluation, indent string) {
		for _, step := range e.Steps {
			fmt.Printf("%s%s: %v\n", indent, step.Term, step.Match)
			if step.Nested != nil {
				show(step.Nested, indent+"  ")
			}
		}
	}
	show(result.Evaluation, "")
	// Output:
	// include:_spf.mailer.example: false
	//   ip4:198.51.100.0/24: false
	//   ~all: true
	// -all: true
	// exp=why.shop.example: false
}

func ExampleParse() {
	record, isSPF, err := spf.Parse("v=spf1 +A:mail.example.com/24 ip6:2001:db8::/32 -all")
	fmt.Println(record, isSPF, err)
	for _, term := range record.Terms {
		fmt.Println(term.Offset, term.Text, term.Kind, term.Qualifier)
	}
	// Output:
	// v=spf1 a:mail.example.com/24 ip6:2001:db8::/32 -all true <nil>
	// 7 +A:mail.example.com/24 a pass
	// 30 ip6:2001:db8::/32 ip6 pass
	// 48 -all all fail
}
