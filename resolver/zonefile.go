package resolver

import (
	"bufio"
	"errors"
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
// A, AAAA, CNAME, DNAME, MX, PTR, SPF and TXT records are kept. Records of other types are
// checked as text and left aside: a name that has only those does exist, without records.
// Octets of a name other than letters, digits, "-" and "_" are escaped, as \032 for a space.
// A record is left aside too if its name is none that a [Question] can have, or if it
// points at a name with a dot inside a label ("\.").
//
// A text with spaces or ";" has to be in quotes, as in every zone file: without them the
// words are strings that are joined without a space, and ";" begins a comment.
//
// An error names file, which is used for nothing else, and the line. A name with an octet
// beyond ASCII that is not escaped is an error: most such names are internationalized
// ones that were not written as A-labels.
func ParseZone(r io.Reader, file string) (Zone, error) {
	entries := &entryReader{r: bufio.NewReader(r)}
	parser := dns.NewZoneParser(entries, ".", file)
	parser.SetDefaultTTL(uint32(zoneTTL / time.Second))
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
			return nil, fmt.Errorf("%s: %w, at line %d", file, err, entries.line)
		}
	}
	if entries.err != nil && entries.err != io.EOF {
		return nil, fmt.Errorf("%s: %w, at line %d", file, entries.err, entries.line)
	}
	if err := parser.Err(); err != nil {
		return nil, err // has file, line and column
	}
	return z, nil
}

func (z Zone) addRR(rr dns.RR) error {
	h := rr.Header()
	if strings.ContainsFunc(h.Name, func(c rune) bool { return c > '~' }) {
		return fmt.Errorf("name %q cannot be asked for, A-labels can", h.Name)
	}
	name, ok := unescapeName(h.Name)
	if !ok || checkName(name) != nil || h.Class != dns.ClassINET {
		return nil
	}
	r := z[name]
	alias := r.CNAME != ""
	kept, err := r.addRR(rr)
	if err != nil {
		return fmt.Errorf("%s record of %s %w", Type(h.Rrtype), h.Name, err)
	}
	if kept && (alias || r.CNAME != "" && (r.any() || r.DNAME != "")) {
		return fmt.Errorf("%s has a CNAME beside another record", h.Name)
	}
	if ttl := secondsTTL(h.Ttl); kept && (r.TTL == 0 || ttl < r.ttl()) {
		r.TTL = ttl
		if ttl == 0 {
			r.TTL = -1
		}
	}
	z[name] = r
	return nil
}

// addRR adds a record of a zone file, unless it is left aside.
func (r *Records) addRR(rr dns.RR) (kept bool, err error) {
	switch rr := rr.(type) {
	case *dns.A:
		addr, ok := netip.AddrFromSlice(rr.A.To4())
		if !ok {
			return false, errNoRdata
		}
		r.A = append(r.A, addr.String())
	case *dns.AAAA:
		// Not by net.IP, which writes an IPv4-mapped address as an IPv4 one.
		addr, ok := netip.AddrFromSlice(rr.AAAA.To16())
		if !ok {
			return false, errNoRdata
		}
		r.AAAA = append(r.AAAA, addr.String())
	case *dns.TXT:
		if len(rr.Txt) == 0 {
			return false, errNoRdata
		}
		r.TXT = append(r.TXT, joinTXT(rr.Txt))
	case *dns.SPF:
		if len(rr.Txt) == 0 {
			return false, errNoRdata
		}
		r.SPF = append(r.SPF, joinTXT(rr.Txt))
	case *dns.MX:
		return addTarget(rr.Mx, func(host string) { r.MX = append(r.MX, strconv.Itoa(int(rr.Preference))+" "+host) })
	case *dns.PTR:
		return addTarget(rr.Ptr, func(host string) { r.PTR = append(r.PTR, host) })
	case *dns.CNAME:
		return addTarget(rr.Target, func(name string) { r.CNAME = name })
	case *dns.DNAME:
		return addTarget(rr.Target, func(name string) { r.DNAME = name })
	default:
		return false, nil
	}
	return true, nil
}

// errNoRdata is the error of a record without data, which the parser lets pass since
// dynamic updates have such records.
var errNoRdata = errors.New("has no data")

// addTarget calls add with the name that a record points at, unless that has a dot
// inside a label.
func addTarget(escaped string, add func(name string)) (kept bool, err error) {
	if escaped == "" {
		return false, errNoRdata
	}
	name, ok := unescapeName(escaped)
	if !ok {
		return false, nil
	}
	if name == "" {
		name = "." // the root
	}
	add(name)
	return true, nil
}

// any reports whether a record that a CNAME must not stand beside is there.
func (r Records) any() bool {
	return len(r.A)+len(r.AAAA)+len(r.MX)+len(r.TXT)+len(r.PTR)+len(r.SPF) > 0
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
		r.SPF = slices.Concat(r.SPF, more.SPF)
		if more.CNAME != "" {
			r.CNAME = more.CNAME
		}
		if more.DNAME != "" {
			r.DNAME = more.DNAME
		}
		if !known || more.ttl() < r.ttl() {
			r.TTL = more.TTL
		}
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
