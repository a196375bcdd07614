package arc_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

func ExampleVerifier() {
	key := signing.Ed25519("lists.example")
	record, err := signing.Record(key.Public())
	if err != nil {
		log.Fatal(err)
	}
	message, err := signing.Seal{
		Key: key, Domain: "lists.example", Results: "lists.example; dmarc=pass header.from=example.com",
	}.Add("From: a@example.com\r\nTo: l@lists.example\r\nSubject: Hello\r\n\r\nHello.\r\n")
	if err != nil {
		log.Fatal(err)
	}
	v := arc.Verifier{Resolver: resolver.Zone{"arc._domainkey.lists.example": {TXT: []string{record}}}}
	chain, err := v.Verify(context.Background(), strings.NewReader(message))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(chain)
	for _, set := range chain.Sets {
		fmt.Println(set.Instance, set.Seal.Domain, "saw", set.AuthenticationResults)
	}
	// Output:
	// pass, sealed by lists.example
	// 1 lists.example saw lists.example; dmarc=pass header.from=example.com
}
