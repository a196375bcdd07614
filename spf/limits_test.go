package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A scene is one check with what is to come of it.
type scene struct {
	name   string
	zone   resolver.Zone
	limits spf.Limits
	ip     string // "192.0.2.1" where it is empty
	helo   string // "mail.example.com"
	from   string // "user@example.com"

	want spf.Status
	err  error
	// At the end, -1 for "not looked at".
	lookups, voids int
}

func play(t *testing.T, scenes []scene) {
	t.Helper()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			session := client
			if s.ip != "" {
				session.IP = netip.MustParseAddr(s.ip)
			}
			if s.helo != "" {
				session.HELO = s.helo
			}
			if s.from != "" {
				session.MailFrom = s.from
			}
			r := (&spf.Checker{Resolver: s.zone, Options: spf.Options{Limits: s.limits}}).Check(t.Context(), session)
			if r.Status != s.want || !errors.Is(r.Err, s.err) {
				t.Errorf("got %v (%v), want %v (%v)", r.Status, r.Err, s.want, s.err)
			}
			if s.lookups >= 0 && r.Lookups != s.lookups || s.voids >= 0 && r.VoidLookups != s.voids {
				t.Errorf("got %d terms and %d void lookups, want %d and %d", r.Lookups, r.VoidLookups, s.lookups, s.voids)
			}
		})
	}
}

// everyone is a zone in which each term below asks DNS, finds something and does
// not match 192.0.2.1.
func everyone(record string) resolver.Zone {
	z := resolver.Zone{
		"example.com":            {TXT: []string{record}, A: []string{"203.0.113.1"}, MX: []string{"10 mx.example.com"}},
		"mx.example.com":         {A: []string{"203.0.113.1"}},
		"no.example.com":         {TXT: []string{"v=spf1 ?all"}},
		"a.no.example.com":       {TXT: []string{"v=spf1 a:mx.example.com ?all"}},
		"1.2.0.192.in-addr.arpa": {PTR: []string{"mx.example.com"}},
		"mx.example.com.x.org":   {A: []string{"203.0.113.1"}},
		"unknown.x.org":          {A: []string{"203.0.113.1"}},
		"yes.example.com":        {TXT: []string{"v=spf1 +all"}},
	}
	return z
}

func TestTheTenthTermIsStillReadAndTheEleventhIsPermError(t *testing.T) {
	var scenes []scene
	for _, term := range []string{"a", "mx", "ptr:other.example", "a:mx.example.com", "include:no.example.com"} {
		for n := 9; n <= 11; n++ {
			s := scene{
				name:    fmt.Sprintf("%d times %s and then all", n, term),
				zone:    everyone("v=spf1" + strings.Repeat(" "+term, n) + " +all"),
				want:    spf.StatusPass,
				lookups: min(n, 10),
			}
			if n > 10 {
				s.want, s.err = spf.StatusPermError, spf.ErrTermLimit
			}
			scenes = append(scenes, s)
		}
	}
	nine := "v=spf1" + strings.Repeat(" a", 9)
	scenes = append(scenes,
		scene{name: "the tenth is an exists that matches", want: spf.StatusPass, lookups: 10,
			zone: everyone(nine + " exists:mx.example.com -all")},
		scene{name: "the eleventh is an exists that would match", want: spf.StatusPermError, err: spf.ErrTermLimit, lookups: 10,
			zone: everyone(nine + " a exists:mx.example.com -all")},
		scene{name: "the tenth is a redirect", want: spf.StatusPass, lookups: 10,
			zone: everyone(nine + " redirect=yes.example.com")},
		scene{name: "the eleventh is a redirect", want: spf.StatusPermError, err: spf.ErrTermLimit, lookups: 10,
			zone: everyone(nine + " a redirect=yes.example.com")},
		scene{name: "the tenth stands in an include", want: spf.StatusPass, lookups: 10,
			zone: everyone("v=spf1" + strings.Repeat(" a", 8) + " include:a.no.example.com +all")},
		scene{name: "the eleventh stands in an include", want: spf.StatusPermError, err: spf.ErrTermLimit, lookups: 10,
			zone: everyone(nine + " include:a.no.example.com +all")},
		scene{name: "%{p} counts as a ptr beside its term", want: spf.StatusPermError, err: spf.ErrTermLimit, lookups: 10,
			zone: everyone(nine + " exists:%{p}.x.org +all")},
		scene{name: "%{p} in the ninth term is the tenth", want: spf.StatusPass, lookups: 10,
			zone: everyone("v=spf1" + strings.Repeat(" a", 8) + " exists:%{p}.x.org +all")},
		scene{name: "addresses and all do not count", want: spf.StatusFail, lookups: 0,
			zone: everyone("v=spf1" + strings.Repeat(" ip4:203.0.113.1 ip6:2001:db8::1", 20) + " -all")},
		scene{name: "a term behind one that matches does not count", want: spf.StatusPass, lookups: 0,
			zone: everyone("v=spf1 ip4:192.0.2.1" + strings.Repeat(" a", 30) + " -all")},
	)
	play(t, scenes)
}

func TestTheThirdVoidLookupIsPermError(t *testing.T) {
	zone := func(record string) resolver.Zone {
		return resolver.Zone{
			"example.com":      {TXT: []string{record}},
			"one.example.com":  {TXT: []string{"v=spf1 a:gone1.example.com ?all"}},
			"mx.example.com":   {MX: []string{"10 gone1.example.com", "20 gone2.example.com", "30 gone3.example.com"}},
			"mx2.example.com":  {MX: []string{"10 gone1.example.com", "20 gone2.example.com"}},
			"four.example.com": {A: []string{"203.0.113.1"}, MX: []string{"10 four.example.com", "20 five.example.com", "30 six.example.com"}},
			"five.example.com": {A: []string{"203.0.113.2"}},
			"six.example.com":  {A: []string{"203.0.113.3"}},
			"1.2.0.192.in-addr.arpa": {PTR: []string{
				"gone1.example.com", "gone2.example.com", "gone3.example.com"}},
		}
	}
	play(t, []scene{
		{name: "two are allowed", want: spf.StatusFail, voids: 2, lookups: 2,
			zone: zone("v=spf1 a:gone1.example.com exists:gone2.example.com -all")},
		{name: "a third is not", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 3,
			zone: zone("v=spf1 a:gone1.example.com mx:gone2.example.com exists:gone3.example.com -all")},
		{name: "nor as the last term", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 3,
			zone: zone("v=spf1 a:gone1.example.com a:gone2.example.com a:gone3.example.com")},
		{name: "nor inside an include", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 4,
			zone: zone("v=spf1 a:gone1.example.com a:gone2.example.com include:one.example.com -all")},
		{name: "those inside an include count outside of it", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 4,
			zone: zone("v=spf1 include:one.example.com a:gone1.example.com a:gone2.example.com -all")},
		{name: "a name that is asked for again counts again", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 3,
			zone: zone("v=spf1 a:gone1.example.com a:gone1.example.com a:gone1.example.com -all")},
		{name: "hosts of an mx count as one", want: spf.StatusFail, voids: 1, lookups: 1,
			zone: zone("v=spf1 mx:mx.example.com -all")},
		{name: "three mx with such hosts are too many", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 3,
			zone: zone("v=spf1 mx:mx.example.com mx:mx2.example.com mx:mx.example.com -all")},
		{name: "an mx whose hosts have only A costs an IPv6 client one", want: spf.StatusPass, voids: 1, lookups: 1, ip: "2001:db8::1",
			zone: zone("v=spf1 mx:four.example.com ip6:2001:db8::/32 -all")},
		{name: "names of a ptr count as one", want: spf.StatusFail, voids: 1, lookups: 1,
			zone: zone("v=spf1 ptr -all")},
		{name: "an include counts apart from the terms in it", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 5,
			zone: zone("v=spf1 include:one.example.com include:one.example.com a:gone2.example.com -all")},
		{name: "%{p} and the lookup of its term count as one", want: spf.StatusFail, voids: 1, lookups: 2, ip: "192.0.2.2",
			zone: zone("v=spf1 exists:%{p}.gone.example.com -all")},
		{name: "a redirect counts as a term of its own", want: spf.StatusPermError, err: spf.ErrVoidLimit, voids: 2, lookups: 3,
			zone: zone("v=spf1 mx:mx.example.com a:gone1.example.com redirect=gone2.example.com")},
		{name: "names of a ptr that could not match are not asked for", want: spf.StatusFail, voids: 0, lookups: 1,
			zone: zone("v=spf1 ptr:example.net -all")},
		{name: "a host without AAAA costs an IPv4 client nothing", want: spf.StatusFail, voids: 0, lookups: 3,
			zone: zone("v=spf1 a:four.example.com a:four.example.com a:four.example.com -all")},
		{name: "the record of the identity is not a term's", want: spf.StatusNone, err: spf.ErrNoRecord, voids: 0, lookups: 0,
			from: "user@gone.example.com", zone: zone("")},
	})
}

func TestLimitsOnHostsAndNames(t *testing.T) {
	hosts := func(n int) (mx []string) {
		for i := range n {
			mx = append(mx, fmt.Sprintf("10 h%d.example.com", i))
		}
		return mx
	}
	names := func(n int) (ptr []string) {
		for i := range n {
			ptr = append(ptr, fmt.Sprintf("h%d.example.com", i))
		}
		return ptr
	}
	zone := func(record string, records resolver.Records) resolver.Zone {
		records.TXT = []string{record}
		return resolver.Zone{
			"example.com":            records,
			"*.example.com":          {A: []string{"203.0.113.1"}},
			"h9.example.com":         {A: []string{"192.0.2.1"}},
			"1.2.0.192.in-addr.arpa": {PTR: records.PTR},
		}
	}
	play(t, []scene{
		{name: "the tenth MX host is asked for", want: spf.StatusPass, lookups: 1,
			zone: zone("v=spf1 mx -all", resolver.Records{MX: hosts(10)})},
		{name: "eleven MX hosts are permerror", want: spf.StatusPermError, err: spf.ErrMXLimit, lookups: 1,
			zone: zone("v=spf1 mx -all", resolver.Records{MX: hosts(11)})},
		{name: "the null MX is no host", want: spf.StatusFail, lookups: 1,
			zone: zone("v=spf1 mx -all", resolver.Records{MX: []string{"0 ."}})},
		{name: "the tenth PTR name is asked for", want: spf.StatusPass, lookups: 1,
			zone: zone("v=spf1 ptr -all", resolver.Records{PTR: names(2000)})},
		{name: "the eleventh PTR name is not", want: spf.StatusFail, lookups: 1,
			zone: zone("v=spf1 ptr -all", resolver.Records{PTR: append([]string{"x.example.com"}, names(2000)...)})},
	})
}

func TestTheNullMXIsNeitherAskedForNorCounted(t *testing.T) {
	for _, root := range []string{"", "."} {
		asked := 0
		dns := resolverFunc(func(_ context.Context, q resolver.Question) (resolver.Answer, error) {
			asked++
			switch q.Type {
			case resolver.TypeTXT:
				return resolver.Answer{TXT: []string{"v=spf1 mx -all"}}, nil
			case resolver.TypeMX:
				a := resolver.Answer{MX: []resolver.MX{{Host: root}}}
				for range 10 {
					a.MX = append(a.MX, resolver.MX{Preference: 10, Host: "h.example.com"})
				}
				return a, nil
			}
			return resolver.Answer{Addrs: hostAddrs("203.0.113.1")}, nil
		})
		r := (&spf.Checker{Resolver: dns}).Check(t.Context(), client)
		if r.Status != spf.StatusFail || asked != 3 || r.Questions != 3 {
			t.Errorf("%q: got %v after %d questions", root, r, asked)
		}
	}
}

func TestThousandsOfPTRNamesCostTenQuestions(t *testing.T) {
	zone := resolver.Zone{
		"example.com": {TXT: []string{"v=spf1 exists:%{p}.example.com -exists:%{p}.%{p}.example.com -all exp=%{p}.example.com"}},
		"*.invalid":   {A: []string{"203.0.113.1"}},
	}
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("n%d.invalid", i))
	}
	zone["1.2.0.192.in-addr.arpa"] = resolver.Records{PTR: names}
	r := (&spf.Checker{Resolver: zone}).Check(t.Context(), client)
	// TXT, PTR, ten A, and three names made of "unknown".
	if r.Questions > 15 {
		t.Errorf("%d questions", r.Questions)
	}
}

func TestTheLimitOnQuestions(t *testing.T) {
	zone := resolver.Zone{"*.example.com": {A: []string{"203.0.113.1"}}}
	record := "v=spf1"
	for i := range 9 {
		name := fmt.Sprintf("mx%d.example.net", i)
		record += " mx:" + name
		var mx []string
		for j := range 10 {
			mx = append(mx, fmt.Sprintf("10 h%d-%d.example.com", i, j))
		}
		zone[name] = resolver.Records{MX: mx}
	}
	zone["example.com"] = resolver.Records{TXT: []string{record + " +all"}}
	for _, sequential := range []bool{false, true} {
		r := (&spf.Checker{Resolver: zone, Options: spf.Options{Sequential: sequential}}).Check(t.Context(), client)
		if r.Status != spf.StatusPermError || !errors.Is(r.Err, spf.ErrQuestionLimit) || r.Questions != 50 {
			t.Errorf("got %v (%v) after %d questions", r.Status, r.Err, r.Questions)
		}
	}
	r := (&spf.Checker{Resolver: zone, Options: spf.Options{Limits: spf.Limits{Questions: 200}}}).Check(t.Context(), client)
	if r.Status != spf.StatusPass || r.Questions != 100 {
		t.Errorf("got %v (%v) after %d questions", r.Status, r.Err, r.Questions)
	}
}

func TestLimitsOnTheRecord(t *testing.T) {
	zone := func(record string) resolver.Zone {
		return resolver.Zone{"example.com": {TXT: []string{record}}}
	}
	spaces := func(n int) string { return "v=spf1" + strings.Repeat(" ", n-10) + "+all" }
	play(t, []scene{
		{name: "500 terms are read", want: spf.StatusPass,
			zone: zone("v=spf1" + strings.Repeat(" ?ip4:1.1.1.1", 499) + " all")},
		{name: "501 terms are not", want: spf.StatusPermError, err: spf.ErrRecordLimit,
			zone: zone("v=spf1" + strings.Repeat(" ?ip4:1.1.1.1", 500) + " all")},
		{name: "8192 octets are read", want: spf.StatusPass, zone: zone(spaces(8192))},
		{name: "8193 octets are not", want: spf.StatusPermError, err: spf.ErrRecordLimit, zone: zone(spaces(8193))},
		{name: "a limit can be raised", want: spf.StatusPass, zone: zone(spaces(9000)),
			limits: spf.Limits{RecordOctets: 9000}},
	})
}

func TestACheckThatTakesTooLongIsTempError(t *testing.T) {
	for _, test := range []struct {
		name    string
		limits  spf.Limits
		timeout time.Duration // of the caller
		after   time.Duration
		err     error
	}{
		{"after 20 seconds", spf.Limits{}, time.Hour, 20 * time.Second, spf.ErrTimeLimit},
		{"after the limit that is set", spf.Limits{Time: time.Second}, time.Hour, time.Second, spf.ErrTimeLimit},
		{"when the caller has no more time", spf.Limits{}, 3 * time.Second, 3 * time.Second, spf.ErrCanceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := resolver.Records{TXT: []string{"v=spf1 +all"}, Fault: resolver.Fault{Delay: time.Hour}}
				zone := resolver.Zone{
					"example.com":      {TXT: []string{"v=spf1 include:slow.example.com include:slower.example.com +all"}},
					"slow.example.com": slow, "slower.example.com": slow,
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				began := time.Now()
				r := (&spf.Checker{Resolver: far(zone), Options: spf.Options{Limits: test.limits}}).Check(ctx, client)
				if r.Status != spf.StatusTempError || !errors.Is(r.Err, test.err) {
					t.Errorf("got %v (%v)", r.Status, r.Err)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("took %v, want %v", took, test.after)
				}
			})
		})
	}
}

func TestAResolverThatDoesNotHeedItsContextMeetsTheTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := resolver.Zone{"example.com": {TXT: []string{"v=spf1 a:a.org a:b.org a:c.org a:d.org a:e.org +all"}}}
		dns := resolverFunc(func(_ context.Context, q resolver.Question) (resolver.Answer, error) {
			time.Sleep(8 * time.Second)
			if q.Type == resolver.TypeTXT {
				return zone.Resolve(context.Background(), q)
			}
			return resolver.Answer{Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.1")}}, nil
		})
		r := (&spf.Checker{Resolver: dns, Options: spf.Options{Sequential: true}}).Check(t.Context(), client)
		if r.Status != spf.StatusTempError || !errors.Is(r.Err, spf.ErrTimeLimit) {
			t.Errorf("got %v (%v)", r.Status, r.Err)
		}
	})
}
