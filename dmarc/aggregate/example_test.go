package aggregate_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/resolver"
)

func ExampleReader() {
	const mail = `From: reports@receiver.example
Subject: Report Domain: example.com
Content-Type: text/xml

<feedback>
  <report_metadata><org_name>receiver.example</org_name><report_id>7</report_id>
    <date_range><begin>1780272000</begin><end>1780358399</end></date_range></report_metadata>
  <policy_published><domain>example.com</domain><p>none</p></policy_published>
  <record>
    <row><source_ip>192.0.2.1</source_ip><count>12</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>example.com</header_from></identifiers>
    <auth_results><dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim></auth_results>
  </record>
</feedback>
`
	reports, err := new(aggregate.Reader).Read(strings.NewReader(mail))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range reports {
		fmt.Println(r.Org, "about", r.Policy.Domain, "on", r.Begin.Format(time.DateOnly))
		for _, row := range r.Rows {
			fmt.Println(row.Count, "from", row.Source, "dkim", row.DKIM, "spf", row.SPF)
		}
	}
	// Output:
	// receiver.example about example.com on 2026-06-01
	// 12 from 192.0.2.1 dkim pass spf fail
}

// exampleStore is a Store in memory. One in a database is in package sqlstore.
type exampleStore struct{ reports []*aggregate.Report }

func (m *exampleStore) Add(_ context.Context, b *aggregate.Batch) error {
	m.reports = append(m.reports, b.Reports...)
	return nil
}

func ExampleAccumulator() {
	ctx := context.Background()
	verifier := dmarc.Verifier{Resolver: resolver.Zone{
		"example.com":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.example.com": {TXT: []string{"v=DMARC1; p=none; rua=mailto:dmarc@example.com"}},
	}}
	store := new(exampleStore)
	counts := aggregate.Accumulator{Store: store} // in a server: go counts.Run(ctx)
	for _, client := range []string{"192.0.2.1", "192.0.2.1", "198.51.100.9"} {
		result, err := verifier.Verify(ctx, dmarc.Envelope{IP: netip.MustParseAddr(client), HELO: "mail.example.com", MailFrom: "a@example.com"},
			strings.NewReader("From: a@example.com\r\n\r\nHello.\r\n"))
		if err != nil {
			log.Fatal(err)
		}
		counts.Add(result, aggregate.Delivery{Disposition: result.DMARC.Disposition})
	}
	if err := counts.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	for _, r := range store.reports {
		fmt.Println("about", r.Policy.Domain, "to", r.Destinations)
		for _, row := range r.Rows {
			fmt.Println(row.Count, "from", row.Source, "spf", row.SPF)
		}
	}
	// Unordered output:
	// about example.com to [dmarc@example.com]
	// 2 from 192.0.2.1 spf pass
	// 1 from 198.51.100.9 spf fail
}

func ExampleReport_WriteXML() {
	r := &aggregate.Report{
		Org: "receiver.example", Email: "reports@receiver.example", ID: "7",
		Begin: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 6, 1, 23, 59, 59, 0, time.UTC),
		Policy: aggregate.Policy{Domain: "example.com", P: "none"},
		Rows: []aggregate.Row{{
			Source: netip.MustParseAddr("192.0.2.1"), Count: 12, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "example.com",
		}},
	}
	if err := r.WriteXML(os.Stdout, nil); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
	//   <version>1.0</version>
	//   <report_metadata>
	//     <org_name>receiver.example</org_name>
	//     <email>reports@receiver.example</email>
	//     <report_id>7</report_id>
	//     <date_range>
	//       <begin>1780272000</begin>
	//       <end>1780358399</end>
	//     </date_range>
	//   </report_metadata>
	//   <policy_published>
	//     <domain>example.com</domain>
	//     <p>none</p>
	//   </policy_published>
	//   <record>
	//     <row>
	//       <source_ip>192.0.2.1</source_ip>
	//       <count>12</count>
	//       <policy_evaluated>
	//         <disposition>none</disposition>
	//         <dkim>fail</dkim>
	//         <spf>fail</spf>
	//       </policy_evaluated>
	//     </row>
	//     <identifiers>
	//       <header_from>example.com</header_from>
	//     </identifiers>
	//     <auth_results>
	//     </auth_results>
	//   </record>
	// </feedback>
}
