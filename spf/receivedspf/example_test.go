package receivedspf_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
	"github.com/mailverdict/mailverdict/spf/receivedspf"
)

// zone stands for the DNS in the examples.
var zone = resolver.Zone{
	"shop.example":        {TXT: []string{"v=spf1 include:_spf.mailer.example -all"}},
	"_spf.mailer.example": {TXT: []string{"v=spf1 ip4:198.51.100.0/24 ~all"}},
}

func ExampleNew() {
	envelope := spf.Envelope{
		IP:       netip.MustParseAddr("198.51.100.7"),
		HELO:     "out7.mailer.example",
		MailFrom: "orders@shop.example",
	}
	checker := spf.Checker{Resolver: zone}
	result := checker.Check(context.Background(), envelope)
	field := receivedspf.New(result, envelope, "mx.receiver.example").String()
	fmt.Println(strings.ReplaceAll(field, "\r\n", "\n"))
	// Output:
	// Received-SPF: pass (mx.receiver.example: domain of shop.example designates
	//  198.51.100.7 as permitted sender) receiver=mx.receiver.example;
	//  identity=mailfrom; client-ip=198.51.100.7;
	//  envelope-from="orders@shop.example"; helo=out7.mailer.example;
	//  mechanism="include:_spf.mailer.example";
}

func ExampleParse() {
	field, err := receivedspf.Parse("Received-SPF: fail (mx.example: not permitted)\r\n" +
		" client-ip=203.0.113.9; envelope-from=\"orders@shop.example\"; helo=localhost")
	fmt.Println(field.Status, field.ClientIP, field.EnvelopeFrom, err)
	// Output: fail 203.0.113.9 orders@shop.example <nil>
}
