package resolver

import (
	"errors"
	"testing"

	"github.com/miekg/dns"
)

// FuzzResponse reads any octets as a response. Whatever they are: no panic, no
// answer to another question, and no absence without a server having said so.
func FuzzResponse(f *testing.F) {
	query := new(dns.Msg)
	query.SetQuestion("example.com.", dns.TypeTXT)
	query.Id = 0x1234
	for _, m := range []*dns.Msg{
		reply(query, dns.RcodeSuccess, []string{"example.com. 60 CNAME b.example.", `b.example. 30 TXT "a" "b"`}, nil),
		reply(query, dns.RcodeSuccess, []string{"example.com. 60 A 192.0.2.1", "example.com. 60 MX 10 a.b."}, []string{soa}),
		reply(query, dns.RcodeNameError, nil, []string{soa}),
		reply(query, dns.RcodeServerFailure, nil, nil),
		reply(query, dns.RcodeSuccess, nil, []string{"com. 60 NS a.gtld."}),
		query,
	} {
		f.Add(pack(m)[0], uint16(dns.TypeTXT), -1, byte(0))
	}
	f.Fuzz(func(t *testing.T, wire []byte, qtype uint16, at int, octet byte) {
		if 0 <= at && at < len(wire) { // mutate what the corpus has
			wire[at] = octet
		}
		q := Question{"example.com", Type(qtype)}
		m, err := parseResponse(wire, 0x1234, q)
		if err != nil {
			if errors.Is(err, ErrNotFound) || m != nil {
				t.Errorf("%v, %v", m, err)
			}
			return
		}
		if m.Id != 0x1234 || !m.Response || m.Truncated || len(m.Question) > 1 {
			t.Errorf("accepted %v", m)
		}
		if len(m.Question) == 1 && (!names(m.Question[0].Name, q.Name) || m.Question[0].Qtype != qtype) {
			t.Errorf("accepted the answer to another question: %v", m)
		}
		a, err := readResponse(m, q, noAlias)
		switch {
		case err == nil:
			if m.Rcode != dns.RcodeSuccess || a.Count() == 0 || a.Count() > len(m.Answer) {
				t.Errorf("answer %+v of %v", a, m)
			}
			if q.Type != TypeTXT && len(a.TXT) > 0 || q.Type != TypeMX && len(a.MX) > 0 || q.Type != TypePTR && len(a.PTR) > 0 {
				t.Errorf("answer %+v to %v", a, q)
			}
		case a.Count() != 0:
			t.Errorf("answer %+v and error %v", a, err)
		case errors.Is(err, ErrNotFound) && m.Rcode != dns.RcodeNameError && m.Rcode != dns.RcodeSuccess:
			t.Errorf("absence %v of %v", err, m)
		}
		if _, ok := errors.AsType[*openAlias](err); ok {
			return
		}
		if failure, ok := errors.AsType[*Error](err); err != nil && (!ok || failure.Question != q || failure.TTL < TTLUnknown || Temporary(err) && failure.TTL != 0) {
			t.Errorf("error %v", err)
		}
	})
}

func FuzzUnescape(f *testing.F) {
	f.Add(`a\065\"\\\256\1`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := unescapeText(s); len(got) > len(s) {
			t.Errorf("%q has more octets than %q", got, s)
		}
		// What a server sends as octets comes back as those octets.
		if len(s) > 255 {
			return
		}
		wire := append([]byte{1, 'a', 0, 0, 16, 0, 1, 0, 0, 0, 0, 0, byte(len(s) + 1), byte(len(s))}, s...)
		wire[12], wire[11] = byte(len(s)+1), byte((len(s)+1)>>8)
		rr, _, err := dns.UnpackRR(wire, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := joinTXT(rr.(*dns.TXT).Txt); got != s {
			t.Errorf("%q became %q", s, got)
		}
	})
}
