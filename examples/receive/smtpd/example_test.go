package smtpd_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/examples/receive/smtpd"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A delivery prints what a service would store: a field with the results, on top of the message.
type delivery struct{ io.Writer }

func (delivery) Begin(ctx context.Context, _ *smtp.Conn, _ dmarc.Envelope) (context.Context, smtpd.Transaction, error) {
	return ctx, delivery{io.Discard}, nil
}
func (delivery) Rcpt(string) error                 { return nil }
func (delivery) SPF(mailFrom, _ *spf.Result) error { fmt.Println("SPF:", mailFrom); return nil }
func (delivery) End(r *dmarc.Result, err error) error {
	if r != nil {
		fmt.Println(authres.Formatter{}.Value("mx.here.example", r))
	}
	return err
}

func Example() {
	server := smtp.NewServer(&smtpd.Backend{
		Verifier: &dmarc.Verifier{Resolver: resolver.Zone{ // &resolver.Cache{} asks the system's servers
			"shop.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
			"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}},
		}},
		Receiver: delivery{},
		Reject:   true,
	})
	server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Close()

	// This host is not one of shop.example's.
	client, err := smtp.Dial(listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_ = client.Hello("forger.example")
	_ = client.Mail("orders@shop.example", nil)
	_ = client.Rcpt("you@here.example", nil)
	data, _ := client.Data()
	_, _ = io.WriteString(data, "From: orders@shop.example\r\n\r\nPay here.\r\n")
	fmt.Println(data.Close())
	// Output:
	// SPF: fail for shop.example (mailfrom) by -all
	// mx.here.example; spf=fail smtp.mailfrom=shop.example; dkim=none; dmarc=fail header.from=shop.example policy.applied-disposition=reject policy.dmarc=reject policy.published-domain-policy=reject
	// SMTP error 550: Message refused per DMARC policy for shop.example
}
