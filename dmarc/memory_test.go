package dmarc_test

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// forgetful is a resolver of which every question has to be waited for.
type forgetful struct{ resolver.Resolver }

func TestWhatMemoryKnowsGivesTheSameResult(t *testing.T) {
	zone, message := busy(t)
	signed := time.Now()
	verify := func(r resolver.Resolver) *dmarc.Result {
		result, err := (&dmarc.Verifier{Resolver: r, Now: func() time.Time { return signed }}).Verify(context.Background(), fromShop, strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	recalled, waited := verify(zone), verify(forgetful{zone})
	if recalled.DMARC.Status != dmarc.StatusPass || !recalled.DMARC.SPFAligned || !recalled.DMARC.DKIMAligned {
		t.Errorf("from memory: %s (%v)", recalled.DMARC.Status, recalled.DMARC.Err)
	}
	if !reflect.DeepEqual(recalled, waited) {
		t.Errorf("from memory %+v, waited for %+v", recalled, waited)
	}
}

// counted counts the questions that reach a resolver.
type counted struct {
	resolver.Resolver
	asked atomic.Int32
}

func (c *counted) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	c.asked.Add(1)
	return c.Resolver.Resolve(ctx, q)
}

func TestNothingIsAskedForThatACacheKnows(t *testing.T) {
	zone, message := busy(t)
	dns := &counted{Resolver: zone}
	v := &dmarc.Verifier{Resolver: &resolver.Cache{Resolver: dns}}
	for n := range 2 {
		before := dns.asked.Load()
		r, err := v.Verify(context.Background(), fromShop, strings.NewReader(message))
		if err != nil || r.DMARC.Status != dmarc.StatusPass || !r.DMARC.SPFAligned || !r.DMARC.DKIMAligned {
			t.Errorf("message %d: %s (%v, %v), want a pass by both", n+1, r.DMARC.Status, r.DMARC.Err, err)
		}
		if asked := dns.asked.Load() - before; (asked == 0) != (n == 1) {
			t.Errorf("message %d: %d questions", n+1, asked)
		}
	}
}
