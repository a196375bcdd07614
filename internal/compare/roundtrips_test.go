package compare

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// roundTrip is how long every DNS question takes in TestRoundTrips.
const roundTrip = 20 * time.Millisecond

// A slowDNS answers each question after a round trip, and counts them.
type slowDNS struct {
	resolver.Resolver
	asked *atomic.Int64
}

func (s slowDNS) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	s.asked.Add(1)
	select {
	case <-time.After(roundTrip):
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	}
	return s.Resolver.Resolve(ctx, q)
}

// TestRoundTripsOfTheWholePipeline tells how long both sides wait for DNS. The figures
// are for reading; what the test holds is that both come to the same verdict.
func TestRoundTripsOfTheWholePipeline(t *testing.T) {
	for _, mail := range []string{"plain", "busy"} {
		d, _ := newDelivery(t, mail == "busy", 4<<10)
		for _, c := range []string{"ours", "glue"} {
			synctest.Test(t, func(t *testing.T) {
				dns := slowDNS{d.zone, new(atomic.Int64)}
				one := pipelineOurs(&dmarc.Verifier{Resolver: dns}, d.session)
				if c == "glue" {
					peer := newPeerDNS(d.zone)
					peer.zone = dns
					one = pipelineGlued(peer, d.session)
				}
				start := time.Now()
				if err := one.run(bytes.NewReader(d.message)); err != nil {
					t.Fatal(err)
				}
				// In the form that benchstat reads, since only a test can have a bubble.
				fmt.Printf("BenchmarkRoundTrips/mail=%s/by=%s 1 %d round-trips/op %d questions/op\n",
					mail, c, time.Since(start)/roundTrip, dns.asked.Load())
			})
		}
	}
}
