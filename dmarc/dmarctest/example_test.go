package dmarctest_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/resolver"
)

var t *testing.T // of the test around

// Every NAME.eml in testdata becomes a subtest.
func ExampleRun() {
	dmarctest.Run(t, "testdata")
}

// The same fixtures, verified by RFC 7489.
func ExampleLoad() {
	for _, f := range dmarctest.Load(t, "testdata") {
		f.Configure = func(v *dmarc.Verifier) { v.Discovery.Mode = discovery.PublicSuffix }
		t.Run(f.Name, func(t *testing.T) { f.Check(t) })
	}
}

// A newsletter is sent by a provider, whose own SPF passes and says nothing of the shop. The
// shop's signature does.
func ExampleFixture() {
	zone := resolver.Zone{
		"_dmarc.shop.example":      {TXT: []string{"v=DMARC1; p=reject"}},
		"bounces.provider.example": {TXT: []string{"v=spf1 ip4:192.0.2.0/24 -all"}},
	}
	message := dmarctest.Message{From: "Shop <news@shop.example>", Subject: "News"}.Bytes(t)
	message = dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example"})
	f := dmarctest.Fixture{
		Message: message,
		Zone:    zone,
		Envelope: dmarc.Envelope{
			IP:       netip.MustParseAddr("192.0.2.1"),
			HELO:     "out.provider.example",
			MailFrom: "shop@bounces.provider.example",
		},
	}

	r := f.Verify(t)
	dmarctest.WantVerdict(t, r, dmarc.StatusPass)
	dmarctest.WantAligned(t, r, dmarc.MethodDKIM)
}

// DNS is asked for the key and gives no answer: the message is to come again.
func ExamplePlant() {
	zone := resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}}}
	message := dmarctest.Message{From: "news@shop.example"}.Bytes(t)
	message = dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example"})
	dmarctest.Plant(t, zone, "test._domainkey.shop.example TXT", resolver.Fault{Err: resolver.ErrTimeout})

	f := dmarctest.Fixture{Message: message, Zone: zone}
	r := f.Verify(t)
	dmarctest.WantDKIM(t, r, dkim.StatusTempError)
	dmarctest.WantDisposition(t, r, dmarc.DispositionTempFail)
}

// Within testing/synctest a slow name server costs no time, and the clock says how many
// questions were waited for in a row: here one, although key and policy are asked for.
func ExampleSlow() {
	synctest.Test(t, func(t *testing.T) {
		zone := resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}}}
		message := dmarctest.Message{From: "news@shop.example"}.Bytes(t)
		message = dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example"})
		f := dmarctest.Fixture{
			Message:   message,
			Zone:      zone,
			Configure: func(v *dmarc.Verifier) { v.Resolver = dmarctest.Slow(zone, time.Second) },
		}

		start := time.Now()
		dmarctest.WantVerdict(t, f.Verify(t), dmarc.StatusPass)
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}
