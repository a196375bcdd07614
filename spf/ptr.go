package spf

import (
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// This file finds the names of the client's address, for ptr and %{p}: RFC 7208,
// sections 5.5 and 7.3. A question of these that fails is the same as a name that does
// not match, and all of them have a short time: see timeLimit.reverse.

// matchPTR reports whether a name of the client's address is in a domain: RFC 7208,
// section 5.5.
func (m *matcher) matchPTR(name string, f *frame) (bool, ending) {
	names, stop := m.clientNames(f)
	if stop.err != nil {
		return false, stop
	}
	// Only these can match, so only these are worth a question.
	names = within(names, name)
	for i, host := range names {
		m.prefetch.hosts(names[i+1:], true)
		if valid, stop := m.validate(host, f); valid || stop.err != nil {
			return valid, stop
		}
	}
	return false, ending{}
}

// validatedName is %{p}: a name of the client that leads back to it, the domain itself
// or one below it if there is such, else any, else "unknown". RFC 7208, section 7.3.
func (m *matcher) validatedName(f *frame) (string, ending) {
	names, stop := m.clientNames(f)
	if stop.err != nil {
		return "", stop
	}
	for _, better := range []func(string) bool{
		func(n string) bool { return n == f.domain },
		func(n string) bool { return n != f.domain && domain.Within(n, f.domain) },
		func(n string) bool { return !domain.Within(n, f.domain) },
	} {
		for _, name := range names {
			if !better(name) {
				continue
			}
			if valid, stop := m.validate(name, f); valid || stop.err != nil {
				return name, stop
			}
		}
	}
	return "unknown", ending{}
}

// clientNames returns the first names that the client's address claims to have.
func (m *matcher) clientNames(f *frame) ([]string, ending) {
	l, stop := m.lookup(resolver.Question{Name: reverseName(m.ip), Type: resolver.TypePTR}, f, true)
	if stop.err != nil {
		return nil, stop
	}
	if l.missing() {
		return nil, m.void(f)
	}
	return pointers(l.answer.PTR, m.limits.PTRNames), ending{}
}

// validate reports whether a name leads back to the client.
func (m *matcher) validate(name string, f *frame) (bool, ending) {
	l, stop := m.lookup(resolver.Question{Name: name, Type: m.family()}, f, true)
	if stop.err != nil {
		return false, stop
	}
	if l.missing() {
		return false, m.void(f)
	}
	for _, addr := range l.answer.Addrs {
		if addr.Unmap() == m.ip {
			return true, ending{}
		}
	}
	return false, ending{}
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
