package resolver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// What a datagram can be other than an answer or a failure.
var (
	errNotOurs   = errors.New("not a response to the question that was asked")
	errTruncated = errors.New("truncated, to be asked again over TCP")
)

// parseResponse reads wire as the response to the query with this id for q. It
// returns errNotOurs for what answers another question, or none: on a datagram
// socket that is somebody's guess, and the response may still come.
func parseResponse(wire []byte, id uint16, q Question) (*dns.Msg, error) {
	m := new(dns.Msg)
	err := m.Unpack(wire)
	if len(wire) < 12 || m.Id != id || !m.Response || m.Opcode != dns.OpcodeQuery || !echoes(m, q) {
		return nil, errNotOurs
	}
	if m.Truncated {
		return nil, errTruncated
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	// Unpack takes a message that ends early, between two records, for one that
	// has no more of them. An answer cut off would be absence.
	for i, got := range []int{len(m.Question), len(m.Answer), len(m.Ns), len(m.Extra)} {
		if want := binary.BigEndian.Uint16(wire[4+2*i:]); got != int(want) {
			return nil, fmt.Errorf("%w: it ends early", ErrMalformed)
		}
	}
	return m, nil
}

// echoes reports whether m repeats the question q. A server that could not read
// the query, or would not, may leave it out.
func echoes(m *dns.Msg, q Question) bool {
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
	}
	if len(m.Question) > 1 {
		return false
	}
	mq := m.Question[0]
	return canonicalTarget(mq.Name) == q.Name && Type(mq.Qtype) == q.Type && mq.Qclass == dns.ClassINET
}

// readResponse returns what m, a response to q, says.
func readResponse(m *dns.Msg, q Question) (Answer, error) {
	authentic := AuthenticNo
	if m.AuthenticatedData {
		authentic = AuthenticYes
	}
	absent := func(err error, ttl time.Duration) error {
		return &Error{Question: q, Err: err, TTL: lowerTTL(ttl, negativeTTL(m)), Authentic: authentic}
	}
	if err := failureOf(m); err != nil {
		return Answer{}, &Error{Question: q, Err: err}
	}
	name, ttl, err := followAliases(m, q)
	if err != nil {
		return Answer{}, &Error{Question: q, Err: err}
	}
	a := Answer{TTL: ttl, Authentic: authentic}
	for _, rr := range m.Answer {
		if h := rr.Header(); canonicalTarget(h.Name) != name || h.Class != dns.ClassINET || Type(h.Rrtype) != q.Type {
			continue // another question's answer
		}
		if !a.add(rr) {
			return Answer{}, &Error{Question: q, Err: fmt.Errorf("%w: %s record without data", ErrMalformed, q.Type)}
		}
		a.TTL = lowerTTL(a.TTL, ttlOf(rr))
	}
	switch found := a.Count() > 0; {
	case found && m.Rcode == dns.RcodeNameError:
		return Answer{}, &Error{Question: q, Err: fmt.Errorf("%w: records of a name that does not exist", ErrMalformed)}
	case found:
		return a, nil
	case m.Rcode == dns.RcodeNameError:
		// Of the last name where there were aliases: RFC 6604, section 3.
		return Answer{}, absent(ErrNXDomain, ttl)
	case isReferral(m, name != q.Name):
		return Answer{}, &Error{Question: q, Err: fmt.Errorf("%w: it refers to other servers instead of asking them", ErrServFail)}
	}
	return Answer{}, absent(ErrNoData, ttl)
}

// failureOf returns the error of a response that is neither an answer nor absence.
func failureOf(m *dns.Msg) error {
	var err error
	switch m.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return nil
	case dns.RcodeServerFailure:
		err = ErrServFail
	case dns.RcodeRefused:
		err = ErrRefused
	case dns.RcodeFormatError:
		err = ErrFormat
	case dns.RcodeNotImplemented:
		err = fmt.Errorf("%w: NOTIMP", ErrFormat)
	default:
		err = fmt.Errorf("%w: response code %d", ErrServFail, m.Rcode)
	}
	// The server may say more, such as "DNSSEC Bogus": RFC 8914. Its own words
	// (EXTRA-TEXT) are anybody's, and left out.
	if opt := m.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if ede, ok := option.(*dns.EDNS0_EDE); ok && dns.ExtendedErrorCodeToString[ede.InfoCode] != "" {
				return fmt.Errorf("%w: %s", err, dns.ExtendedErrorCodeToString[ede.InfoCode])
			}
		}
	}
	return err
}

// followAliases returns the name that the CNAMEs of the answer lead to, and the
// lowest TTL on the way.
func followAliases(m *dns.Msg, q Question) (name string, ttl time.Duration, err error) {
	name = q.Name
	for range maxAliases {
		alias, err := aliasOf(m, name)
		if err != nil {
			return "", 0, err
		}
		if alias == nil {
			return name, ttl, nil
		}
		name, ttl = canonicalTarget(alias.Target), lowerTTL(ttl, ttlOf(alias))
	}
	return "", 0, errAliases
}

// aliasOf returns the CNAME of name, or nil. Of two that lead to different names
// neither is to be believed: RFC 2181, section 10.1. Which is followed would decide
// between a record and its absence.
func aliasOf(m *dns.Msg, name string) (found *dns.CNAME, err error) {
	for _, rr := range m.Answer {
		alias, ok := rr.(*dns.CNAME)
		if !ok || alias.Hdr.Class != dns.ClassINET || canonicalTarget(alias.Hdr.Name) != name {
			continue
		}
		if found != nil && canonicalTarget(found.Target) != canonicalTarget(alias.Target) {
			return nil, fmt.Errorf("%w: two CNAMEs of one name", ErrMalformed)
		}
		found = alias
	}
	return found, nil
}

// add puts rr into the answer. False means that rr has no data, which Unpack lets
// pass since dynamic updates have such records.
func (a *Answer) add(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return a.addAddr(rr.A.To4())
	case *dns.AAAA:
		return a.addAddr(rr.AAAA.To16())
	case *dns.MX:
		a.MX = append(a.MX, MX{Preference: rr.Preference, Host: canonicalTarget(rr.Mx)})
		return rr.Mx != ""
	case *dns.PTR:
		a.PTR = append(a.PTR, canonicalTarget(rr.Ptr))
		return rr.Ptr != ""
	case *dns.TXT:
		a.TXT = append(a.TXT, joinTXT(rr.Txt))
		return len(rr.Txt) > 0
	}
	return false
}

func (a *Answer) addAddr(ip net.IP) bool {
	addr, ok := netip.AddrFromSlice(ip)
	a.Addrs = append(a.Addrs, addr)
	return ok
}

// isReferral reports whether an empty response says "ask those" rather than "there
// is none": RFC 2308, section 2.2. A server that offers no recursion has nothing to
// say of a name that is not its own, nor of one that an alias leads to.
func isReferral(m *dns.Msg, aliased bool) bool {
	delegates := false
	for _, rr := range m.Ns {
		switch rr.(type) {
		case *dns.SOA:
			return false
		case *dns.NS:
			delegates = true
		}
	}
	return delegates || !m.RecursionAvailable && (aliased || !m.Authoritative)
}

// negativeTTL returns how long absence may be remembered: RFC 2308, section 5.
func negativeTTL(m *dns.Msg) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(ttlOf(soa), time.Duration(soa.Minttl)*time.Second)
		}
	}
	return 0
}

// ttlOf returns a record's TTL; one with the highest bit set is zero: RFC 2181,
// section 8.
func ttlOf(rr dns.RR) time.Duration {
	ttl := rr.Header().Ttl
	if ttl > 1<<31-1 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}
