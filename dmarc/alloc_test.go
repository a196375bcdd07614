package dmarc_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

// plainMail is a message of 4 KiB with one RSA signature, which passes in every way.
func plainMail(t testing.TB) (resolver.Zone, []byte) {
	zone := shop()
	body := strings.Repeat("It is on its way, and it will be with you tomorrow. That is all.\n", 4096/66)
	message := dmarctest.Message{From: "Shop <news@shop.example>", Date: time.Now(), Body: body}.Bytes(t)
	return zone, dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example"})
}

// What a message of 4 KiB allocates when all answers are in memory: no goroutine, no context.
func TestAllocationsOfAMessageWhoseAnswersAreInMemory(t *testing.T) {
	if suite.Race {
		t.Skip("allocations cannot be counted with the race detector")
	}
	zone, message := plainMail(t)
	cache := &resolver.Cache{Resolver: zone}
	wrapped := resolver.Wrap(cache, func(context.Context, resolver.Question, resolver.Answer, error) {})
	for name, r := range map[string]resolver.Resolver{"a Zone": zone, "a Cache": cache, "a Wrap around a Cache": wrapped} {
		t.Run(name, func(t *testing.T) {
			v := &dmarc.Verifier{Resolver: r}
			verify := func() {
				// As from a connection: a reader that has no other method.
				result, err := v.Verify(t.Context(), fromShop, struct{ io.Reader }{bytes.NewReader(message)})
				if err != nil || result.DMARC.Status != dmarc.StatusPass || !result.DMARC.SPFAligned || !result.DMARC.DKIMAligned {
					t.Fatalf("%s: %v", outcome(result), err)
				}
			}
			verify() // now the answers are in the cache
			n := testing.AllocsPerRun(200, verify)
			t.Logf("%v allocations", n)
			if n > 46 {
				t.Errorf("%v allocations, want at most 46", n)
			}
		})
	}
}
