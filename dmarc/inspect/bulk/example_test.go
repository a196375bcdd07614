package bulk_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/inspect/bulk"
	"github.com/mailverdict/mailverdict/resolver"
)

const header = "From: News <news@shop.example>\r\nDate: Sun, 29 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\nSubject: Tulips\r\n"

func Example() {
	zone := resolver.Zone{
		"shop.example":            {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}},
		"_dmarc.shop.example":     {TXT: []string{"v=DMARC1; p=none; rua=mailto:dmarc@shop.example"}},
		"25.2.0.192.in-addr.arpa": {PTR: []string{"mx.shop.example"}},
		"mx.shop.example":         {A: []string{"192.0.2.25"}},
	}
	ctx := context.Background()
	envelope := dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.25"), HELO: "mx.shop.example", MailFrom: "bounce@shop.example"}
	verifier := dmarc.Verifier{Resolver: zone}
	result, err := verifier.Verify(ctx, envelope, strings.NewReader(header+"\r\nThe tulips are here.\r\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range bulk.Check(ctx, zone, bulk.Message{Result: result, Header: []byte(header)}) {
		if r.Receiver == "microsoft" {
			fmt.Println(r.Rule, r.Status, r.Message)
		}
	}
	// Output:
	// spf-and-dkim not-met SPF passes, and no DKIM signature does. Microsoft refuses such mail with 550 5.7.515.
	// dmarc-record met The DMARC record of shop.example says p=none.
	// aligned met SPF passes for shop.example, the domain in From. A signature would be better still: SPF is lost when mail is forwarded.
}

func ExampleExplain() {
	for _, b := range bulk.Explain("550 5.7.515 Access denied, sending domain SHOP.EXAMPLE does not meet the required authentication level.") {
		fmt.Println(b.Means)
	}
	// Output:
	// The domain in From sends much, and the mail lacks SPF, DKIM or an aligned DMARC record.
}
