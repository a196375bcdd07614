package resolver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/mailverdict/mailverdict/internal/seam"
)

func TestTraceReportsAQuestionOnceHoweverManyResolversItPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network{"a:53": func(protocol string, m *dns.Msg) [][]byte {
			time.Sleep(time.Second) // fake time
			if m.Question[0].Qtype == dns.TypeA {
				return failing(dns.RcodeNameError)(protocol, m)
			}
			return answering("example.com. 60 TXT x")(protocol, m)
		}}
		c := &Cache{Resolver: &Client{Servers: []string{"a"}, dial: n.dial}}
		ctx, events := collect(t.Context())
		first, second := &Budget{Resolver: c}, &Budget{Resolver: c}
		absent := Question{"example.com", TypeA}
		for _, step := range []struct {
			b    *Budget
			q    Question
			want event
		}{
			{first, txt, event{Details: seam.Details{Server: "a:53", Duration: time.Second}}},
			{first, txt, event{Details: seam.Details{Server: "a:53", Cached: true}}},  // by the Budget
			{second, txt, event{Details: seam.Details{Server: "a:53", Cached: true}}}, // by the Cache
			{first, absent, event{Details: seam.Details{Server: "a:53", Duration: time.Second}, Err: ErrNXDomain}},
			{second, absent, event{Details: seam.Details{Server: "a:53", Cached: true}, Err: ErrNXDomain}},
			{second, Question{"", TypeA}, event{Err: ErrName}},
		} {
			*events = nil
			start := time.Now()
			a, err := step.b.Resolve(ctx, step.q)
			if len(*events) != 1 {
				t.Fatalf("%v: %d events, want one", step.q, len(*events))
			}
			e := (*events)[0]
			if e.Question != step.q || !equalAnswers(e.Answer, a) || e.Err != err || !errors.Is(err, step.want.Err) ||
				e.Server != step.want.Server || e.Duration != step.want.Duration || e.Cached != step.want.Cached || e.Start != start {
				t.Errorf("event %+v, want %+v", e, step.want)
			}
		}
	})
}

func TestTraceTellsWhoAskedFromWhoWaitedWithThem(t *testing.T) {
	for name, wrap := range map[string]func(Resolver) Resolver{
		"Budget": func(r Resolver) Resolver { return &Budget{Resolver: r} },
		"Cache":  func(r Resolver) Resolver { return &Cache{Resolver: r} },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := wrap(Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: time.Second}}})
			first, asked := collect(t.Context())
			second, waited := collect(t.Context())
			go r.Resolve(first, txt)
			synctest.Wait()
			r.Resolve(second, txt)
			synctest.Wait()
			if len(*asked) != 1 || (*asked)[0].Cached || len(*waited) != 1 || !(*waited)[0].Cached {
				t.Errorf("%s: %+v, %+v", name, *asked, *waited)
			}
		})
	}
}

func TestTraceOfAZoneAndOfNet(t *testing.T) {
	server := serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT x"}, nil))
	})
	for name, r := range map[string]Resolver{"Zone": Zone{"example.com": {TXT: []string{"x"}}}, "Net": netOver(server)} {
		ctx, events := collect(ctx)
		if _, err := r.Resolve(ctx, txt); err != nil || len(*events) != 1 || (*events)[0].Answer.Count() != 1 {
			t.Errorf("%s: %v, events %+v", name, err, *events)
		}
	}
}

func TestTraceOfAResolverThatReportsNothing(t *testing.T) {
	for name, wrap := range map[string]func(Resolver) Resolver{
		"Budget": func(r Resolver) Resolver { return &Budget{Resolver: r} },
		"Cache":  func(r Resolver) Resolver { return &Cache{Resolver: r} },
	} {
		ctx, events := collect(ctx)
		r := wrap(resolverFunc(func(context.Context, Question) (Answer, error) { return Answer{TXT: []string{"x"}}, nil }))
		if _, err := r.Resolve(ctx, txt); err != nil || len(*events) != 1 || (*events)[0].Cached {
			t.Errorf("%s: %v, events %+v", name, err, *events)
		}
	}
}

func TestTraceIsNotCalledOnceResolveHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cache{Resolver: Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: 2 * time.Second}}}}
		ctx, events := collect(t.Context())
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		c.Resolve(ctx, txt)
		time.Sleep(time.Minute) // the question lands without its caller
		if len(*events) != 1 || !errors.Is((*events)[0].Err, ErrTimeout) {
			t.Errorf("events %+v", *events)
		}
	})
}

func TestTracesOfOneContextAreAllCalled(t *testing.T) {
	outer, first := collect(ctx)
	inner, second := collect(outer)
	Zone{}.Resolve(inner, txt)
	if len(*first) != 1 || len(*second) != 1 {
		t.Errorf("%d and %d events, want one each", len(*first), len(*second))
	}
}
