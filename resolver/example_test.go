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
		case resolver.NotFound(err):
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
		if limit, ok := errors.AsType[*resolver.LimitError](err); ok {
			fmt.Println("asked", limit.Questions)
		}
	}
	// Output:
	// s0._domainkey.example.com TXT: no such domain name
	// s1._domainkey.example.com TXT: no such domain name
	// s2._domainkey.example.com TXT: limit of 2 DNS questions reached
	// asked 2
}

func ExampleWithTrace() {
	dns := &resolver.Cache{Resolver: resolver.Zone{"example.com": {A: []string{"192.0.2.1"}}}}
	ctx := resolver.WithTrace(context.Background(), &resolver.Trace{Done: func(e resolver.Event) {
		fmt.Println(e.Question, e.Answer.Addrs, "cached:", e.Cached)
	}})
	for range 2 {
		if _, err := dns.Resolve(ctx, resolver.Question{Name: "example.com", Type: resolver.TypeA}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// example.com A [192.0.2.1] cached: false
	// example.com A [192.0.2.1] cached: true
}
