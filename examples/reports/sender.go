package main

import (
	"cmp"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
)

// senderFlags say who sends reports, and how.
type senderFlags struct {
	send.Sender
	keyFile  string
	smtp     send.SMTP
	startTLS bool
	dns      dnsflags.Flags
}

func (o *senderFlags) define(set *flag.FlagSet) {
	set.StringVar(&o.Submitter, "domain", "", "the `DOMAIN` of the receiver that reports (default: this host's name)")
	set.StringVar(&o.Org, "org", "", "the `NAME` of the receiver that reports (default: its domain)")
	set.StringVar(&o.From, "from", "", "the `ADDRESS` that reports are from (default: dmarc-reports@DOMAIN); its domain signs them")
	set.StringVar(&o.Contact, "contact", "", "what else to say of whom to ask about reports, such as the `URL` of a page")
	set.StringVar(&o.Bounces, "bounces", "", "the `ADDRESS` that bounces come to, as LOCAL+ID@DOMAIN (default: that of -from)")
	set.StringVar(&o.keyFile, "key", "", "the private key that signs, a `FILE` in PEM (RSA or Ed25519)")
	set.StringVar(&o.Selector, "selector", "", "the DKIM `SELECTOR` of -key")
	set.DurationVar(&o.Spread, "spread", send.DefaultSpread, "over how long a time the mails of a day go out; 0 sends all at once")
	set.DurationVar(&o.After, "after", send.DefaultAfter, "how long after its period a report is made")
	set.StringVar(&o.smtp.Addr, "smtp", "localhost:25", "the server that takes the mails, `HOST:PORT`")
	set.StringVar(&o.smtp.HELO, "helo", "", "the `NAME` for this host in EHLO to -smtp (default: its own)")
	set.BoolVar(&o.startTLS, "starttls", false, "use STARTTLS with -smtp, and verify its certificate")
	o.dns.Define(set)
}

// sender returns the Sender that the flags stand for, without its Queue.
func (o *senderFlags) sender() (*send.Sender, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	o.Submitter = domainName(cmp.Or(o.Submitter, host))
	o.From = cmp.Or(o.From, "dmarc-reports@"+o.Submitter)
	o.Bounces = cmp.Or(o.Bounces, o.From)
	for _, address := range []string{o.From, o.Bounces} {
		if local, domain, ok := strings.Cut(address, "@"); !ok || local == "" || domain == "" || strings.ContainsAny(address, " <>\r\n") {
			return nil, fmt.Errorf("%q is no address", address)
		}
	}
	if o.keyFile != "" {
		if o.Selector == "" {
			return nil, errors.New("-key needs -selector")
		}
		if o.Key, err = readKey(o.keyFile); err != nil {
			return nil, fmt.Errorf("-key %s: %w", o.keyFile, cause(err))
		}
	}
	if o.Resolver, err = o.dns.Resolver(); err != nil {
		return nil, err
	}
	if o.Spread == 0 {
		o.Spread = -1 // the zero value is the default
	}
	o.smtp.HELO = cmp.Or(o.smtp.HELO, host)
	if o.startTLS {
		o.smtp.TLS = new(tls.Config)
	}
	o.Mailer = &o.smtp
	return &o.Sender, nil
}

// readKey reads a private key in PEM.
func readKey(file string) (crypto.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%T does not sign", key)
	}
	return signer, nil
}
