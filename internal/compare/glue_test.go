package compare

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"strings"

	msgauth "github.com/emersion/go-msgauth/dkim"
	peerdmarc "github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/publicsuffix"

	"github.com/mailverdict/mailverdict/spf"
)

// A gluedVerdict is what glued checks the message with.
type gluedVerdict struct {
	pass   bool
	policy peerdmarc.Policy // "" where there is no record
}

// glued is the pipeline as programs have it today: SPF, then DKIM, then a lookup of
// the DMARC record at the domain of From and at its organizational domain, then
// alignment by the public suffix list (RFC 7489), one after the other.
func glued(dns *peerDNS, s spf.Envelope, message io.Reader) (gluedVerdict, error) {
	spfStatus, _ := checkPeerSPF(dns, s)

	// The header is read twice: once for From, once by the verifier of signatures.
	raw, err := io.ReadAll(message)
	if err != nil {
		return gluedVerdict{}, err
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return gluedVerdict{}, err
	}
	from, err := mail.ParseAddressList(parsed.Header.Get("From"))
	if err != nil {
		return gluedVerdict{}, err
	}
	author := domainOf(from[0].Address)

	signatures, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), &msgauth.VerifyOptions{LookupTXT: dns.text})
	if err != nil {
		return gluedVerdict{}, err
	}

	options := &peerdmarc.LookupOptions{LookupTXT: dns.text}
	record, err := peerdmarc.LookupWithOptions(author, options)
	policyDomain := author
	if errors.Is(err, peerdmarc.ErrNoPolicy) {
		if policyDomain = organizational(author); policyDomain != author {
			record, err = peerdmarc.LookupWithOptions(policyDomain, options)
		}
	}
	if errors.Is(err, peerdmarc.ErrNoPolicy) {
		return gluedVerdict{}, nil
	}
	if err != nil {
		return gluedVerdict{}, err
	}

	v := gluedVerdict{policy: record.Policy}
	if policyDomain != author && record.SubdomainPolicy != "" {
		v.policy = record.SubdomainPolicy
	}
	v.pass = spfStatus == "pass" && aligned(record.SPFAlignment, author, domainOf(s.MailFrom))
	for _, signature := range signatures {
		v.pass = v.pass || signature.Err == nil && aligned(record.DKIMAlignment, author, signature.Domain)
	}
	return v, nil
}

func aligned(mode peerdmarc.AlignmentMode, author, identifier string) bool {
	identifier = strings.ToLower(identifier)
	return author == identifier || mode != peerdmarc.AlignmentStrict && organizational(author) == organizational(identifier)
}

func organizational(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
