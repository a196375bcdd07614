// Package generated makes archives of mail for tests and for measuring: messages of many domains,
// some signed, some forged, and a zone with all of DNS for them.
package generated

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/signing"
)

// Domains is how many domains send, in equal parts. One out of Kinds of their messages is of each kind.
const (
	Domains = 20
	Kinds   = 5
)

// Verdicts are those of the kinds of messages.
var verdicts = [Kinds]string{"pass", "pass", "pass", "fail", "fail"}

// Zone is the name of the zone file in a directory of messages.
const Zone = "dns.zone"

// Write writes so many messages of so many octets into subdirectories of dir, of up to 1000 each, and
// dir/dns.zone. It returns how many have each verdict.
func Write(dir string, messages, size int) (map[string]int, error) {
	templates, zone, err := templates(size)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, Zone), []byte(zone), 0o666); err != nil {
		return nil, err
	}
	count := map[string]int{}
	for i := range messages {
		folder := filepath.Join(dir, fmt.Sprintf("%04d", i/1000))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return nil, err
		}
		text := fmt.Sprintf("X-Number: %d\r\n%s", i, templates[i%len(templates)])
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%06d.eml", i)), []byte(text), 0o666); err != nil {
			return nil, err
		}
		count[verdicts[i%len(templates)%Kinds]]++
	}
	return count, nil
}

// templates returns a message of each domain and kind, the kinds of one domain one after the other,
// and their zone.
func templates(size int) (list []string, zone string, err error) {
	key := signing.RSA(2048)
	record, err := signing.Record(key.Public())
	if err != nil {
		return nil, "", err
	}
	var z strings.Builder
	z.WriteString("$ORIGIN .\n$TTL 3600\n")
	for d := range Domains {
		domain := fmt.Sprintf("sender%02d.example", d)
		fmt.Fprintf(&z, "%[1]s TXT \"v=spf1 include:_spf.%[1]s ip4:198.51.100.%[2]d -all\"\n", domain, d+1)
		fmt.Fprintf(&z, "_spf.%[1]s TXT \"v=spf1 ip4:203.0.113.%[2]d -all\"\n_dmarc.%[1]s TXT \"v=DMARC1; p=reject\"\n", domain, d+1)
		fmt.Fprintf(&z, "s1._domainkey.%s TXT %s\n", domain, quoted(record))
		for kind := range Kinds {
			message, err := message(domain, d, kind, size, signing.Signature{Key: key, Domain: domain, Selector: "s1", Header: "from:to:subject:date"})
			if err != nil {
				return nil, "", err
			}
			list = append(list, message)
		}
	}
	return list, z.String(), nil
}

// message returns a message: signed and from its host, signed and from another host, from its host
// alone, from nowhere, or signed and changed.
func message(domain string, d, kind, size int, s signing.Signature) (string, error) {
	came := time.Date(2026, 9, 1+d%28, 12, 0, 0, 0, time.UTC).Format(time.RFC1123Z)
	text := fmt.Sprintf("From: Shop <shop@%[1]s>\r\nTo: anna@receiver.example\r\nSubject: Order %[2]d\r\nDate: %[3]s\r\nMessage-ID: <%[4]d.%[2]d@%[1]s>\r\n\r\n",
		domain, kind, came, d)
	const line = "Your order is on its way, and will be with you in two or three days.\r\n"
	text += strings.Repeat(line, max(0, size-len(text)-900)/len(line)) + "Bye\r\n"
	if kind == 0 || kind == 1 || kind == 4 {
		var err error
		if text, err = s.Sign(text); err != nil {
			return "", err
		}
	}
	if kind == 4 {
		text += "An advertisement of the list.\r\n"
	}
	client := fmt.Sprintf("198.51.100.%d", d+1)
	if kind == 1 || kind >= 3 {
		client = "192.0.2.99"
	}
	stored := map[bool]string{true: "pass", false: "fail"}[kind < 4] // kind 3 got worse since
	return fmt.Sprintf("Return-Path: <bounce@%[1]s>\r\nAuthentication-Results: mx.receiver.example; dmarc=%[2]s header.from=%[1]s\r\n"+
		"Received: from out.%[1]s (out.%[1]s [%[3]s])\r\n\tby mx.receiver.example with ESMTPS id x; %[4]s\r\n%[5]s", domain, stored, client, came, text), nil
}

// quoted returns a long text as the strings of a TXT record.
func quoted(text string) string {
	var parts []string
	for len(text) > 255 {
		parts, text = append(parts, `"`+text[:255]+`"`), text[255:]
	}
	return strings.Join(append(parts, `"`+text+`"`), " ")
}
