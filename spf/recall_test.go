package spf_test

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestAResolverThatIsNilIsNoAnswer(t *testing.T) {
	for _, r := range []resolver.Resolver{
		(*resolver.Cache)(nil), (*resolver.Budget)(nil), &resolver.Budget{Resolver: (*resolver.Cache)(nil)},
	} {
		c := spf.Checker{Resolver: r}
		s := spf.Envelope{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "a@example.com"}
		if got := c.Check(t.Context(), s); got.Status != spf.StatusTempError || !errors.Is(got.Err, resolver.ErrPanic) {
			t.Errorf("%T: %v, %v", r, got.Status, got.Err)
		}
		var got spf.Result
		if ok := c.CheckBy(seam.Internal{}, &got, new(clock.Moment), t.Context(), r, spf.IdentityMailFrom, s, true); ok && !errors.Is(got.Err, resolver.ErrPanic) { // which a Budget knows by now
			t.Errorf("%T recalls %v", r, got)
		}
	}
}

// A result is kept for as long as a message is, and the records of strangers need not be.
func TestAResultKeepsNoRecordsOfOtherDomains(t *testing.T) {
	zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 include:other.example -all"}}}
	var freed atomic.Bool
	func() {
		text := strings.Clone("v=spf1 exists:%{i}." + strings.Repeat("a", 60) + ".other.example")
		runtime.AddCleanup(unsafe.StringData(text), func(int) { freed.Store(true) }, 0)
		zone["other.example"] = resolver.Records{TXT: []string{text}}
	}()
	c := spf.Checker{Resolver: zone}
	r := c.Check(t.Context(), spf.Envelope{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "a@example.com"})
	clear(zone)
	for range 50 {
		if runtime.GC(); freed.Load() {
			break
		}
		runtime.Gosched()
	}
	if !freed.Load() {
		t.Error("the record of other.example is still in memory")
	}
	runtime.KeepAlive(r)
}

func TestRecallIsTheCheckOrNothing(t *testing.T) {
	zone := resolver.Zone{
		"example.com":      {TXT: []string{"v=spf1 include:spf.example.com mx -all"}},
		"spf.example.com":  {TXT: []string{"v=spf1 ip4:192.0.2.1 ~all"}},
		"slow.example":     {TXT: []string{"v=spf1 include:far.example -all"}},
		"far.example":      {Fault: resolver.Fault{Delay: time.Nanosecond, Err: resolver.ErrServFail}},
		"mail.example.com": {TXT: []string{"v=spf1 a -all"}, A: []string{"192.0.2.9"}},
	}
	asked := 0
	stranger := resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
		asked++
		return zone.Resolve(ctx, q)
	})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name     string
		ctx      context.Context
		resolver resolver.Resolver
		from     string
		ok       bool
	}{
		{"memory has all answers", t.Context(), zone, "a@example.com", true},
		{"also behind a budget", t.Context(), &resolver.Budget{Resolver: zone}, "a@example.com", true},
		{"that there is no record is an answer", t.Context(), zone, "a@none.example", true},
		{"what cannot be checked needs none", t.Context(), stranger, "a@localhost", true},
		{"an answer that takes time", t.Context(), zone, "a@slow.example", false},
		{"a resolver that is no memory", t.Context(), stranger, "a@example.com", false},
		{"a context that has ended", ended, zone, "a@example.com", true},
	} {
		for _, ip := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"} {
			c := spf.Checker{Resolver: tt.resolver, Options: spf.Options{Trace: true}}
			s := spf.Envelope{IP: netip.MustParseAddr(ip), HELO: "mail.example.com", MailFrom: tt.from}
			got := new(spf.Result)
			ok := c.CheckBy(seam.Internal{}, got, new(clock.Moment), tt.ctx, tt.resolver, spf.IdentityMailFrom, s, true)
			if asked > 0 {
				t.Fatalf("%s: %d questions were asked", tt.name, asked)
			}
			if ok != tt.ok || ok && !reflect.DeepEqual(got, c.Check(tt.ctx, s)) {
				t.Errorf("%s, %s: %v, %t", tt.name, ip, got, ok)
			}
		}
	}
	c := spf.Checker{Resolver: zone}
	s := spf.Envelope{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mail.example.com", MailFrom: "a@example.com"}
	var r spf.Result
	if ok := c.CheckBy(seam.Internal{}, &r, new(clock.Moment), t.Context(), zone, spf.IdentityHELO, s, true); !ok || r.Status != spf.StatusPass || r.Identity != spf.IdentityHELO {
		t.Errorf("HELO: %v, %t", r, ok)
	}
}
