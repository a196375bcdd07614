package spf_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// dice are octets that decide how a zone is made: those of a fuzzer, or random.
type dice struct{ octets []byte }

// roll returns a number below n; 0 when there are no octets left.
func (d *dice) roll(n int) int {
	if len(d.octets) == 0 {
		return 0
	}
	o := d.octets[0]
	d.octets = d.octets[1:]
	return int(o) % n
}

func (d *dice) pick(words ...string) string { return words[d.roll(len(words))] }

const worldSize = 8

func (d *dice) host() string { return fmt.Sprintf("n%d.example.com", d.roll(worldSize)) }

// domainSpec may come to any name, to none, and to none that can be asked for.
func (d *dice) domainSpec() string {
	switch d.roll(12) {
	case 0:
		return "%{d}"
	case 1:
		return "%{l}.example.com"
	case 2:
		return "%{h}"
	case 3:
		return "gone.%{o}"
	case 4:
		return "n1..example.com"
	}
	return d.host()
}

func (d *dice) term(reverse bool) string {
	qualifier := d.pick("", "", "", "+", "-", "~", "?")
	switch d.roll(14) {
	case 0, 1, 2:
		return qualifier + "include:" + d.domainSpec()
	case 3, 4:
		return qualifier + "a:" + d.domainSpec() + d.pick("", "", "/24", "//64", "/0//0")
	case 5:
		return qualifier + "a"
	case 6, 7:
		return qualifier + "mx:" + d.domainSpec()
	case 8:
		return qualifier + "exists:" + d.domainSpec()
	case 9:
		return qualifier + "ip4:" + d.pick("192.0.2.1", "203.0.113.0/24", "198.51.100.1")
	case 10:
		return qualifier + "ip6:" + d.pick("2001:db8::1", "2001:db8::/32", "::/0")
	case 11:
		return "redirect=" + d.domainSpec()
	case 12:
		return "exp=" + d.domainSpec()
	}
	if reverse {
		return qualifier + d.pick("ptr", "ptr:"+d.domainSpec(), "exists:%{p}.example.com")
	}
	return qualifier + d.pick("all", "a", "moo=bar", "mx")
}

// world is a zone of records that go every way. Without reverse, none of them uses
// reverse DNS.
func (d *dice) world(reverse bool) resolver.Zone {
	zone := resolver.Zone{
		"example.com":         d.records(reverse),
		"*.hosts.example.com": {A: []string{"203.0.113.7"}, AAAA: []string{"2001:db8:1::1"}},
	}
	for i := range worldSize {
		if d.roll(8) != 7 {
			zone[fmt.Sprintf("n%d.example.com", i)] = d.records(reverse)
		}
	}
	var names []string
	for range d.roll(13) {
		names = append(names, d.host())
	}
	zone["1.2.0.192.in-addr.arpa"] = resolver.Records{PTR: names}
	return zone
}

func (d *dice) records(reverse bool) resolver.Records {
	var r resolver.Records
	if d.roll(8) > 0 {
		record := "v=spf1"
		for range d.roll(8) {
			record += " " + d.term(reverse)
		}
		r.TXT = []string{record}
	}
	for range d.roll(3) {
		r.A = append(r.A, d.pick("192.0.2.1", "192.0.2.99", "203.0.113.7"))
		r.AAAA = append(r.AAAA, d.pick("2001:db8::1", "2001:db8::99", "2001:db8:1::1"))
	}
	for range d.roll(13) {
		r.MX = append(r.MX, "10 "+d.pick(d.host(), fmt.Sprintf("m%d.hosts.example.com", d.roll(200))))
	}
	switch d.roll(16) {
	case 0:
		r.Fault.Err = resolver.ErrServFail
	case 1:
		r.Faults = map[resolver.Type]resolver.Fault{resolver.TypeA: {Err: resolver.ErrTimeout}}
	}
	return r
}

// sound is the zone without what goes wrong in it.
func sound(zone resolver.Zone) resolver.Zone {
	whole := resolver.Zone{}
	for name, r := range zone {
		r.Fault, r.Faults = resolver.Fault{}, nil
		whole[name] = r
	}
	return whole
}

// staggered answers each name after a time of its own, so that questions asked side
// by side are answered in any order. It counts them.
type staggered struct {
	resolver.Zone
	mu    sync.Mutex
	asked int
}

func (s *staggered) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	hash := time.Duration(q.Type)
	for _, c := range q.Name {
		hash = (hash*31 + time.Duration(c)) % 97
	}
	select {
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	case <-time.After(hash * time.Millisecond):
		return s.Zone.Resolve(ctx, q)
	}
}

func sessionOf(d *dice) spf.Envelope {
	return spf.Envelope{
		IP:       mustAddr(d.pick("192.0.2.1", "192.0.2.1", "2001:db8::1")),
		HELO:     d.pick("n0.example.com", "localhost", "a b"),
		MailFrom: d.pick("user@example.com", "n1@example.com", "@n2.example.com", "", "pel\u00e9@example.com"),
	}
}

// checkWorld holds a check against what is true of every check.
func checkWorld(t *testing.T, octets []byte) {
	d := &dice{octets}
	session := sessionOf(d)
	reverse := d.roll(2) == 1
	zone := d.world(reverse)
	limits := spf.Limits{Questions: []int{50, 30, 20, 3}[d.roll(4)]}

	sequentialDNS, parallelDNS := &staggered{Zone: zone}, &staggered{Zone: zone}
	sequential := (&spf.Checker{Resolver: sequentialDNS, Options: spf.Options{Limits: limits, Sequential: true, Trace: true}}).Check(t.Context(), session)
	parallel := (&spf.Checker{Resolver: parallelDNS, Options: spf.Options{Limits: limits, Trace: true}}).Check(t.Context(), session)
	if asJSON(t, sequential) != asJSON(t, parallel) {
		t.Errorf("sequential %s\nparallel %s", asJSON(t, sequential), asJSON(t, parallel))
	}
	if sequential.Lookups > 10 || sequential.VoidLookups > 2 || sequential.Questions > limits.Questions || sequentialDNS.asked != sequential.Questions {
		t.Errorf("%d terms, %d void lookups, %d questions, %d asked", sequential.Lookups, sequential.VoidLookups, sequential.Questions, sequentialDNS.asked)
	}
	const ahead = 10 // what is documented at Limits.Questions
	if parallelDNS.asked < parallel.Questions || parallelDNS.asked > limits.Questions+ahead {
		t.Errorf("%d questions, %d asked", parallel.Questions, parallelDNS.asked)
	}
	if decided := sequential.Mechanism != ""; decided != (sequential.Err == nil) {
		t.Errorf("%v by %q, and %v", sequential.Status, sequential.Mechanism, sequential.Err)
	}
	// RFC 7208, section 5.5, makes failures of reverse DNS no match.
	if sequential.Status == spf.StatusPass && !reverse {
		if whole := (&spf.Checker{Resolver: sound(zone), Options: spf.Options{Limits: limits}}).Check(t.Context(), session); whole.Status != spf.StatusPass {
			t.Errorf("pass where DNS fails, %v where it does not", whole.Status)
		}
	}
}

func TestSequentialAndParallelReadingsOfRandomRecordsAreTheSame(t *testing.T) {
	worlds := 3000
	if testing.Short() {
		worlds = 300
	}
	counts := map[spf.Status]int{}
	for seed := range worlds {
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		octets := make([]byte, 2000)
		for i := range octets {
			octets[i] = byte(r.Uint32())
		}
		synctest.Test(t, func(t *testing.T) {
			checkWorld(t, octets)
			d := &dice{octets}
			session := sessionOf(d)
			zone := d.world(d.roll(2) == 1)
			counts[(&spf.Checker{Resolver: zone}).Check(t.Context(), session).Status]++
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	// The generator is worth something only if it comes to every result.
	for s := spf.StatusNone; s <= spf.StatusPermError; s++ {
		if counts[s] < worlds/100 {
			t.Errorf("only %d of %d are %v", counts[s], worlds, s)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("some octets to begin with, from which a world is made"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		synctest.Test(t, func(t *testing.T) { checkWorld(t, octets) })
	})
}

func FuzzMacros(f *testing.F) {
	f.Add("%{s}.%{l1r-}.%{o}.%{D2}.%{ir}.%{v}._x.%{h}", "strong-bad@example.com", "mail.example.com")
	f.Add("%{L20}%{S}%%%_%-.example.org", `"a b"@example.com`, "\x00")
	f.Add("-{L%%_%%.exampl..org", `"a b"@example.com`, "\b")
	f.Fuzz(func(t *testing.T, spec, from, helo string) {
		if _, isSPF, err := spf.Parse("v=spf1 exists:" + spec); !isSPF || err != nil || strings.Contains(spec, " ") {
			t.Skip("not the domain-spec of one term")
		}
		record := resolver.Answer{TXT: []string{"v=spf1 exists:" + spec + " a:" + spec + " -all exp=" + spec}}
		dns := resolverFunc(func(_ context.Context, q resolver.Question) (resolver.Answer, error) {
			if q.Type == resolver.TypeTXT {
				return record, nil
			}
			ok := len(q.Name) <= 253 && q.Name == strings.ToLower(q.Name)
			for label := range strings.SplitSeq(q.Name, ".") {
				ok = ok && label != "" && len(label) <= 63 && !strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r > '~' })
			}
			if !ok {
				t.Errorf("asked for %q", q.Name)
			}
			return resolver.Answer{}, resolver.ErrNotFound
		})
		session := spf.Envelope{IP: mustAddr("2001:db8::1"), HELO: helo, MailFrom: from}
		r := (&spf.Checker{Resolver: dns}).Check(t.Context(), session)
		if r.Status == spf.StatusPass || len(r.Explanation) > 450 {
			t.Errorf("got %v, %q", r.Status, r.Explanation)
		}
		for _, c := range []byte(r.Explanation) {
			if c < ' ' || c > '~' {
				t.Errorf("explanation has octet %#x", c)
			}
		}
	})
}
