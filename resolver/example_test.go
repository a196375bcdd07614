package resolver_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailverdict/mailverdict/resolver"
)

// Absence and failure are told apart, whatever the resolver.
func Example() {
	dns := resolver.Zone{
		"example.com":         {TXT: []string{"v=spf1 mx -all"}, MX: []string{"10 mx.example.com"}},
		"_dmarc.example.com":  {TXT: []string{"v=DMARC1; p=reject"}},
		"failing.example.com": {Fault: resolver.Fault{Err: resolver.ErrServFail}},
	}
	for _, name := range []string{"example.com", "mx.example.com", "failing.example.com"} {
		answer, err := dns.Resolve(context.Background(), resolver.Question{Name: name, Type: resolver.TypeTXT})
		switch {
		case err == nil:
			fmt.Println("answer: ", answer.TXT)
		case errors.Is(err, resolver.ErrNotFound):
			fmt.Println("absence:", err)
		default:
			fmt.Println("failure:", err)
		}
	}
	// Output:
	// answer:  [v=spf1 mx -all]
	// absence: mx.example.com TXT: no such domain name
	// failure: failing.example.com TXT: the server failed (SERVFAIL)
}

// A budget for each message keeps a sender from asking too much.
func ExampleBudget() {
	dns := &resolver.Budget{Resolver: resolver.Zone{}, Questions: 2}
	for i := range 3 {
		q := resolver.Question{Name: fmt.Sprintf("s%d._domainkey.example.com", i), Type: resolver.TypeTXT}
		_, err := dns.Resolve(context.Background(), q)
		fmt.Println(err)
		if errors.Is(err, resolver.ErrQuestionLimit) {
			fmt.Println("asked", dns.Asked())
		}
	}
	// Output:
	// s0._domainkey.example.com TXT: no such domain name
	// s1._domainkey.example.com TXT: no such domain name
	// s2._domainkey.example.com TXT: limit of 2 DNS questions reached
	// asked 2
}

func ExampleWrap() {
	cache := &resolver.Cache{Resolver: resolver.Zone{"example.com": {A: []string{"192.0.2.1"}}}}
	dns := resolver.Wrap(cache, func(ctx context.Context, q resolver.Question, a resolver.Answer, err error) {
		fmt.Println(q, a.Addrs, err)
	})
	for _, t := range []resolver.Type{resolver.TypeA, resolver.TypeMX} {
		if _, err := dns.Resolve(context.Background(), resolver.Question{Name: "example.com", Type: t}); err != nil {
			fmt.Println("failed:", err)
		}
	}
	// Output:
	// example.com A [192.0.2.1] <nil>
	// example.com MX [] example.com MX: no record of this type
	// failed: example.com MX: no record of this type
}
