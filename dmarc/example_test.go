package dmarc_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A message that says to be from bank.example, from a host that may not send for it.
func Example() {
	verifier := dmarc.Verifier{
		Resolver: resolver.Zone{ // leave it out to ask the system's DNS
			"bank.example":        {TXT: []string{"v=spf1 ip4:192.0.2.0/24 -all"}},
			"_dmarc.bank.example": {TXT: []string{"v=DMARC1; p=reject"}},
		},
	}
	message := strings.NewReader("From: Bank <admin@bank.example>\r\n\r\nPlease log in.\r\n")

	result, err := verifier.Verify(context.Background(), dmarc.Envelope{
		IP:       netip.MustParseAddr("203.0.113.5"),
		HELO:     "mail.attacker.example",
		MailFrom: "admin@bank.example",
	}, message)
	if err != nil {
		fmt.Println("the message could not be read:", err)
		return
	}
	fmt.Println(result.SPF.Status, result.DMARC.Status, result.DMARC.Disposition)
	if reply, ok := result.SMTPReply(); ok {
		fmt.Println(reply)
	}
	// Output:
	// fail fail reject
	// 550 5.7.1 Message refused per DMARC policy for bank.example
}

// A milter gets a message in pieces: SPF is asked for at MAIL FROM, keys and policy when the
// header has come.
func ExampleVerifier_Begin() {
	verifier := dmarc.Verifier{Resolver: resolver.Zone{}}
	session := verifier.Begin(context.Background(), dmarc.Envelope{HELO: "mx.example.com"})
	for _, chunk := range []string{"From: joe@exam", "ple.com\r\n", "\r\nHello.\r\n"} {
		session.Write([]byte(chunk))
	}
	result, err := session.Finish()
	fmt.Println(result.Author.Domains, result.DMARC.Status, err)
	// Output: [example.com] none <nil>
}

// A filter that has its results from elsewhere uses only the last step.
func ExampleEvaluate() {
	verifier := dmarc.Verifier{Resolver: resolver.Zone{
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=quarantine"}},
	}}
	fromUpstream := &spf.Result{Status: spf.StatusPass, Domain: "provider.example"}
	signatures := []*dkim.Result{{Status: dkim.StatusPass, Domain: "news.shop.example"}}

	verdict := dmarc.Evaluate(dmarc.Input{
		SPF:       fromUpstream,
		DKIM:      signatures,
		Discovery: verifier.Discover(context.Background(), "shop.example", fromUpstream, signatures),
	})
	fmt.Println(verdict.Status, "SPF aligned:", verdict.SPFAligned, "DKIM aligned:", verdict.DKIMAligned)
	// Output: pass SPF aligned: false DKIM aligned: true
}
