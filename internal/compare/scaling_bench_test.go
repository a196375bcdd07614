package compare

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A mix is what many goroutines verify at once: messages of several kinds, with one
// Verifier and one Cache for all of them.
type mix struct {
	deliveries   []delivery
	ours, crypto []contestant // by delivery
}

func newMix(b *testing.B) mix {
	b.Helper()
	var m mix
	zone := resolver.Zone{}
	for _, kind := range []struct {
		busy bool
		size int
	}{{false, 4 << 10}, {true, 4 << 10}, {false, 20 << 10}, {true, 100 << 10}, {false, 4 << 10}} {
		d, floor := newDelivery(b, kind.busy, kind.size)
		for name, records := range d.zone {
			zone[name] = records
		}
		m.deliveries = append(m.deliveries, d)
		m.crypto = append(m.crypto, floor)
	}
	// The SPF records of plain and busy deliveries are the same domain's.
	spfBenchZones["nested"](zone, "shop.example")
	v := &dmarc.Verifier{Resolver: &resolver.Cache{Resolver: zone}}
	for _, d := range m.deliveries {
		m.ours = append(m.ours, pipelineOurs(v, d.session))
	}
	return m
}

// one does the job of the nth message.
func (m mix) one(contestants []contestant, n int, message *reader) error {
	n %= len(contestants)
	return contestants[n].run(message.of(m.deliveries[n].message))
}

// BenchmarkScaling is messages by one and by two processors, beside the same of their
// cryptography alone: a machine may not have two times the speed with two.
func BenchmarkScaling(b *testing.B) {
	m := newMix(b)
	for _, procs := range []int{1, 2} {
		for _, c := range []struct {
			name string
			run  []contestant
		}{{"ours", m.ours}, {"floor", m.crypto}} {
			b.Run(fmt.Sprintf("procs=%d/by=%s", procs, c.name), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				b.RunParallel(func(pb *testing.PB) {
					message := newReader()
					for n := 0; pb.Next(); n++ {
						if err := m.one(c.run, n, message); err != nil {
							b.Error(err)
						}
					}
				})
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
				if procs == 2 && c.name == "ours" {
					m.relate(b)
				}
			})
		}
	}
}

// relate reports how many times as fast two processors are as one, for ours and for
// the cryptography, measured in turns, and how the two relate.
func (m mix) relate(b *testing.B) {
	rounds, turn := 9, 100*time.Millisecond
	if b.N == 1 {
		rounds, turn = 1, time.Millisecond
	}
	var ours, crypto, relation []float64
	for range rounds {
		o := m.speed(b, m.ours, 2, turn) / m.speed(b, m.ours, 1, turn)
		c := m.speed(b, m.crypto, 2, turn) / m.speed(b, m.crypto, 1, turn)
		ours, crypto, relation = append(ours, o), append(crypto, c), append(relation, o/c)
	}
	b.ReportMetric(median(ours), "scaling")
	b.ReportMetric(median(crypto), "floor-scaling")
	b.ReportMetric(median(relation), "scaling/floor-scaling")
}

// speed returns messages a second with so many processors and goroutines.
func (m mix) speed(b *testing.B, contestants []contestant, procs int, turn time.Duration) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	var done atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range procs {
		wg.Go(func() {
			message := newReader()
			for n := 0; time.Since(start) < turn; n++ {
				if err := m.one(contestants, n, message); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

// A fullCache has SPF checked with all answers in a Cache that is as full as a busy server's.
type fullCache struct {
	checker   *spf.Checker
	envelopes []spf.Envelope
}

func newFullCache(t testing.TB) *fullCache {
	const names = 20_000
	zone := resolver.Zone{}
	c := &fullCache{envelopes: make([]spf.Envelope, names)}
	for i := range c.envelopes {
		name := fmt.Sprintf("d%d.example", i)
		zone[name] = resolver.Records{TXT: []string{fmt.Sprintf("v=spf1 ip4:192.0.2.%d -all", i%100)}}
		c.envelopes[i] = spf.Envelope{IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 100)}), MailFrom: "a@" + name, HELO: name}
	}
	c.checker = &spf.Checker{Resolver: &resolver.Cache{Resolver: zone}}
	for i := range c.envelopes {
		c.check(t, i)
	}
	return c
}

// check does the nth check.
func (c *fullCache) check(t testing.TB, n int) {
	if r := c.checker.Check(t.Context(), c.envelopes[n%len(c.envelopes)]); r.Status != spf.StatusPass {
		t.Error(r)
	}
}

// BenchmarkSPFFromACache is to be run with -cpu 1,2: nothing that the checks share may hold
// them up.
func BenchmarkSPFFromACache(b *testing.B) {
	c := newFullCache(b)
	var start atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := int(start.Add(int64(len(c.envelopes) / 2))); pb.Next(); i++ {
			c.check(b, i)
		}
	})
}

// printScaling says how many times as fast two processors are as one, for SPF from a Cache and
// for signatures by the standard library alone, which share nothing: the fastest turns of each.
func printScaling(t *testing.T) {
	c := newFullCache(t)
	bare := benchSignature{"rsa", true, 1}.floor(t, []byte(benchMail(4<<10)))
	jobs := []func(n int){
		func(n int) { c.check(t, n) },
		func(int) { bare.run(nil) },
	}
	best := [2][3]float64{} // by job and processors
	for range 1 + 100**rounds {
		for job, do := range jobs {
			for procs := 1; procs <= 2; procs++ {
				best[job][procs] = max(best[job][procs], throughput(procs, 2*time.Millisecond, do))
			}
		}
	}
	fmt.Printf("Two processors over one: SPF from a Cache %.2f, bare cryptography %.2f.\n", best[0][2]/best[0][1], best[1][2]/best[1][1])
}

// throughput returns how often a second so many processors do a job, each from a place of its
// own in the sequence.
func throughput(procs int, turn time.Duration, do func(n int)) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	rates := make([]float64, procs)
	var wait sync.WaitGroup
	var ready atomic.Int64
	for p := range procs {
		wait.Go(func() {
			// They wait for each other awake, and each has its own time: starting a processor
			// takes a fiftieth of a turn, and so does ending one.
			for ready.Add(1); ready.Load() < int64(procs); {
				runtime.Gosched()
			}
			const steps = 16 // between two looks at the clock
			n, began := 0, time.Now()
			var took time.Duration
			for ; took < turn; took = time.Since(began) {
				for i := range steps {
					do(p*10_000 + n + i)
				}
				n += steps
			}
			rates[p] = float64(n) / took.Seconds()
		})
	}
	wait.Wait()
	total := 0.0
	for _, rate := range rates {
		total += rate
	}
	return total
}
