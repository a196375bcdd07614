package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// trip is what every question takes in these tests.
const trip = 20 * time.Millisecond

// distant is a resolver that a round trip lies before, and that counts.
type distant struct {
	resolver.Zone
	asked chan resolver.Question
	near  string // a name whose records are known at once, or ""
}

func far(z resolver.Zone) distant {
	return distant{Zone: z, asked: make(chan resolver.Question, 1000)}
}

func (d distant) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	d.asked <- q
	if q.Name == d.near {
		return d.Zone.Resolve(ctx, q)
	}
	select {
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	case <-time.After(trip):
		return d.Zone.Resolve(ctx, q)
	}
}

var client = spf.Envelope{
	IP:       netip.MustParseAddr("192.0.2.1"),
	HELO:     "mail.example.com",
	MailFrom: "user@example.com",
}

func TestQuestionsSideBySideTakeTheLongestChainOfRoundTrips(t *testing.T) {
	fiveIncludes := resolver.Zone{"example.com": {TXT: []string{
		"v=spf1 include:i1.example.com include:i2.example.com include:i3.example.com " +
			"include:i4.example.com include:i5.example.com -all",
	}}}
	for i := 1; i <= 5; i++ {
		fiveIncludes[fmt.Sprintf("i%d.example.com", i)] = resolver.Records{
			TXT: []string{fmt.Sprintf("v=spf1 a ip4:198.51.100.%d ~all", i)},
			A:   []string{"203.0.113.1"},
		}
	}
	fiveIncludes["i5.example.com"] = resolver.Records{
		TXT: []string{"v=spf1 a ip4:192.0.2.1 ~all"}, A: []string{"203.0.113.1"},
	}
	hosts := resolver.Zone{"example.com": {TXT: []string{"v=spf1 mx -all"}}}
	for i := range 10 {
		name := fmt.Sprintf("mx%d.example.com", i)
		records := hosts["example.com"]
		records.MX = append(records.MX, "10 "+name)
		hosts["example.com"] = records
		hosts[name] = resolver.Records{A: []string{"203.0.113.1"}}
	}
	pointers := resolver.Zone{
		"example.com":            {TXT: []string{"v=spf1 ptr -all"}},
		"1.2.0.192.in-addr.arpa": {PTR: []string{"a.example.com", "b.example.com", "c.example.com"}},
		"a.example.com":          {A: []string{"203.0.113.1"}},
		"b.example.com":          {A: []string{"203.0.113.1"}},
		"c.example.com":          {A: []string{"192.0.2.1"}},
	}
	for _, test := range []struct {
		name       string
		zone       resolver.Zone
		trips      int
		sequential int
		status     spf.Status
		questions  int
	}{
		{"five includes with a and ip4 each", fiveIncludes, 3, 11, spf.StatusPass, 11},
		{"ten hosts of one mx", hosts, 3, 12, spf.StatusFail, 12},
		{"three names of one ptr", pointers, 3, 5, spf.StatusPass, 5},
		{"names of an address while an include is evaluated", resolver.Zone{
			"example.com":            {TXT: []string{"v=spf1 include:i1.example.com ptr -all"}},
			"i1.example.com":         {TXT: []string{"v=spf1 a:c.example.com -all"}},
			"1.2.0.192.in-addr.arpa": {PTR: []string{"a.example.com", "b.example.com"}},
			"a.example.com":          {A: []string{"203.0.113.1"}},
			"b.example.com":          {A: []string{"192.0.2.1"}},
			"c.example.com":          {A: []string{"203.0.113.1"}},
		}, 3, 6, spf.StatusPass, 6},
		{"hosts of an mx while an include is evaluated", resolver.Zone{
			"example.com":    {TXT: []string{"v=spf1 include:i1.example.com mx -all"}, MX: []string{"10 a.example.com", "10 b.example.com"}},
			"i1.example.com": {TXT: []string{"v=spf1 a:c.example.com -all"}},
			"a.example.com":  {A: []string{"203.0.113.1"}},
			"b.example.com":  {A: []string{"192.0.2.1"}},
			"c.example.com":  {A: []string{"203.0.113.1"}},
		}, 3, 6, spf.StatusPass, 6},
		{"an exists, an a and a redirect", resolver.Zone{
			"example.com":                 {TXT: []string{"v=spf1 exists:%{l}.e.example.com a:c.example.com redirect=r.example.com"}},
			"user.e.example.com":          {MX: []string{"0 ."}},
			"c.example.com":               {A: []string{"203.0.113.1"}},
			"r.example.com":               {TXT: []string{"v=spf1 exists:%{d}.e.example.com -all"}},
			"r.example.com.e.example.com": {A: []string{"127.0.0.2"}},
		}, 3, 5, spf.StatusPass, 5},
		{"an include behind addresses", resolver.Zone{
			"example.com":    {TXT: []string{"v=spf1 ip4:203.0.113.1 include:i1.example.com redirect=r.example.com"}},
			"i1.example.com": {TXT: []string{"v=spf1 ?all"}},
			"r.example.com":  {TXT: []string{"v=spf1 -all"}},
		}, 2, 3, spf.StatusFail, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, sequential := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					checker := spf.Checker{Resolver: far(test.zone), Options: spf.Options{Sequential: sequential}}
					result := checker.Check(t.Context(), client)
					if result.Status != test.status || result.Questions != test.questions {
						t.Errorf("got %v after %d questions (%v), want %v after %d",
							result.Status, result.Questions, result.Err, test.status, test.questions)
					}
					want := test.trips
					if sequential {
						want = test.sequential
					}
					if took := time.Since(began); took != time.Duration(want)*trip {
						t.Errorf("sequential %v: took %v, want %d round trips", sequential, took, want)
					}
				})
			}
		})
	}
}

func TestWhatIsCachedDelaysTheRestByOneRoundTrip(t *testing.T) {
	zone := resolver.Zone{
		"example.com": {TXT: []string{"v=spf1 include:i0.example.com include:i1.example.com include:i2.example.com mx -all"}},
		// i0 is cached as well, and what it includes is not.
		"i0.example.com": {TXT: []string{"v=spf1 include:i3.example.com a:h1.example.org ?all"}},
	}
	for i := 1; i <= 3; i++ {
		zone[fmt.Sprintf("i%d.example.com", i)] = resolver.Records{TXT: []string{fmt.Sprintf("v=spf1 a:h%d.example.org ~all", i)}}
	}
	mx := zone["example.com"]
	for i := 1; i <= 6; i++ {
		name := fmt.Sprintf("h%d.example.org", i)
		mx.MX = append(mx.MX, "10 "+name)
		zone[name] = resolver.Records{A: []string{"203.0.113.1"}}
	}
	zone["example.com"] = mx
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		dns := far(zone)
		cached := resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
			if q.Name == "i0.example.com" || q.Name == "example.com" && q.Type == resolver.TypeTXT {
				return zone.Resolve(ctx, q)
			}
			return dns.Resolve(ctx, q)
		})
		r := (&spf.Checker{Resolver: cached}).Check(t.Context(), client)
		// i3; then h1, i1, i2 and MX side by side with h3; then hosts.
		if took := time.Since(began); r.Status != spf.StatusFail || took != 3*trip {
			t.Errorf("got %v (%v) after %v", r.Status, r.Err, took)
		}
	})
}

func TestNothingIsAskedBehindATermThatIsSureToMatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := far(resolver.Zone{
			"example.com":   {TXT: []string{"v=spf1 a:a.example.com include:i.example.com ip4:192.0.2.0/24 include:never.example.com -all"}},
			"a.example.com": {A: []string{"203.0.113.1"}},
			"i.example.com": {TXT: []string{"v=spf1 all a:never.example.com"}},
		})
		if r := (&spf.Checker{Resolver: dns}).Check(t.Context(), client); r.Status != spf.StatusPass {
			t.Errorf("got %v, %v", r.Status, r.Err)
		}
		close(dns.asked)
		for q := range dns.asked {
			if q.Name == "never.example.com" {
				t.Errorf("asked for %v", q)
			}
		}
	})
}

// listed returns terms of which each names a host of its own: a:h1.example.com and so on.
func listed(mechanism string, n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, " %s:h%d.example.com", mechanism, i)
	}
	return b.String()
}

func TestNothingIsAskedAheadThatTheEvaluationCannotComeTo(t *testing.T) {
	var eleven, twelve []string
	for i := 1; i <= 12; i++ {
		eleven = append(eleven, fmt.Sprintf("10 never%d.example.com", i))
		twelve = append(twelve, fmt.Sprintf("n%d.example.com", i))
	}
	for _, test := range []struct {
		name   string
		record string
		zone   resolver.Zone
		never  []string
		asked  int // at most 10 ahead of the evaluation; what it came to counts as well
		near   string
	}{
		{"the eleventh term", "v=spf1" + listed("a", 11), nil, []string{"h11.example.com"}, 11, ""},
		{"a redirect behind ten terms, which stands before them", "v=spf1 redirect=never.example.com" + listed("a", 10), nil, []string{"never.example.com"}, 11, ""},
		{"terms of a record redirected to by the tenth term", "v=spf1" + listed("a", 9) + " redirect=r.example.com",
			resolver.Zone{"r.example.com": {TXT: []string{"v=spf1 a:never1.example.com a:never2.example.com"}}},
			[]string{"never1.example.com", "never2.example.com"}, 11, ""},
		{"a redirect as the tenth term is asked for", "v=spf1 redirect=h10.example.com" + listed("a", 9), nil, nil, 11, ""},
		{"a redirect beside all", "v=spf1 a:h1.example.com a:h2.example.com ?all redirect=never.example.com", nil, []string{"never.example.com"}, 3, ""},
		{"terms of an include that is the tenth", "v=spf1" + listed("a", 9) + " include:i.example.com",
			resolver.Zone{"i.example.com": {TXT: []string{"v=spf1 a:never1.example.com a:never2.example.com"}}},
			[]string{"never1.example.com", "never2.example.com"}, 11, ""},
		{"the second term of an include that is the ninth", "v=spf1" + listed("a", 8) + " include:i.example.com",
			resolver.Zone{"i.example.com": {TXT: []string{"v=spf1 a:h9.example.com a:never2.example.com"}}},
			[]string{"never2.example.com"}, 11, ""},
		{"hosts of an mx with too many", "v=spf1 a:h1.example.com a:h2.example.com mx:m.example.com",
			resolver.Zone{"m.example.com": {MX: eleven[:11]}},
			[]string{"never1.example.com", "never2.example.com", "never11.example.com"}, 4, ""},
		{"names of an address beyond the tenth", "v=spf1 a:h1.example.com a:h2.example.com ptr -all",
			resolver.Zone{"1.2.0.192.in-addr.arpa": {PTR: twelve}}, []string{"n11.example.com", "n12.example.com"}, 14, ""},
		{"names of an address that are not in the domain", "v=spf1 a:h1.example.com ptr:example.org -all",
			resolver.Zone{"1.2.0.192.in-addr.arpa": {PTR: twelve}}, []string{"n1.example.com", "n2.example.com"}, 3, ""},
		{"a term with %{p}, whose name is not known yet", "v=spf1 a:h1.example.com a:h2.example.com a:%{p}.never.org",
			resolver.Zone{"1.2.0.192.in-addr.arpa": {PTR: []string{"h1.example.com"}}}, []string{".never.org"}, 5, ""},
		{"terms behind a match, when only the explanation is still to be asked for", "v=spf1 ip4:203.0.113.9 -ip4:192.0.2.1 a:never1.example.com a:never2.example.com exp=h1.example.com",
			resolver.Zone{}, []string{"never1.example.com", "never2.example.com"}, 2, "example.com"},
		{"terms of a record that is broken", "v=spf1 a:h1.example.com include:i.example.com -all",
			resolver.Zone{"i.example.com": {TXT: []string{"v=spf1 a:never1.example.com a:never2.example.com moo"}}},
			[]string{"never1.example.com", "never2.example.com"}, 3, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				zone := resolver.Zone{"*.example.com": {A: []string{"203.0.113.1"}}, "example.com": {TXT: []string{test.record}}}
				for name, r := range test.zone {
					zone[name] = r
				}
				dns := far(zone)
				dns.near = test.near
				r := (&spf.Checker{Resolver: dns}).Check(t.Context(), client)
				close(dns.asked)
				n := 0
				for q := range dns.asked {
					n++
					if slices.Contains(test.never, q.Name) {
						t.Errorf("asked for %v", q)
					}
				}
				if n != test.asked {
					t.Errorf("%d questions, want %d: %v", n, test.asked, r)
				}
			})
		})
	}
}

func TestNoMoreTermsAreAskedForAheadThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Every record includes ten others: a tree of 10^10.
		zone := resolver.Zone{}
		tree := "v=spf1"
		for i := range 10 {
			tree += fmt.Sprintf(" include:i%d.example.com", i)
		}
		zone["example.com"] = resolver.Records{TXT: []string{tree}}
		for i := range 10 {
			own := "v=spf1"
			for j := range 10 {
				own += fmt.Sprintf(" include:i%d.i%d.example.com", j, i)
			}
			zone[fmt.Sprintf("i%d.example.com", i)] = resolver.Records{TXT: []string{own}}
			for j := range 10 {
				zone[fmt.Sprintf("i%d.i%d.example.com", j, i)] = resolver.Records{TXT: []string{"v=spf1 include:deep.example.com"}}
			}
		}
		zone["deep.example.com"] = resolver.Records{TXT: []string{"v=spf1 ?all"}}
		dns := far(zone)
		result := (&spf.Checker{Resolver: dns}).Check(t.Context(), client)
		if result.Status != spf.StatusPermError || result.Lookups != 10 {
			t.Errorf("got %v after %d terms: %v", result.Status, result.Lookups, result.Err)
		}
		// The record, ten terms of the reading, ten ahead of it.
		if n := len(dns.asked); n > 21 {
			t.Errorf("%d questions left for DNS", n)
		}
	})
}

func TestACheckLeadsToNoMoreThanTenQuestionsOverItsLimit(t *testing.T) {
	for _, limit := range []int{1, 5, 20, 50, 90} {
		zone := resolver.Zone{}
		record := "v=spf1"
		for i := range 9 {
			name := fmt.Sprintf("m%d.example.com", i)
			record += " mx:" + name
			var records resolver.Records
			for j := range 10 {
				host := fmt.Sprintf("h%d.%s", j, name)
				records.MX = append(records.MX, "10 "+host)
				zone[host] = resolver.Records{A: []string{"203.0.113.1"}}
			}
			zone[name] = records
		}
		zone["example.com"] = resolver.Records{TXT: []string{record + " -all"}}
		synctest.Test(t, func(t *testing.T) {
			dns := far(zone)
			r := (&spf.Checker{Resolver: dns, Options: spf.Options{Limits: spf.Limits{Questions: limit}}}).Check(t.Context(), client)
			if r.Questions != limit || !errors.Is(r.Err, spf.ErrQuestionLimit) {
				t.Errorf("limit %d: %d questions, %v", limit, r.Questions, r.Err)
			}
			if n := len(dns.asked); n > limit+10 {
				t.Errorf("limit %d: %d asked", limit, n)
			}
		})
	}
}

func TestNothingRunsOnWhenACheckIsDone(t *testing.T) {
	const lingers = time.Millisecond // what a question that is called off takes to end
	synctest.Test(t, func(t *testing.T) {
		far := far(resolver.Zone{
			"example.com":            {TXT: []string{"v=spf1 a:a.example.com include:slow.example.com ptr include:slower.example.com -all"}},
			"1.2.0.192.in-addr.arpa": {PTR: []string{"mx.example.com"}, Fault: resolver.Fault{Delay: time.Hour}},
			"a.example.com":          {A: []string{"192.0.2.1"}},
			"slow.example.com": {TXT: []string{"v=spf1 -all"},
				Fault: resolver.Fault{Delay: time.Hour}},
			"slower.example.com": {TXT: []string{"v=spf1 -all"},
				Fault: resolver.Fault{Delay: time.Hour}},
		})
		var underway atomic.Int32
		dns := resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
			underway.Add(1)
			defer underway.Add(-1)
			answer, err := far.Resolve(ctx, q)
			if ctx.Err() != nil {
				time.Sleep(lingers)
			}
			return answer, err
		})
		before, began := spf.GoroutinesInBubble(), time.Now()
		result := (&spf.Checker{Resolver: dns}).Check(t.Context(), client)
		if n := underway.Load(); n != 0 {
			t.Errorf("%d questions are under way", n)
		}
		synctest.Wait() // for what has told that it is done to be gone
		if now := spf.GoroutinesInBubble(); now != before {
			t.Errorf("%d goroutines, %d before", now, before)
		}
		if took := time.Since(began); result.Status != spf.StatusPass || took != 2*trip+lingers {
			t.Errorf("got %v after %v: what was asked ahead was waited for", result.Status, took)
		}
	})
}

func TestNothingIsAskedAheadWhenAnswersComeAtOnce(t *testing.T) {
	zone := resolver.Zone{
		"example.com":   {TXT: []string{"v=spf1 a:a.example.com a:b.example.com a:c.example.com -all"}},
		"a.example.com": {A: []string{"203.0.113.1"}},
		"b.example.com": {A: []string{"203.0.113.1"}},
		"c.example.com": {A: []string{"192.0.2.1"}},
	}
	synctest.Test(t, func(t *testing.T) { // whose clock stands still
		var asked []string
		before := spf.GoroutinesInBubble()
		dns := resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
			asked = append(asked, q.Name) // without a lock: the race detector would see two at a time
			synctest.Wait()               // for what has told that it is done to be gone
			if now := spf.GoroutinesInBubble(); now > before+1 {
				t.Errorf("%d goroutines, %d before", now, before)
			}
			return zone.Resolve(ctx, q)
		})
		(&spf.Checker{Resolver: dns}).Check(t.Context(), client)
		if !slices.Equal(asked, []string{"example.com", "a.example.com", "b.example.com", "c.example.com"}) {
			t.Errorf("asked %q", asked)
		}
	})
}

type resolverFunc func(context.Context, resolver.Question) (resolver.Answer, error)

func (f resolverFunc) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	return f(ctx, q)
}
