package dmarc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

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

// shopZone stands for DNS in the examples below: leave Resolver out to ask the system's.
var shopZone = resolver.Zone{
	"shop.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
	"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject; t=y"}},
}

// shopSession is what an SMTP server knows at MAIL FROM.
var shopSession = dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mail.shop.example", MailFrom: "bounce@shop.example"}

// A server gets a message in pieces: SPF is asked for at MAIL FROM, keys and policy when the
// header has come, and all of it runs beside the message.
func ExampleVerifier_Begin() {
	verifier := dmarc.Verifier{Resolver: shopZone}
	session := verifier.Begin(context.Background(), shopSession)
	defer session.Close() // gives the message up if it is not finished, as after a connection broke
	for _, chunk := range []string{"From: joe@sh", "op.example\r\n", "\r\nHello.\r\n"} {
		if _, err := session.Write([]byte(chunk)); err != nil {
			return
		}
	}
	result, err := session.Finish()
	fmt.Println(result, err)
	// Output: dmarc=pass (p=reject) from=shop.example spf=pass (shop.example, aligned) dkim=none <nil>
}

// A milter gets the header field by field.
func ExampleSession_WriteField() {
	verifier := dmarc.Verifier{Resolver: shopZone}
	session := verifier.Begin(context.Background(), shopSession)
	defer session.Close()
	session.WriteField("From", " Joe\n <joe@shop.example>")
	session.WriteField("Subject", " Hello")
	session.EndHeader()
	session.Write([]byte("Hello.\r\n"))
	result, err := session.Finish()
	fmt.Println(result.Author, result.DMARC.Status, err)
	// Output: shop.example pass <nil>
}

// A server may refuse a recipient by the result of SPF, before the message comes.
func ExampleSession_SPF() {
	verifier := dmarc.Verifier{Resolver: shopZone}
	session := verifier.Begin(context.Background(), shopSession)
	defer session.Close()
	soon, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	mailFrom, helo, err := session.SPF(soon)
	if err != nil {
		fmt.Println("not there yet: go on, and look again later")
		return
	}
	fmt.Println(mailFrom.Status, helo.Status)
	// Output: pass none
}

// A server in front of this one has checked SPF already.
func ExampleSession_UseSPF() {
	verifier := dmarc.Verifier{Resolver: shopZone}
	session := verifier.Begin(context.Background(), dmarc.Envelope{MailFrom: "bounce@shop.example"})
	defer session.Close()
	session.UseSPF(&spf.Result{Status: spf.StatusPass, Domain: "shop.example"})
	session.Write([]byte("From: joe@shop.example\r\n\r\nHello.\r\n"))
	result, err := session.Finish()
	fmt.Println(result.DMARC.Status, err)
	// Output: pass <nil>
}

// What is to be done with a message, why, and by whom it is authenticated.
func ExampleVerdict() {
	verifier := dmarc.Verifier{Resolver: shopZone}
	envelope := dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: "out.other.example", MailFrom: "x@other.example"}
	result, err := verifier.Verify(context.Background(), envelope, strings.NewReader("From: joe@shop.example\r\n\r\nHello.\r\n"))
	if err != nil {
		return
	}
	verdict := result.DMARC
	switch verdict.Disposition {
	case dmarc.DispositionReject, dmarc.DispositionTempFail:
		reply, _ := result.SMTPReply()
		fmt.Println(reply.Code, reply.EnhancedCode, reply.Text)
	case dmarc.DispositionQuarantine:
		fmt.Println("put it aside:", verdict.Err)
	default:
		fmt.Println("deliver it:", verdict.Status)
	}
	fmt.Println(verdict.PolicyTag+"="+verdict.Policy.String(), "came to", verdict.Evaluated, "by", verdict.Override)
	for _, identifier := range verdict.Identifiers {
		if identifier.Method == dmarc.MethodSPF {
			fmt.Println(identifier)
		}
	}
	// Output:
	// put it aside: neither SPF nor DKIM passed
	// p=reject came to quarantine by policy_test_mode (t=y)
	// spf other.example, not aligned
}

// A message with mailboxes of several domains in its From field is refused. A receiver that
// wants otherwise says so; and what DNS leaves open it may accept.
func ExampleVerifier_rules() {
	verifier := dmarc.Verifier{
		Resolver:      shopZone,
		InvalidAuthor: dmarc.InvalidAuthorQuarantine,
		TempError:     dmarc.TempErrorAccept,
	}
	message := "From: joe@shop.example, ann@other.example\r\n\r\nHello.\r\n"
	result, err := verifier.Verify(context.Background(), shopSession, strings.NewReader(message))
	fmt.Println(result.DMARC.Status, result.DMARC.Disposition, result.DMARC.Override, err)
	// Output: permerror quarantine local_policy (no single Author Domain) <nil>
}

// A result is one line of a log, or a group of attributes.
func ExampleResult_LogValue() {
	verifier := dmarc.Verifier{Resolver: shopZone}
	result, err := verifier.Verify(context.Background(), shopSession, strings.NewReader("From: joe@shop.example\r\n\r\nHello.\r\n"))
	if err != nil {
		return
	}
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	log.Info("checked", "verdict", result.DMARC)
	// Output: level=INFO msg=checked verdict.verdict=pass verdict.disposition=none verdict.author_domain=shop.example verdict.policy_domain=shop.example verdict.policy=reject verdict.policy_tag=p
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
