package published_test

import (
	"context"
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/resolver"
)

// What each term of an SPF record costs, and how many addresses it lets send.
func Example() {
	zone := resolver.Zone{
		"shop.example":        {TXT: []string{"v=spf1 mx include:_spf.mailer.example ~all"}, MX: []string{"10 mx.shop.example"}},
		"mx.shop.example":     {A: []string{"192.0.2.25"}},
		"_spf.mailer.example": {TXT: []string{"v=spf1 ip4:198.51.100.0/24 -all"}},
	}
	inspector := inspect.Inspector{Resolver: zone}
	report := inspector.Inspect(context.Background(), "shop.example")
	for _, term := range report.SPF.Tree.Terms {
		fmt.Printf("%q %d %d\n", term.Text, term.Lookups, term.IPv4Addresses)
	}
	// Output:
	// "mx" 1 1
	// "include:_spf.mailer.example" 1 256
	// "~all" 0 0
}
