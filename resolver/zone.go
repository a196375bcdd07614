package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// A Zone answers questions from memory, for tests, fixtures and programs that work
// offline. It is written as a literal, or read by [ParseZone]:
//
//	resolver.Zone{
//		"example.com": {
//			TXT: []string{"v=spf1 mx -all"},
//			MX:  []string{"10 mx.example.com"},
//		},
//		"mx.example.com":        {A: []string{"192.0.2.1"}},
//		"*.example.com":         {CNAME: "example.com"},
//		"slow.example.com":      {Fault: resolver.Fault{Delay: time.Second}},
//		"_dmarc.example.com":    {Fault: resolver.Fault{Err: resolver.ErrServFail}},
//	}
//
// Keys are names as in [Question]: A-labels, lower case, no trailing dot, octets as they
// are, without escapes. A key in another form is never found. A key whose leftmost label
// is "*" is a wildcard and stands for the names below its parent that do not exist (RFC
// 4592): none that is a key, has a key below it, or stands below another such name.
//
// A name that is no key but has a key below it exists without records (ErrNoData,
// an empty non-terminal); every other name does not exist (ErrNXDomain). The Zone
// is the whole of the DNS: there are no delegations, and nothing else is asked.
//
// Finding a key takes no time; finding that a name is absent takes a look at every
// key. A Zone must not be changed while it is in use.
type Zone map[string]Records

// Records are the records of one name. Names in them are raw octets, as in [Question],
// but may have upper case and a trailing dot. A record that does not parse is answered
// with ErrMalformed.
type Records struct {
	A    []string // IPv4 addresses
	AAAA []string // IPv6 addresses
	MX   []string // "10 mx.example.com"; "0 ." is the null MX
	TXT  []string // each is one record, its strings joined, octets as they are
	PTR  []string // names
	SPF  []string // as TXT, of the obsolete type 99

	// CNAME is the name that this one is an alias of, for every type but TypeCNAME: where
	// it is set, the other records are not looked at (RFC 1034, section 4.3.2).
	CNAME string

	// DNAME is the name whose descendants the descendants of this one are aliases of
	// (RFC 6672). A descendant that is a key of the Zone is none.
	DNAME string

	// TTL is that of every answer from this name, its ErrNoData included. Zero means one
	// hour, as in a zone file that says nothing, and a negative number zero: the answer
	// is not to be kept.
	TTL time.Duration

	// Authentic is that of every answer from this name, its ErrNoData included.
	Authentic Authentic

	// Fault is what goes wrong with questions for this name. Faults take its place
	// for single types.
	Fault  Fault
	Faults map[Type]Fault

	// Absent says that the key is here for its faults alone. Unless it has records,
	// the name is one that is no key: questions that no fault ends are answered as
	// if it were not there, by a wildcard or with ErrNXDomain.
	Absent bool
}

// A Fault goes wrong on purpose. The zero Fault is none.
type Fault struct {
	Err   error         // returned in place of an answer; may be ErrNXDomain
	Delay time.Duration // passes before the answer or Err; a context that ends cuts it short
}

// zoneTTL is the TTL of records whose Zone does not say it.
const zoneTTL = time.Hour

// ttl returns the TTL of answers.
func (r *Records) ttl() time.Duration {
	if r.TTL == 0 {
		return zoneTTL
	}
	return max(r.TTL, 0)
}

// maxAliases bounds a chain of CNAMEs. Common recursive servers stop between 11 and
// 17; a longer chain is a loop or an attack.
const maxAliases = 16

// Resolve answers q from the zone. It implements [Resolver].
func (z Zone) Resolve(ctx context.Context, q Question) (Answer, error) {
	watch := observe(ctx, q)
	a, err := z.resolve(ctx, q)
	watch.end(outcome{answer: a, err: err})
	return a, err
}

func (z Zone) resolve(ctx context.Context, q Question) (Answer, error) {
	a, delay, err := z.answer(q)
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return Answer{}, &Error{Question: q, Err: contextError(ctx)}
	}
	return a, err
}

// answer returns the outcome for q and how long faults delay it.
func (z Zone) answer(q Question) (a Answer, delay time.Duration, err error) {
	if err := q.check(); err != nil {
		return Answer{}, 0, err
	}
	name, ttl, authentic := q.Name, TTLUnknown, AuthenticYes
	for range maxAliases {
		records, ok := z[name]
		fault := records.fault(q.Type)
		var err error
		if !ok || !records.exist() {
			if records, err = z.synthesize(name); fault == (Fault{}) {
				fault = records.fault(q.Type)
			}
		}
		delay += fault.Delay
		if fault.Err != nil {
			return Answer{}, delay, absence(q, fault.Err, TTLUnknown, AuthenticUnknown)
		}
		if err != nil {
			return Answer{}, delay, absence(q, err, absenceTTL(ttl, nil), AuthenticUnknown)
		}
		ttl = lowerTTL(ttl, records.ttl())
		authentic = authentic.And(records.Authentic)
		if records.CNAME != "" && q.Type != TypeCNAME {
			name = canonicalTarget(records.CNAME)
			continue
		}
		a, err := records.answer(q.Type)
		if err != nil {
			return Answer{}, delay, absence(q, err, ttl, authentic)
		}
		a.TTL, a.Authentic = ttl, authentic
		return a, delay, nil
	}
	return Answer{}, delay, &Error{Question: q, Err: errAliases}
}

// absence returns the error of a question. If err is absence, it lasts for ttl and is as
// authentic.
func absence(q Question, err error, ttl time.Duration, authentic Authentic) error {
	failure := &Error{Question: q, Err: err}
	if errors.Is(err, ErrNotFound) {
		failure.TTL, failure.Authentic = ttl, authentic
	}
	return failure
}

// errAliases is what a recursive server would make of it.
var errAliases = fmt.Errorf("%w: more than %d CNAMEs in a row", ErrServFail, maxAliases)

// synthesize returns the records of a name that is no key: an alias, where the name is
// below one with a DNAME, or those of the wildcard that answers for it.
func (z Zone) synthesize(name string) (Records, error) {
	for parent := domain.Parent(name); parent != ""; parent = domain.Parent(parent) {
		if r, ok := z[parent]; ok && r.DNAME != "" {
			r.CNAME = strings.TrimSuffix(name[:len(name)-len(parent)]+canonicalTarget(r.DNAME), ".")
			if len(r.CNAME) > domain.MaxLength {
				return Records{}, errDNAME
			}
			return r, nil
		}
	}
	encloser := z.closestEncloser(name)
	if encloser == name {
		return Records{}, ErrNoData // an empty non-terminal
	}
	wildcard := "*"
	if encloser != "" {
		wildcard = "*." + encloser
	}
	if r, ok := z[wildcard]; ok && r.exist() {
		return r, nil
	}
	return Records{}, ErrNXDomain
}

// errDNAME is what the response code YXDOMAIN means: RFC 6672, section 2.2.
var errDNAME = fmt.Errorf("%w: a DNAME makes the name too long", ErrServFail)

// closestEncloser returns the longest ancestor of name, or name itself, that exists
// because it is a key or has one below it; "" is the root. RFC 4592, section 3.3.1.
func (z Zone) closestEncloser(name string) string {
	best := ""
	for key, r := range z {
		if shared := sharedParent(key, name); len(shared) > len(best) && r.exist() {
			best = shared
		}
	}
	return best
}

// sharedParent returns the longest run of whole labels in which both names end.
func sharedParent(a, b string) string {
	n := min(len(a), len(b))
	shared := 0
	for i := 1; i <= n && a[len(a)-i] == b[len(b)-i]; i++ {
		if startsLabel(a, i) && startsLabel(b, i) {
			shared = i
		}
	}
	return b[len(b)-shared:]
}

// startsLabel reports whether the last n octets of name begin at a label.
func startsLabel(name string, n int) bool {
	return n == len(name) || name[len(name)-n-1] == '.'
}

// exist reports whether a key with these records is a name of the zone.
func (r *Records) exist() bool { return !r.Absent || r.any() || r.CNAME != "" }

func (r *Records) fault(t Type) Fault {
	if f, ok := r.Faults[t]; ok {
		return f
	}
	return r.Fault
}

// answer returns the records of one type.
func (r *Records) answer(t Type) (Answer, error) {
	var a Answer
	var err error
	switch t {
	case TypeTXT:
		a.TXT = r.TXT
	case TypeA:
		a.Addrs, err = parseEach(r.A, parseIPv4)
	case TypeAAAA:
		a.Addrs, err = parseEach(r.AAAA, parseIPv6)
	case TypeMX:
		a.MX, err = parseEach(r.MX, parseMX)
	case TypePTR:
		a.PTR, err = parseEach(r.PTR, parseTarget)
	case TypeCNAME:
		a.CNAME = canonicalTarget(r.CNAME)
	case TypeSPF:
		a.TXT = r.SPF
	}
	if err != nil {
		return Answer{}, err
	}
	if a.Count() == 0 {
		return Answer{}, ErrNoData
	}
	return a, nil
}

func parseEach[T any](texts []string, parse func(string) (T, bool)) ([]T, error) {
	values := make([]T, len(texts))
	for i, text := range texts {
		v, ok := parse(text)
		if !ok {
			return nil, fmt.Errorf("%w: record %q of the zone", ErrMalformed, text)
		}
		values[i] = v
	}
	return values, nil
}

func parseIPv4(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	return addr, err == nil && addr.Is4()
}

func parseIPv6(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	return addr, err == nil && addr.Is6() && addr.Zone() == ""
}

func parseMX(s string) (MX, bool) {
	preference, host, ok := strings.Cut(s, " ")
	n, err := strconv.ParseUint(preference, 10, 16)
	return MX{Preference: uint16(n), Host: canonicalTarget(host)}, ok && err == nil
}

func parseTarget(s string) (string, bool) { return canonicalTarget(s), true }

// canonicalTarget gives a name that a record points at the form of Question.Name,
// the root being "". What has no such form keeps its octets: asking for it is what
// fails.
func canonicalTarget(name string) string {
	return domain.ToLower(strings.TrimSuffix(name, "."))
}
