package dkim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/resolver"
)

// The example of RFC 8463, appendix A.
const exampleMessage = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`

var exampleZone = resolver.Zone{
	"brisbane._domainkey.football.example.com": {TXT: []string{
		"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
	}},
}

func Example() {
	v := dkim.Verifier{Resolver: exampleZone} // without a Resolver, the system's
	results, err := v.Verify(context.Background(), strings.NewReader(exampleMessage))
	if err != nil {
		fmt.Println(err) // the message could not be read
		return
	}
	for _, r := range results {
		fmt.Println(r.Status, r.Domain, r.Selector, r.Algorithm)
	}
	// Output: pass football.example.com brisbane ed25519-sha256
}

// A message that comes in pieces is written to a Session.
func ExampleVerifier_Begin() {
	v := dkim.Verifier{Resolver: exampleZone}
	s := v.Begin(context.Background())
	defer s.Close()
	for line := range strings.Lines(exampleMessage) {
		if _, err := s.Write([]byte(line)); err != nil {
			break // Finish returns the same error
		}
	}
	results, err := s.Finish()
	fmt.Println(results[0].Status, err)
	// Output: pass <nil>
}

// A milter gets the header field by field.
func ExampleSession_WriteField() {
	v := dkim.Verifier{Resolver: exampleZone}
	s := v.Begin(context.Background())
	defer s.Close()
	header, body, _ := strings.Cut(exampleMessage, "\n\n")
	for field := range strings.SplitSeq(strings.ReplaceAll(header, "\n ", "\x00"), "\n") {
		name, value, _ := strings.Cut(strings.ReplaceAll(field, "\x00", "\n "), ":")
		if err := s.WriteField(name, value); err != nil {
			break // Finish returns the same error
		}
	}
	s.EndHeader()
	io.WriteString(s, strings.ReplaceAll(body, "\n", "\r\n"))
	results, err := s.Finish()
	fmt.Println(results[0].Status, err)
	// Output: pass <nil>
}

// Err says why a signature is not a pass.
func ExampleResult() {
	v := dkim.Verifier{Resolver: exampleZone}
	changed := strings.Replace(exampleMessage, "lost", "won", 1)
	results, _ := v.Verify(context.Background(), strings.NewReader(changed))
	r := results[0]
	fmt.Println(r.Status, errors.Is(r.Err, dkim.ErrBodyHashMismatch))
	fmt.Println("header signature good:", r.HeaderVerified)
	// Output:
	// fail true
	// header signature good: true
}

// The zero Policy is the recommended one. Its fields change single rules.
func ExamplePolicy() {
	v := dkim.Verifier{
		Resolver: exampleZone,
		Options:  dkim.Options{Policy: dkim.Policy{RequiredFields: []string{"To", "Content-Type"}}, Now: func() time.Time { return time.Unix(1528637910, 0) }},
	}
	results, _ := v.Verify(context.Background(), strings.NewReader(exampleMessage))
	fmt.Println(results[0].Status, results[0].Err)
	// Output: policy a field that has to be signed is not: Content-Type
}
