package authres_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/spf"
)

// result is what a dmarc.Verifier returns for a forged message.
func result() *dmarc.Result {
	return &dmarc.Result{
		Envelope: dmarc.Envelope{MailFrom: "any@attacker.example"},
		SPF:      &spf.Result{Status: spf.StatusPass, Domain: "attacker.example"},
		DMARC: dmarc.Verdict{
			Status:       dmarc.StatusFail,
			Disposition:  dmarc.DispositionReject,
			AuthorDomain: "bank.example",
			Policy:       record.PolicyReject,
			Identifiers:  []dmarc.Identifier{{Domain: "attacker.example", Authenticated: true}},
		},
	}
}

func ExampleFormat() {
	field := authres.Format("mx.example.net", result())
	fmt.Println(strings.ReplaceAll(field, "\r\n\t", "\n        "))
	// Output:
	// Authentication-Results: mx.example.net;
	//         spf=pass (not aligned) smtp.mailfrom=attacker.example;
	//         dkim=none;
	//         dmarc=fail (not aligned: attacker.example) header.from=bank.example
	//         policy.applied-disposition=reject policy.dmarc=reject
	//         policy.published-domain-policy=reject
}

func ExampleFormatter_Format() {
	f := authres.Formatter{SMTPUTF8: true}
	field := f.Format("mx.example.net", &dmarc.Result{DMARC: dmarc.Verdict{AuthorDomain: "xn--bcher-kva.example"}})
	fmt.Println(strings.ReplaceAll(field, "\r\n\t", "\n        "))
	// Output:
	// Authentication-Results: mx.example.net;
	//         dkim=none;
	//         dmarc=none (bücher.example) header.from=xn--bcher-kva.example
}

func ExampleResult_Property() {
	r := authres.Result{Properties: []authres.Property{{Type: "header", Name: "d", Value: "example.com"}}}
	fmt.Printf("%q %q\n", r.Property("header", "d"), r.Property("header", "s"))
	// Output: "example.com" ""
}

func ExampleFormatter_Value() {
	f := authres.Formatter{SMTPUTF8: true}
	fmt.Println(f.Value("bücher.example", &dmarc.Result{DMARC: dmarc.Verdict{AuthorDomain: "xn--mnchen-3ya.example"}}))
	// Output:
	// xn--bcher-kva.example; dkim=none; dmarc=none (münchen.example) header.from=xn--mnchen-3ya.example
}

func ExampleFormatter_Results() {
	f := authres.Formatter{More: []authres.Result{{
		Method:     "iprev",
		Value:      "pass",
		Properties: []authres.Property{{Type: "policy", Name: "iprev", Value: "2001:db8::25"}},
	}}}
	for _, r := range f.Results(result()) {
		fmt.Println(r)
	}
	// Output:
	// spf=pass (not aligned) smtp.mailfrom=attacker.example
	// dkim=none
	// dmarc=fail (not aligned: attacker.example) header.from=bank.example policy.applied-disposition=reject policy.dmarc=reject policy.published-domain-policy=reject
	// iprev=pass policy.iprev="2001:db8::25"
}

func ExampleField_Format() {
	field := authres.Field{
		ID: "mx.example.net",
		Results: []authres.Result{{
			Method: "auth", Value: "pass", Comments: []string{"cram-md5"},
			Properties: []authres.Property{{Type: "smtp", Name: "auth", Value: "sender@example.net"}},
		}},
	}
	fmt.Println(strings.ReplaceAll(field.Format(), "\r\n\t", "\n        "))
	// Output:
	// Authentication-Results: mx.example.net;
	//         auth=pass (cram-md5) smtp.auth=sender@example.net
}

func ExampleParseLenient() {
	// As Microsoft writes it: without an authserv-id, and action without a type.
	field, err := authres.ParseLenient("Authentication-Results: spf=pass smtp.mailfrom=shop.example; dmarc=pass action=none")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(field.Lenient)
	for _, r := range field.Results {
		fmt.Println(r.Method, r.Value)
	}
	// Output:
	// true
	// spf pass
	// dmarc pass
}

func ExampleClaims() {
	fmt.Println(authres.Claims("mx.example.net", "Authentication-Results: MX.example.net (x) 1; dmarc=pass"))
	fmt.Println(authres.Claims("mx.example.net", "Authentication-Results: lists.example.org; dkim=fail"))
	// Output:
	// true
	// false
}

func ExampleParse() {
	field, err := authres.Parse("Authentication-Results: mx.example.net;\r\n" +
		" spf=fail (; spf=pass) smtp.mailfrom=bank.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range field.Results {
		fmt.Println(field.ID, r.Method, r.Value, r.Property("smtp", "mailfrom"))
	}
	// Output: mx.example.net spf fail bank.example
}

func ExampleRemoveForged() {
	message := strings.NewReader("Authentication-Results: MX.example.net; dmarc=pass\n" +
		"Authentication-Results: lists.example.org; dkim=fail\n" +
		"From: ceo@bank.example\n\nHello\n")
	removed, err := authres.RemoveForged(os.Stdout, message, "mx.example.net")
	fmt.Println(removed, err)
	// Output:
	// Authentication-Results: lists.example.org; dkim=fail
	// From: ceo@bank.example
	//
	// Hello
	// 1 <nil>
}
