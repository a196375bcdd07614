package send_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/resolver"
)

// A receiver sends what it counted, every day, by the mail server of this host.
func ExampleSender() {
	var (
		store *sqlstore.Store // that messages are counted in
		key   crypto.Signer   // whose public key is at s1._domainkey.receiver.example
	)
	sender := send.Sender{
		Queue:     store,
		Mailer:    &send.SMTP{Addr: "localhost:25", HELO: "mail.receiver.example"},
		Submitter: "receiver.example",
		From:      "dmarc-reports@receiver.example",
		Bounces:   "dmarc-bounces@receiver.example",
		Key:       key,
		Selector:  "s1",
		Attempted: func(t *send.Task) { log.Print(t) },
	}
	if err := sender.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// Reports about a domain go to another one only if that one agrees.
func ExampleConfirm() {
	zone := resolver.Zone{
		"example.com._report._dmarc.thirdparty.example": {TXT: []string{"v=DMARC1;"}},
	}
	for _, address := range []string{"dmarc@example.com", "example@thirdparty.example", "victim@other.example"} {
		to, err := send.Confirm(context.Background(), zone, "example.com", address)
		fmt.Println(address, to, errors.Is(err, send.ErrNotConfirmed))
	}
	// Output:
	// dmarc@example.com [dmarc@example.com] false
	// example@thirdparty.example [example@thirdparty.example] false
	// victim@other.example [] true
}
