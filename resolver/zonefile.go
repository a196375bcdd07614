package resolver

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxZoneRecords bounds what a zone file can expand to: one line of $GENERATE is
// worth 65,536 records.
const maxZoneRecords = 1 << 17

// ParseZone reads a zone file in the format of RFC 1035, section 5, with $ORIGIN,
// $TTL and $GENERATE; $INCLUDE is refused. Names are relative to the root until
// $ORIGIN says otherwise, and a record without a TTL has one hour.
//
// A, AAAA, CNAME, MX, PTR and TXT records are kept. Other types are read and left
// out: a name that has only those does exist, without records.
//
// An error names file, which is used for nothing else, and the line. A name with an
// escape or an octet beyond ASCII is one: no question can ask for it, and most such
// names are internationalized ones that were not written as A-labels.
func ParseZone(r io.Reader, file string) (Zone, error) {
	lines := &lineReader{r: bufio.NewReader(r)}
	parser := dns.NewZoneParser(lines, ".", file)
	parser.SetDefaultTTL(3600)
	z := Zone{}
	for n := 0; ; n++ {
		rr, ok := parser.Next()
		if !ok {
			break
		}
		err := z.addRR(rr)
		if n == maxZoneRecords {
			err = fmt.Errorf("more than %d records", maxZoneRecords)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w, at line %d", file, err, lines.line)
		}
	}
	if err := parser.Err(); err != nil {
		return nil, err // has file, line and column
	}
	return z, nil
}

// Add puts the records of other into z, as if both had been one zone file. Where
// both have a value that a name has once, other's wins; the lower TTL is kept.
func (z Zone) Add(other Zone) {
	for name, more := range other {
		r, known := z[name]
		r.Absent = more.Absent && (r.Absent || !known)
		r.A = slices.Concat(r.A, more.A)
		r.AAAA = slices.Concat(r.AAAA, more.AAAA)
		r.MX = slices.Concat(r.MX, more.MX)
		r.TXT = slices.Concat(r.TXT, more.TXT)
		r.PTR = slices.Concat(r.PTR, more.PTR)
		if more.CNAME != "" {
			r.CNAME = more.CNAME
		}
		r.TTL = lowerTTL(r.TTL, more.TTL)
		if more.Authentic != AuthenticUnknown {
			r.Authentic = more.Authentic
		}
		if more.Fault != (Fault{}) {
			r.Fault = more.Fault
		}
		if len(more.Faults) > 0 {
			faults := maps.Clone(more.Faults)
			for t, f := range r.Faults {
				if _, ok := faults[t]; !ok {
					faults[t] = f
				}
			}
			r.Faults = faults
		}
		z[name] = r
	}
}

func (z Zone) addRR(rr dns.RR) error {
	h := rr.Header()
	name := canonicalTarget(h.Name)
	if strings.ContainsFunc(name, func(c rune) bool { return c == '\\' || c <= ' ' || c > '~' }) {
		return fmt.Errorf("name %q cannot be asked for, A-labels can", h.Name)
	}
	r := z[name]
	if r.CNAME != "" || (h.Rrtype == dns.TypeCNAME && r.any()) {
		return fmt.Errorf("%s has a CNAME beside another record", h.Name)
	}
	r.TTL = lowerTTL(r.TTL, time.Duration(h.Ttl)*time.Second)
	// The parser lets a record without data pass, as dynamic updates have them.
	complete := true
	switch rr := rr.(type) {
	case *dns.A:
		addr, ok := netip.AddrFromSlice(rr.A.To4())
		r.A, complete = append(r.A, addr.String()), ok
	case *dns.AAAA:
		// Not by net.IP, which writes an IPv4-mapped address as an IPv4 one.
		addr, ok := netip.AddrFromSlice(rr.AAAA.To16())
		r.AAAA, complete = append(r.AAAA, addr.String()), ok
	case *dns.CNAME:
		r.CNAME, complete = rr.Target, rr.Target != ""
	case *dns.MX:
		r.MX, complete = append(r.MX, strconv.Itoa(int(rr.Preference))+" "+rr.Mx), rr.Mx != ""
	case *dns.PTR:
		r.PTR, complete = append(r.PTR, rr.Ptr), rr.Ptr != ""
	case *dns.TXT:
		r.TXT, complete = append(r.TXT, joinTXT(rr.Txt)), len(rr.Txt) > 0
	}
	if !complete {
		return fmt.Errorf("%s record of %s has no data", Type(h.Rrtype), h.Name)
	}
	z[name] = r
	return nil
}

// any reports whether a record that a CNAME must not stand beside is there.
func (r Records) any() bool {
	return len(r.A)+len(r.AAAA)+len(r.MX)+len(r.TXT)+len(r.PTR) > 0
}

// joinTXT returns the octets of a TXT record: its strings one after the other,
// without separator (RFC 7208, section 3.3; RFC 6376, section 3.6.2.2). The strings
// are joined first, since reading a long one may have cut it inside an escape.
func joinTXT(strs []string) string { return unescape(strings.Join(strs, "")) }

// unescape turns the presentation form of RFC 1035, section 5.1, into octets: \DDD
// is the octet of that decimal number, \X is X. An escape that is cut short or is
// no octet stands for itself.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		if n, ok := decimalOctet(s[i:]); ok {
			b = append(b, n)
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// decimalOctet reads the three digits that s begins with.
func decimalOctet(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	n := 0
	for i := range 3 {
		if s[i] < '0' || '9' < s[i] {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return byte(n), n <= 255
}

// lineReader counts lines, for errors about records that are well formed. The
// parser reads octet by octet from a reader that is an io.ByteReader, and so has
// read exactly up to the end of the record that it returns.
type lineReader struct {
	r       *bufio.Reader
	line    int // of the octet read last, from 1
	newline bool
}

func (l *lineReader) ReadByte() (byte, error) {
	c, err := l.r.ReadByte()
	if err == nil && (l.newline || l.line == 0) {
		l.line++
	}
	l.newline = c == '\n'
	return c, err
}

// Read is here because the parser wants an io.Reader; it uses ReadByte alone.
func (l *lineReader) Read(p []byte) (int, error) { return l.r.Read(p) }
