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
// socket that may be forged, and the response may still come.
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
	return names(mq.Name, q.Name) && Type(mq.Qtype) == q.Type && mq.Qclass == dns.ClassINET
}

// names reports whether a name with escapes, from a message, is the one of these raw
// octets.
func names(escaped, name string) bool {
	raw, ok := unescapeName(escaped)
	return ok && raw == name
}

// An openAlias is the error of a response that has an alias of the name asked for, and
// nothing about the name that it leads to: neither records nor proof that there are none.
// That name is to be asked for. Some forwarders answer like that.
type openAlias struct {
	name string
	path path
}

func (*openAlias) Error() string { return "an alias that leads to a name without an answer" }

// A path is what is known of the aliases that led to a question.
type path struct {
	ttl       time.Duration // the lowest, TTLUnknown if there was none
	authentic Authentic
}

var noAlias = path{TTLUnknown, AuthenticYes}

// readResponse returns what m, a response to q, says. Aliases via led to q.
func readResponse(m *dns.Msg, q Question, via path) (Answer, error) {
	authentic := AuthenticNo
	if m.AuthenticatedData {
		authentic = via.authentic
	}
	if err := failureOf(m); err != nil {
		return Answer{}, &Error{Question: q, Err: err}
	}
	name, ttl := q.Name, TTLUnknown
	if q.Type != TypeCNAME {
		var err error
		if name, ttl, err = followAliases(m, q); err != nil {
			return Answer{}, &Error{Question: q, Err: err}
		}
	}
	a, err := recordsOf(m, name, q.Type)
	if err != nil {
		return Answer{}, &Error{Question: q, Err: err}
	}
	ttl = lowerTTL(ttl, via.ttl)
	a.TTL, a.Authentic = lowerTTL(a.TTL, ttl), authentic
	soa := soaOf(m)
	absent := func(err error) error {
		return &Error{Question: q, Err: err, TTL: absenceTTL(ttl, soa), Authentic: authentic}
	}
	switch found := a.Count() > 0; {
	case found && m.Rcode == dns.RcodeNameError:
		return Answer{}, &Error{Question: q, Err: fmt.Errorf("%w: records of a name that does not exist", ErrMalformed)}
	case found:
		return a, nil
	case m.Rcode == dns.RcodeNameError:
		// Of the last name where there were aliases: RFC 6604, section 3.
		return Answer{}, absent(ErrNXDomain)
	case name != q.Name && soa == nil:
		return Answer{}, &openAlias{name, path{ttl, authentic}}
	case isReferral(m, soa):
		return Answer{}, &Error{Question: q, Err: fmt.Errorf("%w: it refers to other servers instead of asking them", ErrServFail)}
	}
	return Answer{}, absent(ErrNoData)
}

// recordsOf returns the records of a name and type in the answer section of m.
func recordsOf(m *dns.Msg, name string, t Type) (Answer, error) {
	a := Answer{TTL: TTLUnknown}
	unusable := 0
	for _, rr := range m.Answer {
		if h := rr.Header(); !names(h.Name, name) || h.Class != dns.ClassINET || Type(h.Rrtype) != t {
			continue // another question's answer
		}
		switch a.add(rr) {
		case recordEmpty:
			return Answer{}, fmt.Errorf("%w: %s record without data", ErrMalformed, t)
		case recordNameless:
			unusable++
		}
		a.TTL = lowerTTL(a.TTL, ttlOf(rr))
	}
	if unusable > 0 && a.Count() == 0 {
		return Answer{}, fmt.Errorf("%w: no %s record names a host", ErrMalformed, t)
	}
	return a, nil
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
// lowest TTL on the way: TTLUnknown if there is no CNAME.
func followAliases(m *dns.Msg, q Question) (name string, ttl time.Duration, err error) {
	name, ttl = q.Name, TTLUnknown
	for range maxAliases {
		target, lasts, err := aliasOf(m, name)
		if err != nil {
			return "", 0, err
		}
		if lasts < 0 {
			return name, ttl, nil
		}
		name, ttl = target, lowerTTL(ttl, lasts)
	}
	return "", 0, errAliases
}

// aliasOf returns where the CNAME of name leads and its TTL, which is TTLUnknown if there
// is none. Of two that lead to different names neither is to be believed: RFC 2181,
// section 10.1. Which is followed would decide between a record and its absence.
func aliasOf(m *dns.Msg, name string) (target string, ttl time.Duration, err error) {
	ttl = TTLUnknown
	for _, rr := range m.Answer {
		alias, ok := rr.(*dns.CNAME)
		if !ok || alias.Hdr.Class != dns.ClassINET || !names(alias.Hdr.Name, name) {
			continue
		}
		to, ok := unescapeName(alias.Target)
		if !ok {
			return "", 0, fmt.Errorf("%w: a CNAME to a name with a dot inside a label", ErrMalformed)
		}
		if ttl >= 0 && to != target {
			return "", 0, fmt.Errorf("%w: two CNAMEs of one name", ErrMalformed)
		}
		target, ttl = to, lowerTTL(ttl, ttlOf(alias))
	}
	return target, ttl, nil
}

// What became of a record that was added to an Answer.
type added int

const (
	recordAdded    added = iota
	recordEmpty          // it has no data, which Unpack lets pass since dynamic updates have such records
	recordNameless       // its host has a label with a dot inside: nobody can be asked for it
)

// add puts rr into the answer.
func (a *Answer) add(rr dns.RR) added {
	switch rr := rr.(type) {
	case *dns.A:
		return a.addAddr(rr.A.To4())
	case *dns.AAAA:
		return a.addAddr(rr.AAAA.To16())
	case *dns.MX:
		host, ok := unescapeName(rr.Mx)
		if ok && rr.Mx != "" {
			a.MX = append(a.MX, MX{Preference: rr.Preference, Host: host})
		}
		return addedHost(rr.Mx, ok)
	case *dns.PTR:
		host, ok := unescapeName(rr.Ptr)
		if ok && rr.Ptr != "" {
			a.PTR = append(a.PTR, host)
		}
		return addedHost(rr.Ptr, ok)
	case *dns.CNAME:
		host, ok := unescapeName(rr.Target)
		if ok && rr.Target != "" {
			a.CNAME = host
		}
		return addedHost(rr.Target, ok)
	case *dns.TXT:
		return a.addText(rr.Txt)
	case *dns.SPF:
		return a.addText(rr.Txt)
	}
	return recordEmpty
}

func (a *Answer) addText(parts []string) added {
	if len(parts) == 0 {
		return recordEmpty
	}
	a.TXT = append(a.TXT, joinTXT(parts))
	return recordAdded
}

func addedHost(host string, ok bool) added {
	switch {
	case host == "":
		return recordEmpty
	case !ok:
		return recordNameless
	}
	return recordAdded
}

func (a *Answer) addAddr(ip net.IP) added {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return recordEmpty
	}
	a.Addrs = append(a.Addrs, addr)
	return recordAdded
}

// isReferral reports whether an empty response, with this SOA or none, says "ask those"
// rather than "there is none": RFC 2308, section 2.2. A server that offers no recursion
// has nothing to say of a name that is not its own.
func isReferral(m *dns.Msg, soa *dns.SOA) bool {
	if soa != nil {
		return false
	}
	for _, rr := range m.Ns {
		if _, ok := rr.(*dns.NS); ok {
			return true
		}
	}
	return !m.RecursionAvailable && !m.Authoritative
}

// soaOf returns the SOA record that comes with an absence, or nil.
func soaOf(m *dns.Msg) *dns.SOA {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

// absenceTTL returns how long absence may be remembered: RFC 2308, section 5. Aliases is
// the lowest TTL of those that led to the name. Without a SOA nobody knows, unless an
// alias may not be remembered either.
func absenceTTL(aliases time.Duration, soa *dns.SOA) time.Duration {
	switch {
	case soa != nil:
		return lowerTTL(aliases, min(ttlOf(soa), secondsTTL(soa.Minttl)))
	case aliases == 0:
		return 0
	}
	return TTLUnknown
}

// ttlOf returns a record's TTL.
func ttlOf(rr dns.RR) time.Duration { return secondsTTL(rr.Header().Ttl) }

// secondsTTL returns a TTL in seconds as a duration; one with the highest bit set is
// zero: RFC 2181, section 8.
func secondsTTL(ttl uint32) time.Duration {
	if ttl > 1<<31-1 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

// lowerTTL returns the lower of two TTLs, of which one may not be known.
func lowerTTL(a, b time.Duration) time.Duration {
	if a < 0 || b < 0 {
		return max(a, b)
	}
	return min(a, b)
}
