package inspect

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

// slow answers every question of a zone after a time.
type slow struct {
	zone  resolver.Zone
	delay time.Duration
}

func (s slow) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	}
	return s.zone.Resolve(ctx, q)
}

// TestQuestionsAreAskedSideBySide counts how many times one question has to wait for the answer to
// another.
func TestQuestionsAreAskedSideBySide(t *testing.T) {
	const most = 8
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := inspected(t, slow{goodZone(), time.Second}, "good.example")
		rounds := int(time.Since(start) / time.Second)
		t.Logf("%d questions in %d rounds", r.Questions, rounds)
		if rounds > most || len(r.Findings) > 0 {
			t.Errorf("%d rounds for %d questions: %v", rounds, r.Questions, r.Findings)
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	zone := goodZone()
	i := Inspector{Resolver: zone}
	b.ReportAllocs()
	for b.Loop() {
		if r := i.Inspect(context.Background(), "good.example"); len(r.Findings) > 0 {
			b.Fatal(r.Findings)
		}
	}
}
