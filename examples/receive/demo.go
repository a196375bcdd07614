package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io/fs"
	"math/big"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
	"github.com/mailverdict/mailverdict/testdata"
)

const demoDomain = "learn.example"

// laptop is a domain whose mail may come from this host: for a mail of one's own to -demo.
const laptop = `$ORIGIN laptop.example.
@       TXT "v=spf1 ip4:127.0.0.0/8 ip6:::1 -all"
_dmarc  TXT "v=DMARC1; p=reject; rua=mailto:dmarc@laptop.example"
`

// demoDNS is the made-up DNS of -demo: the zones of all stories, and that of laptop.example. Where
// stories have different policies for one name, the first one's stands: several would count as none.
func demoDNS() (resolver.Resolver, error) {
	all, err := resolver.ParseZone(strings.NewReader(laptop), "laptop.zone")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(testdata.Files, "*.zone")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(testdata.Files, name)
		if err != nil {
			return nil, err
		}
		zone, err := resolver.ParseZone(strings.NewReader(string(text)), name)
		if err != nil {
			return nil, err
		}
		all.Add(zone)
	}
	for name, records := range all {
		records.TXT = onePolicy(records.TXT)
		all[name] = records
	}
	return paced{all}, nil
}

// onePolicy returns TXT records without those of SPF and DMARC that follow another of their kind.
func onePolicy(records []string) (kept []string) {
	var hasSPF, hasDMARC bool
	for _, text := range records {
		_, isSPF, _ := spf.Parse(text)
		isDMARC := record.IsDMARC(text)
		if isSPF && hasSPF || isDMARC && hasDMARC {
			continue
		}
		hasSPF, hasDMARC = hasSPF || isSPF, hasDMARC || isDMARC
		kept = append(kept, text)
	}
	return kept
}

// tls returns what STARTTLS is offered with.
func (o *options) tls() (*tls.Config, error) {
	if o.cert != "" {
		certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
		return &tls.Config{Certificates: []tls.Certificate{certificate}}, err
	}
	return selfSigned(o.domain)
}

// selfSigned makes a certificate that protects from those who only listen: RFC 7435.
func selfSigned(domain string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: domain},
		DNSNames:     []string{domain},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
}
