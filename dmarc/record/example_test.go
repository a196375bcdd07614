package record_test

import (
	"errors"
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc/record"
)

func Example() {
	r, isDMARC, err := record.Parse("v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@example.com", record.RFC9989)
	fmt.Println(isDMARC, err)
	fmt.Println(r.Policy, r.SubdomainPolicy, r.NonexistentPolicy, r.Stated("np"))
	fmt.Println(r.AggregateReports[0].Address)
	// Output:
	// true <nil>
	// reject quarantine quarantine false
	// d@example.com
}

// A broken record is one of three things.
func ExampleParse() {
	r, _, err := record.Parse("v=DMARC1; p=reject; adkim=strict; sp", record.RFC9989)
	fmt.Println(err, r.Policy, r.DKIMAlignment)
	for _, p := range r.Problems {
		fmt.Println(p)
	}

	r, _, err = record.Parse("v=DMARC1; p=maybe; rua=mailto:d@example.com", record.RFC9989)
	fmt.Println(err, r.Policy, r.PolicyAssumed)

	_, isDMARC, err := record.Parse("v=DMARC1; p=maybe", record.RFC9989)
	fmt.Println(isDMARC, errors.Is(err, record.ErrNoPolicy))
	// Output:
	// <nil> reject relaxed
	// sp: tag has no "="; assumed: ignored
	// adkim: "strict" is not r or s; assumed: r
	// <nil> none true
	// true true
}
