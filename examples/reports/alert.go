package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
)

// alertFlags say to whom findings are mailed.
type alertFlags struct {
	to, from string
	smtp     send.SMTP
}

func (o *alertFlags) define(set *flag.FlagSet) {
	set.StringVar(&o.to, "mail", "", "mail what is found to this `ADDRESS`, in one mail")
	set.StringVar(&o.from, "from", "", "the `ADDRESS` that the mail is from (default: that of -mail)")
	set.StringVar(&o.smtp.Addr, "smtp", "localhost:25", "the server that takes the mail, `HOST:PORT`")
}

func (o *alertFlags) check() error {
	o.from = cmp.Or(o.from, o.to)
	for _, address := range []string{o.to, o.from} {
		if _, err := mail.ParseAddress(address); address != "" && err != nil {
			return fmt.Errorf("%q is no address", address)
		}
	}
	if o.to == "" && o.from != "" {
		return errors.New("-from needs -mail")
	}
	return nil
}

// send mails findings, if there is an address.
func (o *alertFlags) send(ctx context.Context, found []finding) error {
	if o.to == "" {
		return nil
	}
	octets, err := o.letter(found, time.Now())
	if err != nil {
		return err
	}
	o.smtp.HELO, _ = os.Hostname()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := o.smtp.Mail(ctx, o.from, []string{o.to}, octets); err != nil {
		return fmt.Errorf("-mail %s: %w", o.to, err)
	}
	return nil
}

func (o *alertFlags) letter(found []finding, now time.Time) ([]byte, error) {
	subject := fmt.Sprintf("DMARC reports: %s", found[0])
	if len(found) > 1 {
		subject = fmt.Sprintf("DMARC reports: %d findings", len(found))
	}
	var h mail.Header
	h.SetDate(now)
	h.SetSubject(subject)
	h.SetAddressList("From", []*mail.Address{{Name: "DMARC reports", Address: o.from}})
	h.SetAddressList("To", []*mail.Address{{Address: o.to}})
	h.SetMessageID(rand.Text() + o.from[strings.LastIndexByte(o.from, '@'):])
	h.Set("Auto-Submitted", "auto-generated")
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	var b bytes.Buffer
	w, err := mail.CreateSingleInlineWriter(&b, h)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if _, err := io.WriteString(w, f.String()+"\r\n"); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}
