package inspect_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/resolver"
)

func Example() {
	zone, err := resolver.ParseZone(strings.NewReader(`
shop.example.                 TXT  "v=spf1 ipv4:192.0.2.1 -all"
shop.example.                 MX   10 mx.shop.example.
mx.shop.example.              A    192.0.2.1
mx.shop.example.              TXT  "v=spf1 a -all"
1.2.0.192.in-addr.arpa.       PTR  mx.shop.example.
default._domainkey.shop.example. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_dmarc.shop.example.          TXT  "v=DMARC1; p=none"
`), "shop.zone")
	if err != nil {
		log.Fatal(err)
	}
	inspector := inspect.Inspector{Resolver: zone} // without a Resolver, the system's DNS is asked

	report := inspector.Inspect(context.Background(), "shop.example")
	for _, f := range report.Findings {
		fmt.Println(f.Severity, f.ID)
		if f.Publish != nil {
			fmt.Println("  ", f.Publish.Name, f.Publish.Type, f.Publish.Value)
		}
	}
	// Output:
	// error spf-typo
	//    shop.example TXT v=spf1 ip4:192.0.2.1 -all
	// warning dmarc-none
	//    _dmarc.shop.example TXT v=DMARC1; p=none; rua=mailto:dmarc@shop.example
	// warning dmarc-rua-missing
	//    _dmarc.shop.example TXT v=DMARC1; p=none; rua=mailto:dmarc@shop.example
}
