package spf

import (
	"encoding/binary"
	"net/netip"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// match evaluates one mechanism of the record of a domain: RFC 7208, section 5.
func (c *check) match(t *Term, current string) (bool, *ending) {
	switch t.Kind {
	case KindAll:
		return true, nil
	case KindIP4, KindIP6:
		return c.inNetwork(t), nil
	}
	if c.unmatchable(t) {
		return false, c.count()
	}
	if t.Kind == KindInclude {
		return c.include(t, current)
	}
	if stop := c.count(); stop != nil {
		return false, stop
	}
	name, fit, stop := c.target(t, current)
	if stop != nil || !fit {
		return false, stop
	}
	switch t.Kind {
	case KindA:
		return c.matchHost(t, name)
	case KindMX:
		return c.matchMX(t, name)
	case KindPTR:
		return c.matchPTR(name)
	default: // exists: RFC 7208, section 5.7, asks for A whatever the client's family
		answer, stop := c.ask(resolver.Question{Name: name, Type: resolver.TypeA})
		return len(answer.Addrs) > 0, stop
	}
}

// inNetwork reports whether the client is in the network of an ip4 or ip6 term. It
// is t.Network().Contains(f.ip), for records that have hundreds of them.
func (f *facts) inNetwork(t *Term) bool {
	switch t.Kind {
	case KindIP4:
		differs := binary.BigEndian.Uint32(t.octets[:]) ^ binary.BigEndian.Uint32(f.octets[:])
		return f.is4 && differs>>(32-t.Bits4) == 0
	case KindIP6:
		high := binary.BigEndian.Uint64(t.octets[:]) ^ binary.BigEndian.Uint64(f.octets[:])
		if t.Bits6 <= 64 {
			return !f.is4 && high>>(64-t.Bits6) == 0
		}
		low := binary.BigEndian.Uint64(t.octets[8:]) ^ binary.BigEndian.Uint64(f.octets[8:])
		return !f.is4 && high == 0 && low>>(128-t.Bits6) == 0
	}
	return false
}

// unmatchable reports whether the term does not match anything because it has
// %{s} or %{l} and the local-part is not ASCII: RFC 8616, section 4.
func (f *facts) unmatchable(t *Term) bool {
	return t.letters.has(letterSet("sl")) && !isASCII(f.local)
}

// target returns the name that a term is about, and whether there is such a name.
func (c *check) target(t *Term, current string) (name string, fit bool, stop *ending) {
	validated := ""
	if t.letters.has(letterSet("p")) {
		// The macro costs what a ptr term does: RFC 7208, section 4.6.4.
		if !c.explaining {
			if stop := c.count(); stop != nil {
				return "", false, stop
			}
		}
		if validated, stop = c.validatedName(current); stop != nil {
			return "", false, stop
		}
	}
	name, fit = c.name(t, current, validated)
	c.traceName(t, name)
	return name, fit, nil
}

// ask asks a question of a term. There being no answer is not an error here: it
// counts as a void lookup, and the answer is empty.
func (c *check) ask(q resolver.Question) (resolver.Answer, *ending) {
	l, stop := c.get(q)
	if l != nil {
		c.note(l)
	}
	switch {
	case stop != nil:
		return resolver.Answer{}, stop
	case l.missing():
		return resolver.Answer{}, c.void()
	case l.refused():
		return resolver.Answer{}, nil
	case l.err != nil:
		return resolver.Answer{}, unanswered(l.err)
	}
	return l.answer, nil
}

// family is the type of address record that can match the client. The other is
// never asked for, so that a host without it costs no void lookup: RFC 7208,
// section 5.
func (f *facts) family() resolver.Type {
	if f.is4 {
		return resolver.TypeA
	}
	return resolver.TypeAAAA
}

// matchHost compares the client with the addresses of a host: RFC 7208, section
// 5.3.
func (c *check) matchHost(t *Term, host string) (bool, *ending) {
	answer, stop := c.ask(resolver.Question{Name: host, Type: c.family()})
	for _, addr := range answer.Addrs {
		if c.near(addr, t) {
			return true, nil
		}
	}
	return false, stop
}

// near reports whether the client is in the network of addr that the prefix
// lengths of t give.
func (f *facts) near(addr netip.Addr, t *Term) bool {
	bits := t.Bits6
	if addr = addr.Unmap(); addr.Is4() {
		bits = t.Bits4
	}
	network, err := addr.Prefix(int(bits))
	return err == nil && network.Contains(f.ip)
}

// matchMX compares the client with the mail exchangers of a domain: RFC 7208,
// section 5.4.
func (c *check) matchMX(t *Term, name string) (bool, *ending) {
	answer, stop := c.ask(resolver.Question{Name: name, Type: resolver.TypeMX})
	if stop != nil {
		return false, stop
	}
	hosts := exchangers(answer.MX)
	if len(hosts) > c.limits.MXHosts {
		return false, permError(ErrMXLimit, "")
	}
	for i, host := range hosts {
		c.askHostsAhead(hosts[i:])
		if match, stop := c.matchHost(t, host); match || stop != nil {
			return match, stop
		}
	}
	return false, nil
}

// exchangers returns the hosts of MX records, without the null MX of RFC 7505.
func exchangers(records []resolver.MX) []string {
	hosts := make([]string, 0, len(records))
	for _, mx := range records {
		if mx.Host != "" && mx.Host != "." {
			hosts = append(hosts, mx.Host)
		}
	}
	return hosts
}

// matchPTR reports whether a name of the client's address is in a domain: RFC
// 7208, section 5.5.
func (c *check) matchPTR(name string) (bool, *ending) {
	names, stop := c.clientNames()
	if stop != nil {
		return false, stop
	}
	// Only these can match, so only these are worth a question.
	names = within(names, name)
	for i, host := range names {
		c.askHostsAhead(names[i:])
		if valid, stop := c.validate(host); valid || stop != nil {
			return valid, stop
		}
	}
	return false, nil
}

// within returns those of the names that are in a domain.
func within(names []string, name string) []string {
	var in []string
	for _, n := range names {
		if domain.Within(n, name) {
			in = append(in, n)
		}
	}
	return in
}

// clientNames returns the first names that the client's address claims to have. A
// failure to find out is the same as none: RFC 7208, section 5.5.
func (c *check) clientNames() ([]string, *ending) {
	l, stop := c.get(resolver.Question{Name: reverseName(c.ip), Type: resolver.TypePTR})
	if l != nil {
		c.note(l)
	}
	if stop != nil {
		return nil, stop
	}
	if l.missing() {
		return nil, c.void()
	}
	return pointers(l.answer.PTR, c.limits.PTRNames), nil
}

// pointers returns the names among the first few PTR records.
func pointers(records []string, most int) []string {
	var names []string
	for _, record := range records[:min(len(records), most)] {
		if name, err := domain.Canonical(record); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// validate reports whether a name leads back to the client. A failure to find out
// skips the name: RFC 7208, section 5.5.
func (c *check) validate(name string) (bool, *ending) {
	l, stop := c.get(resolver.Question{Name: name, Type: c.family()})
	if l != nil {
		c.note(l)
	}
	if stop != nil {
		return false, stop
	}
	if l.missing() {
		return false, c.void()
	}
	for _, addr := range l.answer.Addrs {
		if addr.Unmap() == c.ip {
			return true, nil
		}
	}
	return false, nil
}

// validatedName is %{p}: a name of the client that leads back to it, the domain
// itself or one below it if there is such, else any, else "unknown". RFC 7208,
// section 7.3.
func (c *check) validatedName(current string) (string, *ending) {
	names, stop := c.clientNames()
	if stop != nil {
		return "", stop
	}
	for _, better := range []func(string) bool{
		func(n string) bool { return n == current },
		func(n string) bool { return n != current && domain.Within(n, current) },
		func(n string) bool { return !domain.Within(n, current) },
	} {
		for _, name := range names {
			if !better(name) {
				continue
			}
			if valid, stop := c.validate(name); valid || stop != nil {
				return name, stop
			}
		}
	}
	return "unknown", nil
}
