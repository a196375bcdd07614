package compare

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// An spfCase is a session and a zone of records that include, redirect to and ask for
// one another.
type spfCase struct {
	zone          resolver.Zone
	session       spf.Envelope
	peculiarities []string
}

// An spfDraft is a case while it is made.
type spfDraft struct {
	random *rand.Rand
	spfCase
}

const (
	spfDomains = 6
	spfHosts   = 8
)

func spfDomain(n int) string { return fmt.Sprintf("d%d.example", n) }
func spfHost(n int) string   { return fmt.Sprintf("h%d.example", n) }

// Addresses come from two small networks, so that terms match now and then.
func (d *spfDraft) v4() string { return fmt.Sprintf("192.0.2.%d", d.random.IntN(16)) }
func (d *spfDraft) v6() string { return fmt.Sprintf("2001:db8::%x", 1+d.random.IntN(15)) }

func newSPFCase(random *rand.Rand) spfCase {
	d := &spfDraft{random: random}
	d.zone = resolver.Zone{}
	d.session = spf.Envelope{HELO: spfHost(random.IntN(spfHosts)), MailFrom: "joe.doe-list@" + spfDomain(0)}
	if random.IntN(2) == 0 {
		d.session.IP = netip.MustParseAddr(d.v4())
	} else {
		d.session.IP = netip.MustParseAddr(d.v6())
	}
	d.hosts()
	d.pointers()
	for n := range spfDomains {
		d.domain(n)
	}
	d.twist()
	return d.spfCase
}

// peculiar notes what is unusual about the case.
func (d *spfDraft) peculiar(name string) {
	if !slices.Contains(d.peculiarities, name) {
		d.peculiarities = append(d.peculiarities, name)
	}
}

// hosts gives hosts addresses of both families, or none.
func (d *spfDraft) hosts() {
	for n := range spfHosts - 2 {
		var r resolver.Records
		for range 1 + d.random.IntN(2) {
			r.A = append(r.A, d.v4())
			r.AAAA = append(r.AAAA, d.v6())
		}
		d.zone[spfHost(n)] = r
	}
}

// pointers gives the client's address names, some of which lead back to it.
func (d *spfDraft) pointers() {
	var names []string
	for range 1 + d.random.IntN(3) {
		names = append(names, spfHost(d.random.IntN(spfHosts-2)))
	}
	d.zone[reverseName(d.session.IP)] = resolver.Records{PTR: names}
	if d.random.IntN(2) == 0 {
		host := d.zone[names[0]]
		if d.session.IP.Is4() {
			host.A = append(host.A, d.session.IP.String())
		} else {
			host.AAAA = append(host.AAAA, d.session.IP.String())
		}
		d.zone[names[0]] = host
	}
}

// reverseName returns the name that has the PTR records of an address: RFC 1035,
// section 3.5, and RFC 3596, section 2.5.
func reverseName(ip netip.Addr) string {
	var b strings.Builder
	octets := ip.AsSlice()
	for i := len(octets) - 1; i >= 0; i-- {
		if ip.Is4() {
			fmt.Fprintf(&b, "%d.", octets[i])
		} else {
			fmt.Fprintf(&b, "%x.%x.", octets[i]&15, octets[i]>>4)
		}
	}
	if ip.Is4() {
		return b.String() + "in-addr.arpa"
	}
	return b.String() + "ip6.arpa"
}

// domain gives a domain a record, and perhaps addresses and exchangers.
func (d *spfDraft) domain(n int) {
	r := d.zone[spfDomain(n)]
	if d.random.IntN(3) > 0 {
		r.A, r.AAAA = []string{d.v4()}, []string{d.v6()}
	}
	for range d.random.IntN(4) {
		// Only hosts that exist: what a missing one counts as is a peculiarity.
		r.MX = append(r.MX, fmt.Sprintf("%d %s", d.random.IntN(20), spfHost(d.random.IntN(spfHosts-2))))
	}
	terms := []string{"v=spf1"}
	for range d.random.IntN(7) {
		terms = append(terms, d.qualifier()+d.mechanism(n))
	}
	switch d.random.IntN(4) {
	case 0:
		terms = append(terms, "redirect="+d.someDomain(n))
	case 1, 2:
		terms = append(terms, d.qualifier()+"all")
	}
	if d.random.IntN(8) == 0 {
		terms = slices.Insert(terms, 1+d.random.IntN(len(terms)), pick(d.random, []string{"exp=e.example", "foo=bar", "mxid=1", "all4=%{d}"}))
	}
	r.TXT = append(r.TXT, "some other text", strings.Join(terms, pick(d.random, []string{" ", " ", "  "})))
	d.zone[spfDomain(n)] = r
}

func (d *spfDraft) qualifier() string { return pick(d.random, []string{"", "", "+", "-", "~", "?"}) }

// someDomain mostly returns one that comes later, so that loops are the exception.
func (d *spfDraft) someDomain(n int) string {
	if n == spfDomains-1 || d.random.IntN(12) == 0 {
		return spfDomain(d.random.IntN(spfDomains + 1))
	}
	return spfDomain(n + 1 + d.random.IntN(spfDomains-n-1))
}

func (d *spfDraft) someHost() string {
	return pick(d.random, []string{spfHost(d.random.IntN(spfHosts - 2)), spfHost(d.random.IntN(spfHosts - 2)), spfHost(d.random.IntN(spfHosts))})
}

// mechanism returns one that both sides are meant to read alike.
func (d *spfDraft) mechanism(n int) string {
	switch d.random.IntN(9) {
	case 0, 1:
		return "ip4:" + d.v4() + d.length(24, 32)
	case 2:
		return "ip6:" + d.v6() + d.length(118, 128)
	case 3:
		return pick(d.random, []string{"a", "a", "A"}) + d.host(n) + d.lengths()
	case 4:
		return pick(d.random, []string{"mx", "MX", "mx:" + spfDomain(d.random.IntN(spfDomains))}) + d.lengths()
	case 5, 6:
		return pick(d.random, []string{"include:", "include:", "Include:"}) + d.someDomain(n)
	case 7:
		return "exists:" + pick(d.random, []string{
			d.someHost(), "%{h}", "%{o}", "%{d}", "%{d2}", "h%{i1}.example", "%{i}.%{l}.example", "%{ir}.%{v}.%{dr-}.example", "%{l1r-}.%{o}",
		})
	default:
		return pick(d.random, []string{"ptr", "ptr:%{d}", "ptr:" + d.someHost()})
	}
}

func (d *spfDraft) host(n int) string {
	return pick(d.random, []string{"", ":" + d.someHost(), ":" + d.someHost(), ":%{d}", ":" + spfDomain(n)})
}

func (d *spfDraft) length(from, to int) string {
	if d.random.IntN(2) == 0 {
		return ""
	}
	return fmt.Sprintf("/%d", from+d.random.IntN(to-from+1))
}

func (d *spfDraft) lengths() string {
	return pick(d.random, []string{"", "", "", "/28", "//124", "/28//124", "/0", "//0", "/32//128"})
}

// An spfTwist makes a case peculiar.
type spfTwist struct {
	name  string
	twist func(*spfDraft)
}

// term gives a twist that puts a term into one of the records, behind its version.
func term(text string) func(*spfDraft) {
	return func(d *spfDraft) {
		d.edit(func(record string) string { return strings.Replace(record, "v=spf1", "v=spf1 "+text, 1) })
	}
}

// lastTerm gives a twist that puts a term at the end of one of the records.
func lastTerm(text string) func(*spfDraft) {
	return func(d *spfDraft) { d.edit(func(record string) string { return record + " " + text }) }
}

// edit changes the record of one of the domains that are most likely to be read.
func (d *spfDraft) edit(change func(string) string) {
	name := spfDomain(d.random.IntN(2))
	txt := slices.Clone(d.zone[name].TXT)
	txt[len(txt)-1] = change(txt[len(txt)-1])
	d.set(name, func(r *resolver.Records) { r.TXT = txt })
}

func (d *spfDraft) set(name string, change func(*resolver.Records)) {
	r := d.zone[name]
	change(&r)
	d.zone[name] = r
}

var spfTwists = []spfTwist{
	{"a term that is unknown", term("nosuch:thing")},
	{"a broken term at the end", lastTerm("ip4:1.2.3")},
	{"redirect= twice", lastTerm("redirect=d5.example redirect=d4.example")},
	{"exp= twice", lastTerm("exp=d5.example exp=d4.example")},
	{"ip4 with an address of IPv6", term("ip4:2001:db8::1")},
	{"ip6 with an address of IPv4", term("ip6:192.0.2.1")},
	{"a length with a leading zero", term("ip4:192.0.2.0/028")},
	{"a length out of range", term("ip4:192.0.2.0/33")},
	{"a length of nothing", term("a:h1.example/")},
	{"a: without a domain", term("a:")},
	{"include: without a domain", term("include:")},
	{"a macro that is unknown", term("exists:%{z}.example")},
	{"a macro that does not end", term("exists:%{d")},
	{"a macro for explanations only", term("exists:%{c}.example")},
	{"a percent sign alone", term("exists:%d.example")},
	{"%{p}", term("exists:%{p}.h1.example")},
	{"%{s}", term("a:%{s}.h1.example")},
	{"a macro in upper case", term("exists:%{L}.example")},
	{"a macro with zero labels", term("exists:%{d0}.example")},
	{"a name of one label", term("include:d1")},
	{"a name with an octet that names do not have", term("a:h(1.example")},
	{"a name with an empty label", term("a:h1..example")},
	{"a name that is too long", term("a:" + strings.Repeat("a.", 125) + "h1.example")},
	{"a final dot", term("a:h1.example.")},
	{"a qualifier before a modifier", term("+foo=bar")},
	{"octets above ASCII", term("foo=é")},
	{"tabs between terms", func(d *spfDraft) {
		d.edit(func(record string) string { return strings.Replace(record, " ", "\t", 2) })
	}},
	{"the version in upper case", func(d *spfDraft) {
		d.edit(func(record string) string { return strings.Replace(record, "v=spf1", "V=SPF1", 1) })
	}},
	{"another version", func(d *spfDraft) {
		d.edit(func(record string) string { return strings.Replace(record, "v=spf1", "v=spf10", 1) })
	}},
	{"two records", func(d *spfDraft) {
		d.set(spfDomain(d.random.IntN(2)), func(r *resolver.Records) { r.TXT = append(r.TXT, "v=spf1 -all") })
	}},
	{"a domain fails in DNS", func(d *spfDraft) {
		d.set(spfDomain(d.random.IntN(spfDomains)), func(r *resolver.Records) { r.Fault.Err = resolver.ErrServFail })
	}},
	{"a host fails in DNS", func(d *spfDraft) {
		d.set(spfHost(d.random.IntN(spfHosts)), func(r *resolver.Records) { r.Fault.Err = resolver.ErrServFail })
	}},
	{"the client's address fails in DNS", func(d *spfDraft) {
		d.set(reverseName(d.session.IP), func(r *resolver.Records) { r.Fault.Err = resolver.ErrServFail })
	}},
	{"a host of one family", func(d *spfDraft) {
		d.set(spfHost(d.random.IntN(spfHosts)), func(r *resolver.Records) { r.AAAA = nil })
		d.set(spfHost(d.random.IntN(spfHosts)), func(r *resolver.Records) { r.A = nil })
	}},
	{"exchangers without addresses", func(d *spfDraft) {
		d.set(spfDomain(0), func(r *resolver.Records) {
			r.MX = append(r.MX, "1 no1.example", "2 no2.example", "3 no3.example")
			r.TXT = []string{"v=spf1 mx " + strings.TrimPrefix(r.TXT[len(r.TXT)-1], "v=spf1")}
		})
	}},
	{"eleven exchangers", func(d *spfDraft) {
		d.set(spfDomain(0), func(r *resolver.Records) {
			r.MX = nil
			for n := range 11 {
				r.MX = append(r.MX, fmt.Sprintf("10 mx%d.example", n))
			}
		})
	}},
	{"eleven names of the client", func(d *spfDraft) {
		d.set(reverseName(d.session.IP), func(r *resolver.Records) {
			for range 11 {
				r.PTR = append([]string{spfHost(d.random.IntN(spfHosts))}, r.PTR...)
			}
		})
	}},
	{"many terms that ask", term("a a a a a a a a mx")},
	{"void lookups", term("a:no1.example a:no2.example")},
	{"the null sender", func(d *spfDraft) { d.session.MailFrom, d.session.HELO = "", spfDomain(d.random.IntN(3)) }},
	{"a sender without a local part", func(d *spfDraft) { d.session.MailFrom = "@" + spfDomain(0) }},
	{"a sender without a domain", func(d *spfDraft) { d.session.MailFrom = "joe" }},
	{"a sender with two @", func(d *spfDraft) { d.session.MailFrom = `"joe@home"@` + spfDomain(0) }},
	{"a sender with an octet that names do not have", func(d *spfDraft) {
		d.session.MailFrom = "joe+list@" + spfDomain(0)
		term("exists:%{l}.example exists:%{l}.a.example exists:%{l}.b.example")(d)
	}},
	{"the client's address has no name", func(d *spfDraft) { delete(d.zone, reverseName(d.session.IP)) }},
	{"a sender in upper case", func(d *spfDraft) { d.session.MailFrom = "Joe@D0.Example" }},
	{"an IPv4-mapped client", func(d *spfDraft) {
		d.session.IP = netip.AddrFrom16(d.session.IP.As16())
	}},
}

// twist makes about half of the cases peculiar.
func (d *spfDraft) twist() {
	for range pick(d.random, []int{0, 0, 0, 1, 1, 1, 2}) {
		t := pick(d.random, spfTwists)
		if !slices.Contains(d.peculiarities, t.name) {
			d.peculiar(t.name)
			t.twist(d)
		}
	}
}
