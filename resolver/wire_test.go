package resolver

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const soa = "example.com. 600 SOA ns. host. 1 2 3 4 60"

var txt = Question{"example.com", TypeTXT}

func TestClientReadsEveryType(t *testing.T) {
	records := map[uint16][]string{
		dns.TypeTXT:  {`example.com. 60 TXT "v=spf1 " "-all"`, `example.com. 30 TXT "\000\255\"\\"`},
		dns.TypeA:    {"example.com. 60 A 192.0.2.1"},
		dns.TypeAAAA: {"example.com. 60 AAAA ::ffff:192.0.2.1"},
		dns.TypeMX:   {"example.com. 60 MX 10 MX.Example.com.", "example.com. 60 MX 0 ."},
		dns.TypePTR:  {"example.com. 60 PTR Host.example.com."},
	}
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		w.WriteMsg(reply(r, dns.RcodeSuccess, records[r.Question[0].Qtype], nil))
	})}}
	defer c.CloseIdleConnections()
	for qt, want := range map[Type]Answer{
		TypeTXT:  {TXT: []string{"v=spf1 -all", "\x00\xff\"\\"}, TTL: 30 * time.Second},
		TypeA:    {Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, TTL: time.Minute},
		TypeAAAA: {Addrs: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")}, TTL: time.Minute},
		TypeMX:   {MX: []MX{{10, "mx.example.com"}, {0, ""}}, TTL: time.Minute},
		TypePTR:  {PTR: []string{"host.example.com"}, TTL: time.Minute},
	} {
		want.Authentic = AuthenticNo
		got, err := c.Resolve(ctx, Question{"example.com", qt})
		if err != nil || !equalAnswers(got, want) {
			t.Errorf("%v: %+v, %v; want %+v", qt, got, err, want)
		}
	}
}

func TestClientReadsResponses(t *testing.T) {
	for _, tt := range []struct {
		name              string
		rcode             int
		answer, authority []string
		edit              func(*dns.Msg)
		want              []string
		ttl               time.Duration
		err               error
	}{
		{name: "an answer", answer: []string{"example.com. 60 TXT x"}, want: []string{"x"}, ttl: time.Minute},
		{name: "an answer in upper case", answer: []string{"EXAMPLE.com. 60 TXT x"}, want: []string{"x"}, ttl: time.Minute},
		{name: "a CNAME chain is followed in whatever order", answer: []string{"c.example. 90 TXT x", "b.example. 60 CNAME C.example.", "example.com. 30 CNAME b.example."}, want: []string{"x"}, ttl: 30 * time.Second},
		{name: "records of another name are not the answer", answer: []string{"example.org. 60 TXT x"}, authority: []string{soa}, ttl: time.Minute, err: ErrNoData},
		{name: "records of another type are not the answer", answer: []string{"example.com. 60 A 192.0.2.1"}, authority: []string{soa}, ttl: time.Minute, err: ErrNoData},
		{name: "records of another class are not the answer", answer: []string{"example.com. 60 CH TXT x"}, authority: []string{soa}, ttl: time.Minute, err: ErrNoData},
		{name: "records that no CNAME leads to are not the answer", answer: []string{"example.com. 60 CNAME b.example.", "c.example. 60 TXT x"}, ttl: TTLUnknown, err: ErrNoData},
		{name: "a CNAME loop is a failure", answer: []string{"example.com. 60 CNAME b.example.", "b.example. 60 CNAME example.com."}, err: ErrServFail},
		{name: "two CNAMEs of one name are malformed, not absence", answer: []string{"example.com. 60 CNAME b.example.", "example.com. 60 CNAME c.example.", "c.example. 60 TXT x"}, err: ErrMalformed},
		{name: "also if their TTL is zero", answer: []string{"example.com. 0 CNAME b.example.", "example.com. 0 CNAME c.example.", "c.example. 60 TXT x"}, err: ErrMalformed},
		{name: "so they are where the first leads to a record", answer: []string{"example.com. 60 CNAME c.example.", "example.com. 60 CNAME b.example.", "c.example. 60 TXT x"}, err: ErrMalformed},
		{name: "so they are further down", answer: []string{"example.com. 60 CNAME a.example.", "a.example. 60 CNAME b.example.", "A.example. 60 CNAME c.example.", "c.example. 60 TXT x"}, err: ErrMalformed},
		{name: "and where the name does not exist", rcode: dns.RcodeNameError, answer: []string{"example.com. 60 CNAME b.example.", "example.com. 60 CNAME c.example."}, authority: []string{soa}, err: ErrMalformed},
		{name: "a CNAME that stands twice is one", answer: []string{"example.com. 60 CNAME b.example.", "EXAMPLE.com. 60 CNAME B.example.", "b.example. 60 TXT x"}, want: []string{"x"}, ttl: time.Minute},
		{name: "a TTL of zero is zero", answer: []string{"example.com. 0 TXT x", "example.com. 60 TXT y"}, want: []string{"x", "y"}},
		{name: "so it is where an alias has it", answer: []string{"example.com. 60 CNAME b.example.", "b.example. 0 CNAME c.example.", "c.example. 60 TXT x"}, want: []string{"x"}},
		{name: "a TTL with the highest bit set is zero", answer: []string{"example.com. 4294967295 TXT x"}, want: []string{"x"}},

		{name: "NXDOMAIN is a name that does not exist, for the SOA's minimum", rcode: dns.RcodeNameError, authority: []string{soa}, ttl: time.Minute, err: ErrNXDomain},
		{name: "the SOA's own TTL bounds absence too", rcode: dns.RcodeNameError, authority: []string{"com. 5 SOA ns. host. 1 2 3 4 60"}, ttl: 5 * time.Second, err: ErrNXDomain},
		{name: "a SOA minimum of zero is zero", rcode: dns.RcodeNameError, authority: []string{"com. 60 SOA ns. host. 1 2 3 4 0"}, err: ErrNXDomain},
		{name: "a SOA minimum with the highest bit set is zero", authority: []string{"com. 60 SOA ns. host. 1 2 3 4 2147483648"}, err: ErrNoData},
		{name: "absence behind an alias of zero", rcode: dns.RcodeNameError, answer: []string{"example.com. 0 CNAME b.example."}, authority: []string{soa}, err: ErrNXDomain},
		{name: "and without a SOA", rcode: dns.RcodeNameError, answer: []string{"example.com. 0 CNAME b.example."}, err: ErrNXDomain},
		{name: "NXDOMAIN without a SOA, for an unknown time", rcode: dns.RcodeNameError, answer: []string{"example.com. 60 CNAME b.example."}, ttl: TTLUnknown, err: ErrNXDomain},
		{name: "NXDOMAIN behind a CNAME", rcode: dns.RcodeNameError, answer: []string{"example.com. 30 CNAME b.example."}, authority: []string{soa}, ttl: 30 * time.Second, err: ErrNXDomain},
		{name: "an empty answer is no data", authority: []string{soa}, ttl: time.Minute, err: ErrNoData},
		{name: "an empty answer without SOA is no data for an unknown time", ttl: TTLUnknown, err: ErrNoData},

		{name: "NXDOMAIN with records contradicts itself", rcode: dns.RcodeNameError, answer: []string{"example.com. 60 TXT x"}, err: ErrMalformed},
		{name: "a referral is not absence", authority: []string{"com. 60 NS a.gtld."}, err: ErrServFail},
		{name: "an empty answer of a server without recursion is not absence", edit: func(m *dns.Msg) { m.RecursionAvailable = false }, err: ErrServFail},
		{name: "an authoritative server knows its own absence", ttl: TTLUnknown, edit: func(m *dns.Msg) { m.RecursionAvailable, m.Authoritative = false, true }, err: ErrNoData},
		{name: "SERVFAIL", rcode: dns.RcodeServerFailure, err: ErrServFail},
		{name: "SERVFAIL with records is still a failure", rcode: dns.RcodeServerFailure, answer: []string{"example.com. 60 TXT x"}, err: ErrServFail},
		{name: "REFUSED", rcode: dns.RcodeRefused, err: ErrRefused},
		{name: "FORMERR", rcode: dns.RcodeFormatError, err: ErrFormat},
		{name: "NOTIMP", rcode: dns.RcodeNotImplemented, err: ErrFormat},
		{name: "a code without a name", rcode: dns.RcodeYXDomain, err: ErrServFail},
		{name: "a failure without the question", rcode: dns.RcodeRefused, edit: func(m *dns.Msg) { m.Question = nil }, err: ErrRefused},
		{name: "an extended code", edit: func(m *dns.Msg) { m.SetEdns0(1232, false); m.Rcode = dns.RcodeBadVers }, err: ErrServFail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
				m := reply(r, tt.rcode, tt.answer, tt.authority)
				if tt.edit != nil {
					tt.edit(m)
				}
				w.WriteMsg(m)
			})
			c := &Client{Servers: []string{server}}
			a, err := c.Resolve(ctx, txt)
			if !errors.Is(err, tt.err) || !slices.Equal(a.TXT, tt.want) {
				t.Errorf("%q, %v; want %q, %v", a.TXT, err, tt.want, tt.err)
			}
			ttl := a.TTL
			if failure, ok := errors.AsType[*Error](err); ok {
				ttl = failure.TTL
				if failure.Server != server || failure.Question != txt || !strings.Contains(err.Error(), server) {
					t.Errorf("%v does not name server %s and question %v", err, server, txt)
				}
			}
			if ttl != tt.ttl {
				t.Errorf("TTL %v, want %v", ttl, tt.ttl)
			}
		})
	}
}

func TestClientAsksForTheNameThatAnAliasLeavesOpen(t *testing.T) {
	answers := map[string]struct {
		rcode     int
		answer    []string
		authentic bool
	}{
		"example.com.":     {answer: []string{"example.com. 50 CNAME a\\032b.example."}, authentic: true},
		`a\032b.example.`:  {answer: []string{`a\032b.example. 40 CNAME c.example.`}, authentic: true},
		`a\ b.example.`:    {answer: []string{`a\032b.example. 40 CNAME c.example.`}, authentic: true},
		"c.example.":       {answer: []string{"c.example. 60 TXT x"}},
		"example.org.":     {answer: []string{"example.org. 60 CNAME nowhere.example."}, authentic: true},
		"nowhere.example.": {rcode: dns.RcodeNameError, authentic: true},
		"example.net.":     {answer: []string{"example.net. 60 CNAME failing.example."}},
		"failing.example.": {rcode: dns.RcodeServerFailure},
		"loop.example.":    {answer: []string{"loop.example. 60 CNAME loop2.example."}},
		"loop2.example.":   {answer: []string{"loop2.example. 60 CNAME loop.example."}},
	}
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		a, ok := answers[r.Question[0].Name]
		if !ok {
			t.Errorf("asked for %s", r.Question[0].Name)
		}
		var authority []string
		if a.rcode == dns.RcodeNameError {
			authority = []string{soa}
		}
		m := reply(r, a.rcode, a.answer, authority)
		m.AuthenticatedData = a.authentic
		w.WriteMsg(m)
	})}}
	if a, err := c.Resolve(ctx, txt); err != nil || a.Count() != 1 || a.TTL != 40*time.Second || a.Authentic != AuthenticNo {
		t.Errorf("%+v, %v; want the record with the lowest TTL, not authentic", a, err)
	}
	for name, want := range map[string]error{"example.org": ErrNXDomain, "example.net": ErrServFail, "loop.example": ErrServFail} {
		q := Question{name, TypeTXT}
		_, err := c.Resolve(ctx, q)
		if failure, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, want) || failure.Question != q || errors.Is(err, ErrNotFound) != (failure.Authentic == AuthenticYes) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestClientReportsTheADBitOfAnswersAndOfAbsence(t *testing.T) {
	for _, ad := range []bool{true, false} {
		want := map[bool]Authentic{true: AuthenticYes, false: AuthenticNo}[ad]
		var rcode atomic.Int32
		c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
			var answer []string
			if rcode.Load() == dns.RcodeSuccess {
				answer = []string{"example.com. 60 TXT x"}
			}
			m := reply(r, int(rcode.Load()), answer, []string{soa})
			m.AuthenticatedData = ad
			w.WriteMsg(m)
		})}}
		if a, err := c.Resolve(ctx, txt); err != nil || a.Authentic != want {
			t.Errorf("AD %v: %v, %v", ad, a.Authentic, err)
		}
		rcode.Store(dns.RcodeNameError)
		_, err := c.Resolve(ctx, txt)
		if failure, ok := errors.AsType[*Error](err); !ok || failure.Authentic != want {
			t.Errorf("AD %v: absence %v", ad, err)
		}
	}
}

func TestClientSaysWhyAServerFailedButNotInItsWords(t *testing.T) {
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := reply(r, dns.RcodeServerFailure, nil, nil)
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "hostile\r\nwords"}}
		w.WriteMsg(m)
	})}}
	_, err := c.Resolve(ctx, txt)
	if !errors.Is(err, ErrServFail) || !strings.Contains(err.Error(), "DNSSEC Bogus") || strings.Contains(err.Error(), "hostile") {
		t.Error(err)
	}
}

func TestClientQueriesAskForRecursionAndADWithRandomIDsAndPorts(t *testing.T) {
	var mu sync.Mutex
	ids, ports := map[uint16]bool{}, map[string]bool{}
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		ids[r.Id], ports[w.RemoteAddr().String()] = true, true
		if opt := r.IsEdns0(); !r.RecursionDesired || !r.AuthenticatedData || r.CheckingDisabled || opt == nil || opt.UDPSize() != 1232 {
			t.Errorf("query is %v", r)
		}
		w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT x"}, nil))
	})}}
	for range 20 {
		if _, err := c.Resolve(ctx, txt); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) < 18 || len(ports) < 10 {
		t.Errorf("20 queries had %d ids and %d ports", len(ids), len(ports))
	}
}

// truncating answers over UDP with what fits.
func truncating(records ...string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		m := reply(r, dns.RcodeSuccess, records, nil)
		if !isTCP(w) {
			m.Truncate(1232)
		}
		w.WriteMsg(m)
	}
}

func TestClientTurnsToTCPForALongAnswerAndKeepsTheConnection(t *testing.T) {
	long := strings.Repeat("x", 4000)
	record := `example.com. 60 TXT "` + long + `"`
	var conns sync.Map
	inner := truncating(record)
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if isTCP(w) {
			conns.Store(w.RemoteAddr().String(), true)
		}
		inner(w, r)
	})}}
	defer c.CloseIdleConnections()
	for range 3 {
		a, err := c.Resolve(ctx, txt)
		if err != nil || !slices.Equal(a.TXT, []string{long}) {
			t.Fatal(a, err)
		}
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("3 questions took %d TCP connections, want 1", n)
	}
}

func TestClientDialsAgainWhenAnIdleConnectionHasEnded(t *testing.T) {
	inner := truncating(`example.com. 60 TXT "` + strings.Repeat("x", 4000) + `"`)
	c := &Client{Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		inner(w, r)
		if isTCP(w) {
			w.Close()
		}
	})}, Tries: 1}
	defer c.CloseIdleConnections()
	for range 3 {
		if _, err := c.Resolve(ctx, txt); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClientWaitsForTheRealResponse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(m *dns.Msg) []byte
	}{
		{"after one with another id", func(m *dns.Msg) []byte { m.Id++; return pack(m)[0] }},
		{"after one to another name", func(m *dns.Msg) []byte { m.Question[0].Name = "example.org."; return pack(m)[0] }},
		{"after one to another type", func(m *dns.Msg) []byte { m.Question[0].Qtype = dns.TypeA; return pack(m)[0] }},
		{"after one to another class", func(m *dns.Msg) []byte { m.Question[0].Qclass = dns.ClassCHAOS; return pack(m)[0] }},
		{"after one without a question", func(m *dns.Msg) []byte { m.Question = nil; return pack(m)[0] }},
		{"after one with two questions", func(m *dns.Msg) []byte { m.Question = append(m.Question, m.Question[0]); return pack(m)[0] }},
		{"after its own query", func(m *dns.Msg) []byte { m.Response = false; return pack(m)[0] }},
		{"after garbage", func(m *dns.Msg) []byte { return []byte("garbage, more than twelve octets") }},
		{"after an empty datagram", func(m *dns.Msg) []byte { return nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Client{Tries: 1, Servers: []string{serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
				w.Write(tt.before(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT forged"}, nil)))
				w.WriteMsg(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT real"}, nil))
			})}}
			a, err := c.Resolve(ctx, txt)
			if err != nil || !slices.Equal(a.TXT, []string{"real"}) {
				t.Errorf("%q, %v; want the real answer", a.TXT, err)
			}
		})
	}
}

func TestClientRefusesABrokenResponse(t *testing.T) {
	answer := func(r *dns.Msg) []byte {
		return pack(reply(r, dns.RcodeSuccess, []string{"example.com. 60 TXT one", "example.com. 60 TXT two"}, nil))[0]
	}
	for _, tt := range []struct {
		name string
		wire func(r *dns.Msg) []byte
		err  error
	}{
		{"cut inside a record", func(r *dns.Msg) []byte { b := answer(r); return b[:len(b)-1] }, ErrMalformed},
		// 12 octets of header, 17 of question, 27 of each record.
		{"cut between two records", func(r *dns.Msg) []byte { b := answer(r); return b[:len(b)-(len(b)-29)/2] }, ErrMalformed},
		{"cut before the answer", func(r *dns.Msg) []byte { return answer(r)[:29] }, ErrMalformed},
		{"a record without data", func(r *dns.Msg) []byte {
			m := reply(r, dns.RcodeSuccess, nil, nil)
			m.Answer = []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: "example.com.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}}}
			return pack(m)[0]
		}, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, func(w dns.ResponseWriter, r *dns.Msg) { w.Write(tt.wire(r)) })
			_, err := (&Client{Servers: []string{server}}).Resolve(ctx, txt)
			if !errors.Is(err, tt.err) || !Temporary(err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
		})
	}
}

func TestClientRefusesOverTCPWhatIsNotTheResponse(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply func(r *dns.Msg) []byte
		err   error
	}{
		{"another id", func(r *dns.Msg) []byte { m := reply(r, 0, nil, nil); m.Id++; return pack(m)[0] }, ErrMalformed},
		{"truncated once more", func(r *dns.Msg) []byte { m := reply(r, 0, nil, nil); m.Truncated = true; return pack(m)[0] }, ErrMalformed},
		{"garbage", func(r *dns.Msg) []byte { return []byte("garbage") }, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner := truncating(`example.com. 60 TXT "` + strings.Repeat("x", 4000) + `"`)
			server := serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
				if isTCP(w) {
					w.Write(tt.reply(r))
				} else {
					inner(w, r)
				}
			})
			_, err := (&Client{Servers: []string{server}}).Resolve(ctx, txt)
			if !errors.Is(err, tt.err) || !Temporary(err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
		})
	}
}

func TestClientSeesAnAnswerThatEndsInTheMiddleOverTCP(t *testing.T) {
	pc, l := listenBoth(t)
	defer l.Close()
	start(t, &dns.Server{PacketConn: pc, Handler: truncating(`example.com. 60 TXT "` + strings.Repeat("x", 4000) + `"`)})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 512))
			conn.Write([]byte{0x10, 0x00, 1, 2, 3}) // says 4096 octets, sends three
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	_, err := (&Client{Servers: []string{pc.LocalAddr().String()}}).Resolve(ctx, txt)
	if !errors.Is(err, ErrUnreachable) || !Temporary(err) {
		t.Errorf("%v, want %v", err, ErrUnreachable)
	}
}

// In a bubble a goroutine that stays behind is a failure of the test.
