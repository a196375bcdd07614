package dmarc_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// sealed returns a message with one more ARC set on top. The results are what the sealer says that
// it saw.
func sealed(t *testing.T, message, name, results string) string {
	t.Helper()
	text, err := signing.Seal{Key: signing.Ed25519(name), Domain: name, Results: results}.Add(message)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// forwardedZone has a bank that asks for reject, and the keys of two sealers.
func forwardedZone(t *testing.T) resolver.Zone {
	zone := resolver.Zone{
		"bank.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.bank.example": {TXT: []string{"v=DMARC1; p=reject; adkim=s"}},
		"lists.example":       {TXT: []string{"v=spf1 ip4:198.51.100.7 -all"}},
	}
	for _, name := range []string{"lists.example", "forward.example", "bank.example"} {
		text, err := signing.Record(signing.Ed25519(name).Public())
		if err != nil {
			t.Fatal(err)
		}
		zone["arc._domainkey."+name] = resolver.Records{TXT: []string{text}}
		zone["test._domainkey."+name] = resolver.Records{TXT: []string{text}}
	}
	return zone
}

const (
	letterOfTheBank = "From: a@bank.example\r\nTo: list@lists.example\r\nSubject: Hello\r\n\r\nHello.\r\n"
	sawAPass        = "mx.lists.example; dmarc=pass header.from=bank.example; spf=pass smtp.mailfrom=bank.example smtp.remote-ip=192.0.2.1"
)

var fromTheList = dmarc.Envelope{IP: netip.MustParseAddr("198.51.100.7"), HELO: "mx.lists.example", MailFrom: "bounce@lists.example"}

func TestATrustedSealerVouchesForWhatItSawAndNothingElse(t *testing.T) {
	attack := sealed(t, letterOfTheBank, "lists.example", sawAPass)
	for _, tt := range []struct {
		name    string
		trusted []string
		message string
		comment string // "" if it stays a reject
	}{
		{"the sealer is trusted", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", sawAPass), "arc=pass as[1].d=lists.example as[1].s=arc remote-ip[1]=192.0.2.1"},
		{"an aligned identifier passed", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "lists.example; dkim=pass header.d=bank.example"), "arc=pass as[1].d=lists.example as[1].s=arc"},
		{"nobody is trusted", nil, sealed(t, letterOfTheBank, "lists.example", sawAPass), ""},
		{"names below a trusted one are not trusted", []string{"example"}, sealed(t, letterOfTheBank, "lists.example", sawAPass), ""},
		{"names below are trusted if that is said", []string{".example"}, sealed(t, letterOfTheBank, "lists.example", sawAPass), "arc=pass as[1].d=lists.example as[1].s=arc remote-ip[1]=192.0.2.1"},
		{"it saw a message of another Author Domain", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "mx.lists.example; dmarc=pass header.from=other.example; dkim=pass header.d=bank.example"), ""},
		{"it saw a failure", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "mx.lists.example; dmarc=fail header.from=bank.example"), ""},
		{"it saw a failure, whatever passed", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "lists.example; dkim=pass header.d=bank.example; dmarc=fail header.from=bank.example"), ""},
		{"it could not say, and an identifier below the Author Domain passed", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "lists.example; spf=pass smtp.mailfrom=x@mail.bank.example; dmarc=temperror header.from=bank.example"), "arc=pass as[1].d=lists.example as[1].s=arc"},
		{"an identifier below the Author Domain passed, which is not aligned if the owner is strict", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "lists.example; dkim=pass header.d=mail.bank.example"), ""},
		{"the domain that passed is not the owner's", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "lists.example; spf=pass smtp.mailfrom=x@evilbank.example; dkim=pass header.i=@example"), ""},
		{"its results are under another authserv-id", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "mx.other.example; dmarc=pass header.from=bank.example"), ""},
		{"its results are under the authserv-id of the list", []string{"lists.example=mx.other.example"}, sealed(t, letterOfTheBank, "lists.example", "mx.other.example; dmarc=pass header.from=bank.example"), "arc=pass as[1].d=lists.example as[1].s=arc"},
		{"the pass stands in a comment", []string{"lists.example"}, sealed(t, letterOfTheBank, "lists.example", "mx.lists.example; spf=fail (; dmarc=pass header.from=bank.example) smtp.mailfrom=bank.example"), ""},
		{"what it sealed has another body now", []string{"lists.example"}, strings.Replace(attack, "Hello.", "Pay.", 1), ""},
		{"an unknown sealer sealed after it", []string{"lists.example"}, sealed(t, attack, "forward.example", "forward.example; arc=pass"), ""},
		{"an unknown sealer sealed before it", []string{"forward.example"}, sealed(t, attack, "forward.example", "forward.example; dmarc=fail header.from=bank.example"), ""},
		{"both are trusted, and the older counts", []string{"lists.example", "forward.example"}, sealed(t, attack, "forward.example", "forward.example; dmarc=fail header.from=bank.example"), "arc=pass as[2].d=forward.example as[2].s=arc as[1].d=lists.example as[1].s=arc remote-ip[1]=192.0.2.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := dmarc.Verifier{Resolver: forwardedZone(t), TrustedSealers: tt.trusted}
			r, err := v.Verify(context.Background(), fromTheList, strings.NewReader(tt.message))
			if err != nil || r.DMARC.Status != dmarc.StatusFail || r.DMARC.Evaluated != dmarc.DispositionReject {
				t.Fatalf("%v, %s, evaluated %s", err, r, r.DMARC.Evaluated)
			}
			switch o := r.DMARC.Override; {
			case tt.comment == "" && (o != nil || r.DMARC.Disposition != dmarc.DispositionReject):
				t.Errorf("%s, want a reject; ARC: %s", r, r.ARC)
			case tt.comment != "" && (o == nil || o.Type != dmarc.OverrideLocal || o.Comment != tt.comment || r.DMARC.Disposition != dmarc.DispositionNone):
				t.Errorf("%s (%+v), want %q; ARC: %s", r, o, tt.comment, r.ARC)
			}
		})
	}
}

// A DNS failure at the key of a seal vouches for nothing.
func TestAChainThatDNSLeavesOpenVouchesForNothing(t *testing.T) {
	zone := forwardedZone(t)
	zone["arc._domainkey.lists.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	v := dmarc.Verifier{Resolver: zone, TrustedSealers: []string{"lists.example"}}
	r, err := v.Verify(context.Background(), fromTheList, strings.NewReader(sealed(t, letterOfTheBank, "lists.example", sawAPass)))
	if err != nil || r.ARC.Status.String() != "temperror" || r.DMARC.Disposition != dmarc.DispositionReject {
		t.Errorf("%v, %s, %s", err, r.ARC, r)
	}
}

// signedByTheBank is a message that the bank signed, with another body now.
func signedByTheBank(t *testing.T, at time.Time) string {
	t.Helper()
	signed, err := signing.Signature{Key: signing.Ed25519("bank.example"), Domain: "bank.example", Time: at, Header: "from:to:subject", Tags: "z=Subject:Hello;"}.Sign(letterOfTheBank)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(signed, "Hello.\r\n", "Hello.\r\n-- \r\nA list\r\n", 1)
}

func TestWhatIsRejectedUnlessIndirect(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	weak := "List-Id: <l.lists.example>\r\nList-Post: <mailto:l@lists.example>\r\nResent-From: b@lists.example\r\n"
	for _, tt := range []struct {
		name       string
		reject     dmarc.Reject
		forwarders []string
		message    string
		want       dmarc.Disposition
		override   string
	}{
		{"as asked", dmarc.RejectAsAsked, []string{"198.51.100.7"}, signedByTheBank(t, now), dmarc.DispositionReject, ""},
		{"never", dmarc.RejectNever, nil, letterOfTheBank, dmarc.DispositionQuarantine, dmarc.OverrideLocal},
		{"a recent signature, changed by a known list", dmarc.RejectUnlessIndirect, []string{"lists.example"}, signedByTheBank(t, now), dmarc.DispositionQuarantine, dmarc.OverrideForwarder},
		{"a recent signature, changed in a known network", dmarc.RejectUnlessIndirect, []string{"198.51.100.0/24"}, signedByTheBank(t, now), dmarc.DispositionQuarantine, dmarc.OverrideForwarder},
		{"a recent signature, changed by a stranger", dmarc.RejectUnlessIndirect, nil, signedByTheBank(t, now), dmarc.DispositionReject, ""},
		{"an old signature over a new body", dmarc.RejectUnlessIndirect, []string{"lists.example"}, signedByTheBank(t, now.Add(-30*24*time.Hour)), dmarc.DispositionReject, ""},
		{"a signature without a time", dmarc.RejectUnlessIndirect, []string{"lists.example"}, signedByTheBank(t, time.Time{}), dmarc.DispositionReject, ""},
		{"a known list without a signature of the owner", dmarc.RejectUnlessIndirect, []string{"lists.example"}, weak + letterOfTheBank, dmarc.DispositionReject, ""},
		{"every weak sign", dmarc.RejectUnlessIndirect, nil, weak + signedByTheBank(t, time.Time{}), dmarc.DispositionReject, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := dmarc.Verifier{Resolver: forwardedZone(t), Reject: tt.reject, KnownForwarders: tt.forwarders, Now: func() time.Time { return now }}
			e := fromTheList
			e.MailFrom = "SRS0=x=y=bank.example=a@lists.example"
			r, err := v.Verify(context.Background(), e, strings.NewReader(tt.message))
			if err != nil || r.DMARC.Status != dmarc.StatusFail || r.DMARC.Evaluated != dmarc.DispositionReject || r.DMARC.Disposition != tt.want {
				t.Errorf("%v, %s, want %s; %v", err, r, tt.want, r.Indirect)
			}
			if o := r.DMARC.Override; (o == nil) != (tt.override == "") || o != nil && o.Type != tt.override {
				t.Errorf("override %v, want %q", o, tt.override)
			}
		})
	}
}

func TestWhatShowsThatAMessageCameAnotherWayIsListed(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	message := "List-Id: A list\r\n <l.lists.example>\r\nResent-Date: x\r\n" + strings.Replace(signedByTheBank(t, now), "Subject: Hello", "Subject: [l] Hello", 1)
	e := fromTheList
	e.MailFrom = "SRS0=x=y=bank.example=a@lists.example"
	v := dmarc.Verifier{Resolver: forwardedZone(t), Now: func() time.Time { return now }}
	r, err := v.Verify(context.Background(), e, strings.NewReader(sealed(t, message, "lists.example", sawAPass)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range r.Indirect {
		if e.Strong {
			t.Errorf("%s is strong", e)
		}
		got = append(got, e.String())
	}
	want := []string{"untrusted-sealer (lists.example)", "rewritten-sender (lists.example)", "list (A list <l.lists.example>)", "resent", "subject-prefix ([l])"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Indirect) > 0 && r.Indirect[0].Kind != indirect.KindUntrustedSealer {
		t.Error("the kind has another word")
	}
}

func TestAMessageThatPassesHasNoEvidence(t *testing.T) {
	v := dmarc.Verifier{Resolver: forwardedZone(t), KnownForwarders: []string{"192.0.2.1"}}
	e := dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mx.bank.example", MailFrom: "a@bank.example"}
	r, err := v.Verify(context.Background(), e, strings.NewReader("List-Id: <x>\r\n"+letterOfTheBank))
	if err != nil || r.DMARC.Status != dmarc.StatusPass || r.Indirect != nil {
		t.Errorf("%v, %s, %v", err, r, r.Indirect)
	}
}

// Of several Author Domains, the evidence is that for the one whose verdict stands.
func TestEvidenceBelongsToTheVerdictThatStands(t *testing.T) {
	for _, from := range []string{"a@bank.example, b@lists.example", "b@lists.example, a@bank.example"} {
		zone := forwardedZone(t)
		zone["_dmarc.lists.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=none"}}
		v := dmarc.Verifier{Resolver: zone, InvalidAuthor: dmarc.InvalidAuthorEvaluateAll, KnownForwarders: []string{"lists.example"}}
		r, err := v.Verify(context.Background(), fromTheList, strings.NewReader(strings.Replace(letterOfTheBank, "a@bank.example", from, 1)))
		if err != nil || r.DMARC.Status != dmarc.StatusFail || r.DMARC.AuthorDomain != "bank.example" || len(r.Indirect) != 1 {
			t.Errorf("%s: %v, %s, %v", from, err, r, r.Indirect)
		}
	}
}
