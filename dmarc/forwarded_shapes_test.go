package dmarc_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// Ways that mail really takes, each beside an attacker who imitates it. The owner of bank.example
// asks for reject; the receiver rejects unless the way is indirect, trusts the seals of
// forward.example, and knows lists.example.

var shapesNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// bankSigned signs a message as the bank does.
func bankSigned(t *testing.T, message string) string {
	t.Helper()
	signed, err := signing.Signature{
		Key: signing.Ed25519("bank.example"), Domain: "bank.example", Time: shapesNow.Add(-time.Hour), Header: "from:to:subject",
	}.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func shapesZone(t *testing.T) resolver.Zone {
	zone := forwardedZone(t)
	for name, ip := range map[string]string{"alumni.example": "198.51.100.20", "forward.example": "198.51.100.30", "groups.example": "198.51.100.40", "attacker.example": "203.0.113.66"} {
		zone[name] = resolver.Records{TXT: []string{"v=spf1 ip4:" + ip + " -all"}}
		key, err := signing.Record(signing.Ed25519(name).Public())
		if err != nil {
			t.Fatal(err)
		}
		for _, selector := range []string{"arc", "test"} {
			zone[selector+"._domainkey."+name] = resolver.Records{TXT: []string{key}}
		}
	}
	zone["_dmarc.groups.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject"}}
	return zone
}

func TestMailThatCameAnotherWayAndWhoImitatesIt(t *testing.T) {
	plain := "From: Ann <ann@bank.example>\r\nTo: l@lists.example\r\nSubject: Meeting\r\n\r\nOn Monday.\r\n"
	signed := bankSigned(t, plain)
	mailman := func(message string) string {
		message = strings.Replace(message, "On Monday.\r\n", "On Monday.\r\n_______\r\nl mailing list\r\n", 1)
		return "List-Id: l <l.lists.example>\r\nList-Post: <mailto:l@lists.example>\r\n" + message
	}
	saw := "mx.forward.example; spf=pass smtp.mailfrom=ann@bank.example smtp.remote-ip=192.0.2.1; dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example"
	for _, tt := range []struct {
		name        string
		client      string
		mailFrom    string
		message     string
		verdict     dmarc.Status
		disposition dmarc.Disposition
		kinds       string
	}{
		{"a Mailman list that adds a footer", "198.51.100.7", "l-bounces@lists.example", mailman(signed),
			dmarc.StatusFail, dmarc.DispositionQuarantine, "body-changed known-forwarder list"},
		{"a list that changes the Subject too", "198.51.100.7", "l-bounces@lists.example", mailman(strings.Replace(signed, "Subject: Meeting", "Subject: [l] Meeting", 1)),
			dmarc.StatusFail, dmarc.DispositionReject, "known-forwarder list"},
		{"an attacker who writes the fields of a list", "203.0.113.66", "l-bounces@attacker.example", mailman(plain),
			dmarc.StatusFail, dmarc.DispositionReject, "list"},
		{"an attacker who puts his text below a signed header", "203.0.113.66", "x@attacker.example", mailman(signed),
			dmarc.StatusFail, dmarc.DispositionReject, "body-changed list"},

		{"an alumni address that forwards with SRS", "198.51.100.20", "SRS0=ab=cd=bank.example=ann@alumni.example", signed,
			dmarc.StatusPass, dmarc.DispositionNone, ""},
		{"the same without a signature", "198.51.100.20", "SRS0=ab=cd=bank.example=ann@alumni.example", plain,
			dmarc.StatusFail, dmarc.DispositionReject, "rewritten-sender"},
		{"an attacker with a local part like SRS", "203.0.113.66", "SRS0=ab=cd=bank.example=ann@attacker.example", plain,
			dmarc.StatusFail, dmarc.DispositionReject, "rewritten-sender"},

		{"a mailbox provider that forwards, changes, and seals", "198.51.100.30", "ann@bank.example",
			sealed(t, strings.Replace(plain, "On Monday.", "[External] On Monday.", 1), "forward.example", saw),
			dmarc.StatusFail, dmarc.DispositionNone, "trusted-sealer"},
		{"an attacker who seals with a domain of his own", "203.0.113.66", "x@attacker.example",
			sealed(t, plain, "attacker.example", strings.ReplaceAll(saw, "forward.example", "attacker.example")),
			dmarc.StatusFail, dmarc.DispositionReject, "untrusted-sealer"},
		{"an attacker who writes the trusted sealer's name into his results", "203.0.113.66", "x@attacker.example", sealed(t, plain, "attacker.example", saw),
			dmarc.StatusFail, dmarc.DispositionReject, "untrusted-sealer"},
		{"an attacker who sends a trusted sealer's message with another text", "203.0.113.66", "x@attacker.example",
			strings.Replace(sealed(t, plain, "forward.example", saw), "On Monday.", "Pay me.", 1),
			dmarc.StatusFail, dmarc.DispositionReject, ""},

		{"a group that puts its own address into From", "198.51.100.40", "g+bounces@groups.example",
			"List-Id: <g.groups.example>\r\nReply-To: ann@bank.example\r\n" + strings.Replace(plain, "Ann <ann@bank.example>", `"Ann via g" <g@groups.example>`, 1),
			dmarc.StatusPass, dmarc.DispositionNone, ""},
		{"an attacker who puts the bank's address into the name", "203.0.113.66", "x@attacker.example",
			"List-Id: <g.groups.example>\r\n" + strings.Replace(plain, "Ann <ann@bank.example>", `ann@bank.example via g <g@groups.example>`, 1),
			dmarc.StatusPermError, dmarc.DispositionReject, ""},

		{"a school's gateway that sends mail on as it is", "198.51.100.30", "ann@bank.example", "Received: from mx.bank.example by gateway.forward.example with ESMTP; x\r\n" + signed,
			dmarc.StatusPass, dmarc.DispositionNone, ""},
		{"an attacker with the gateway's Received field", "203.0.113.66", "ann@bank.example", "Received: from mx.bank.example by gateway.forward.example with ESMTP; x\r\n" + plain,
			dmarc.StatusFail, dmarc.DispositionReject, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := dmarc.Verifier{
				Resolver: shapesZone(t), Reject: dmarc.RejectUnlessIndirect, Now: func() time.Time { return shapesNow },
				TrustedSealers: []string{"forward.example"}, KnownForwarders: []string{"lists.example"},
			}
			r, err := v.Verify(context.Background(), dmarc.Envelope{IP: netip.MustParseAddr(tt.client), HELO: "mx.example", MailFrom: tt.mailFrom}, strings.NewReader(tt.message))
			if err != nil {
				t.Fatal(err)
			}
			if r.DMARC.Status != tt.verdict || r.DMARC.Disposition != tt.disposition || kinds(r.Indirect) != tt.kinds {
				t.Errorf("%s, disposition %s, %q; want %s, %s, %q", r, r.DMARC.Disposition, kinds(r.Indirect), tt.verdict, tt.disposition, tt.kinds)
			}
		})
	}
}

func kinds(list []indirect.Evidence) string {
	var words []string
	for _, e := range list {
		words = append(words, string(e.Kind))
	}
	return strings.Join(words, " ")
}

// A message of a file, as a receiver has it who trusts the school and as one who does not.
func TestTheSchoolThatSealedIsTakenAtItsWordByWhoTrustsIt(t *testing.T) {
	f, err := dmarctest.Read("../testdata/sealed-forward.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		trusted string
		want    dmarc.Disposition
	}{{"school.example", dmarc.DispositionNone}, {"museum.example", dmarc.DispositionReject}} {
		f.Configure = func(v *dmarc.Verifier) { v.TrustedSealers = []string{tt.trusted} }
		r := f.Verify(t)
		if r.DMARC.Status != dmarc.StatusFail || r.DMARC.Disposition != tt.want {
			t.Errorf("%s trusted: %s, want fail, %s", tt.trusted, r, tt.want)
		}
	}
}
