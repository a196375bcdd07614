package compare

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A delivery is a message on its way, its envelope, and the DNS of its domains.
type delivery struct {
	zone    resolver.Zone
	session spf.Envelope
	message []byte
}

// newDelivery makes a delivery that passes in every way. A plain one has one
// signature and an SPF record that names the client; a busy one has three
// signatures, one of them by a domain below, and the nested SPF records.
func newDelivery(b testing.TB, busy bool, size int) (delivery, contestant) {
	b.Helper()
	zone := resolver.Zone{
		"shop.example":        {A: []string{"192.0.2.80"}},
		"mail.shop.example":   {A: []string{"192.0.2.1"}},
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject; rua=mailto:dmarc@shop.example"}},
	}
	record, signature := "direct", benchSignature{"rsa", true, 1}
	if busy {
		record, signature.count = "nested", 3
	}
	spfBenchZones[record](zone, "shop.example")
	message := signature.signMail(b, zone, benchMail(size))
	return delivery{zone, spfBenchSession, message}, signature.floor(b, message)
}

// BenchmarkPipeline is SPF, DKIM and DMARC over one message.
func BenchmarkPipeline(b *testing.B) {
	for _, mail := range []string{"plain", "busy"} {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("mail=%s/size=%s", mail, size.name), func(b *testing.B) {
				d, floor := newDelivery(b, mail == "busy", size.size)
				race{d.message, []contestant{
					pipelineOurs(&dmarc.Verifier{Resolver: d.zone}, d.session),
					pipelineGlued(newPeerDNS(d.zone), d.session),
					floor,
				}}.bench(b)
			})
		}
	}
}

func pipelineOurs(v *dmarc.Verifier, s spf.Envelope) contestant {
	envelope := dmarc.Envelope{IP: s.IP, HELO: s.HELO, MailFrom: s.MailFrom}
	return contestant{"ours", func(message io.Reader) error {
		r, err := v.Verify(context.Background(), envelope, message)
		if err != nil || r.DMARC.Status != dmarc.StatusPass || !r.DMARC.SPFAligned || !r.DMARC.DKIMAligned {
			return fmt.Errorf("%s (%v): %w", r.DMARC.Status, r.DMARC.Err, err)
		}
		return nil
	}}
}

func pipelineGlued(dns *peerDNS, s spf.Envelope) contestant {
	return contestant{"glue", func(message io.Reader) error {
		v, err := glued(dns, s, message)
		if err != nil || !v.pass {
			return fmt.Errorf("pass is %t: %w", v.pass, err)
		}
		return nil
	}}
}

// An ownResolver is a resolver of a user's own, which answers at once.
type ownResolver struct{ zone resolver.Zone }

func (r ownResolver) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	return r.zone.Resolve(ctx, q)
}

// BenchmarkPipelineByResolver is SPF, DKIM and DMARC over one message of 4 KiB, with all
// answers in memory, behind each kind of resolver.
func BenchmarkPipelineByResolver(b *testing.B) {
	for _, mail := range []string{"plain", "busy"} {
		d, _ := newDelivery(b, mail == "busy", 4<<10)
		cache := &resolver.Cache{Resolver: d.zone}
		for name, r := range map[string]resolver.Resolver{
			"a Zone":                d.zone,
			"a Cache":               cache,
			"a Wrap around a Cache": resolver.Wrap(cache, func(context.Context, resolver.Question, resolver.Answer, error) {}),
			"one of the user's own": ownResolver{d.zone},
		} {
			b.Run(fmt.Sprintf("mail=%s/by=%s", mail, name), func(b *testing.B) {
				ours, message := pipelineOurs(&dmarc.Verifier{Resolver: r}, d.session), newReader()
				b.ReportAllocs()
				for b.Loop() {
					if err := ours.run(message.of(d.message)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
