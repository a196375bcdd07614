package dmarc_test

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
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

// watched tells of each question, which takes a while.
type watched struct {
	resolver.Resolver
	asked chan string
}

func (w watched) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	w.asked <- q.Name
	time.Sleep(time.Millisecond) // of the bubble
	return w.Resolver.Resolve(ctx, q)
}

func TestNoQuestionForHELOIsInVain(t *testing.T) {
	zone, message := busy(t)
	zone["helo.example"] = resolver.Records{TXT: []string{"v=spf1 a:helo1.example a:helo2.example a:helo3.example -all"}}
	zone["helo1.example"] = resolver.Records{A: []string{fromShop.IP.String()}}
	synctest.Test(t, func(t *testing.T) {
		dns := watched{zone, make(chan string, 1000)}
		e := fromShop
		e.HELO = "helo.example"
		r, err := (&dmarc.Verifier{Resolver: dns}).Verify(t.Context(), e, strings.NewReader(message))
		if err != nil || r.HELO.Mechanism != "a:helo1.example" {
			t.Errorf("HELO: %v, %v", r.HELO, err)
		}
		close(dns.asked)
		for name := range dns.asked {
			if name == "helo2.example" || name == "helo3.example" {
				t.Errorf("asked for %s", name)
			}
		}
	})
}

func TestHELOHasTheLesserOfTwoLimitsOfQuestions(t *testing.T) {
	zone, message := busy(t)
	zone["helo.example"] = resolver.Records{TXT: []string{"v=spf1 a:helo1.example a:helo2.example a:helo3.example -all"}}
	for _, name := range []string{"helo1.example", "helo2.example", "helo3.example"} {
		zone[name] = resolver.Records{A: []string{"203.0.113.99"}}
	}
	e := fromShop
	e.HELO = "helo.example"
	for _, tt := range []struct{ spf, helo, want int }{
		{0, 2, 2}, {3, 2, 2}, {2, 3, 2}, {-1, 2, 2}, {0, 0, 4}, {-1, 0, 4},
	} {
		v := dmarc.Verifier{Resolver: zone, SPF: spf.Options{Limits: spf.Limits{Questions: tt.spf}}, HELOQuestions: tt.helo}
		r, err := v.Verify(t.Context(), e, strings.NewReader(message))
		if err != nil || r.HELO.Questions != tt.want {
			t.Errorf("%+v: got %d questions, %v (%v)", tt, r.HELO.Questions, r.HELO, err)
		}
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
