package dmarc_test

import (
	"context"
	"reflect"
	"strings"
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
	if recalled.DMARC.Status != dmarc.Pass || !recalled.DMARC.SPFAligned || !recalled.DMARC.DKIMAligned {
		t.Errorf("from memory: %s (%v)", recalled.DMARC.Status, recalled.DMARC.Err)
	}
	if !reflect.DeepEqual(recalled, waited) {
		t.Errorf("from memory %+v, waited for %+v", recalled, waited)
	}
}

func TestAMessageTakesFewAllocationsWhereMemoryKnowsAll(t *testing.T) {
	zone := shop()
	message := sign(t, zone, letter, "shop.example")
	v := &dmarc.Verifier{Resolver: zone}
	n := testing.AllocsPerRun(100, func() {
		if r, err := v.Verify(context.Background(), fromShop, strings.NewReader(message)); err != nil || r.DMARC.Status != dmarc.Pass {
			t.Fatal(r.DMARC.Status, err)
		}
	})
	if n > 80 {
		t.Errorf("%g allocations, want at most 80", n)
	}
	t.Logf("%g allocations", n)
}
