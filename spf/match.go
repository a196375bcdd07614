package spf

import (
	"slices"
	"strconv"

	"github.com/mailverdict/mailverdict/resolver"
)

// A matcher compares the client with mechanisms, and counts what that costs: RFC 7208,
// sections 4.6.4 and 5.
type matcher struct {
	arguments
	limits     *Limits
	sequential bool

	records *keptRecords

	path []place // the records around the one under evaluation, outermost first

	questions questions
	prefetch  *prefetch // nil until an answer has taken time

	lookups    int  // terms that asked DNS
	voids      int  // those of them with a lookup that found nothing
	explaining bool // the result is found: nothing is counted any more

	authentic resolver.Authentic // of all answers so far
}

// match evaluates every mechanism except include, in the record of f: RFC 7208, section 5. A
// Kind that has no case here never matches.
func (m *matcher) match(t *Term, f *frame) (bool, ending) {
	switch t.Kind {
	case KindAll:
		return true, ending{}
	case KindIP4, KindIP6:
		return m.contains(t), ending{}
	}
	if stop := m.count(); stop.err != nil {
		return false, stop
	}
	name, fit, stop := m.target(t, f)
	if stop.err != nil || !fit {
		return false, stop
	}
	switch t.Kind {
	case KindA:
		return m.matchHost(t, name, f)
	case KindMX:
		return m.matchMX(t, name, f)
	case KindPTR:
		return m.matchPTR(name, f)
	case KindExists: // RFC 7208, section 5.7, asks for A whatever the client's family
		answer, stop := m.ask(resolver.Question{Name: name, Type: resolver.TypeA}, f)
		return answer != nil && len(answer.Addrs) > 0, stop
	}
	return false, ending{} // an include that is unmatchable
}

// count notes one more term that asks DNS: RFC 7208, section 4.6.4.
func (m *matcher) count() ending {
	if m.lookups >= m.limits.Terms {
		return permError(ErrTermLimit, "limit "+strconv.Itoa(m.limits.Terms))
	}
	m.lookups++
	return ending{}
}

// void notes that a lookup of the term under evaluation found nothing. RFC 7208,
// section 4.6.4, limits the number of terms for which that is so: an mx of which three
// hosts have no address of the client's family is one.
func (m *matcher) void(f *frame) ending {
	if m.explaining || f.void {
		return ending{}
	}
	if m.voids >= m.limits.VoidLookups {
		return permError(ErrVoidLimit, "limit "+strconv.Itoa(m.limits.VoidLookups))
	}
	m.voids++
	f.void = true
	return ending{}
}

// target returns the name that a term is about. Fit is false if there is no such name.
func (m *matcher) target(t *Term, f *frame) (name string, fit bool, stop ending) {
	if m.unmatchable(t) {
		return "", false, ending{}
	}
	validated := ""
	if t.letters.has(letter('p')) {
		// The macro costs what a ptr term does: RFC 7208, section 4.6.4.
		if !m.explaining {
			if stop := m.count(); stop.err != nil {
				return "", false, stop
			}
		}
		if validated, stop = m.validatedName(f); stop.err != nil {
			return "", false, stop
		}
	}
	name, fit = m.name(t, f.domain, validated)
	f.traceName(t, name)
	return name, fit, ending{}
}

// matchHost compares the client with the addresses of a host: RFC 7208, section 5.3.
func (m *matcher) matchHost(t *Term, host string, f *frame) (bool, ending) {
	answer, stop := m.ask(resolver.Question{Name: host, Type: m.family()}, f)
	if answer == nil {
		return false, stop
	}
	for _, addr := range answer.Addrs {
		if m.near(addr, t) {
			return true, ending{}
		}
	}
	return false, ending{}
}

// matchMX compares the client with the mail exchangers of a domain: RFC 7208, section
// 5.4.
func (m *matcher) matchMX(t *Term, name string, f *frame) (bool, ending) {
	answer, stop := m.ask(resolver.Question{Name: name, Type: resolver.TypeMX}, f)
	if answer == nil {
		return false, stop
	}
	var room [4]string // mostly enough
	hosts := appendExchangers(room[:0], answer.MX)
	if len(hosts) > m.limits.MXHosts {
		return false, permError(ErrMXLimit, "")
	}
	for i, host := range hosts {
		m.prefetch.hosts(hosts[i+1:], false)
		if match, stop := m.matchHost(t, host, f); match || stop.err != nil {
			return match, stop
		}
	}
	return false, ending{}
}

// appendExchangers appends the hosts of MX records, without the null MX of RFC 7505.
func appendExchangers(hosts []string, records []resolver.MX) []string {
	hosts = slices.Grow(hosts, len(records))
	for _, mx := range records {
		if mx.Host != "" && mx.Host != "." {
			hosts = append(hosts, mx.Host)
		}
	}
	return hosts
}

// ask asks a question of the term under evaluation. There being no answer is not an
// error here: it counts as a void lookup, and the answer is nil.
func (m *matcher) ask(q resolver.Question, f *frame) (*resolver.Answer, ending) {
	l, stop := m.lookup(q, f, false)
	switch {
	case stop.err != nil:
		return nil, stop
	case l.missing():
		return nil, m.void(f)
	case l.refused():
		return nil, ending{}
	case l.err != nil:
		return nil, unanswered(l.err)
	}
	return l.answer, ending{}
}

// lookup returns the outcome of a question for the term under evaluation of f; f is nil
// for the record of the identity. Once an answer has taken time, the questions that f
// and the records around it will lead to are asked ahead.
func (m *matcher) lookup(q resolver.Question, f *frame, reverse bool) (*lookup, ending) {
	l, stop := m.questions.get(q, reverse)
	if l == nil {
		return nil, stop
	}
	if m.questions.asked == 1 {
		m.authentic = l.authentic()
	} else {
		m.authentic = m.authentic.And(l.authentic())
	}
	f.traceAnswer(l)
	if m.questions.slow && m.prefetch == nil && !m.sequential && !m.explaining {
		m.prefetch = newPrefetch(m)
		m.prefetch.rest(f.appendTo(m.path), m.lookups)
	}
	return l, stop
}

// family is the type of address record that can match the client. The other is
// never asked for, so that a host without it costs no void lookup: RFC 7208,
// section 5.
func (a *arguments) family() resolver.Type {
	if a.is4 {
		return resolver.TypeA
	}
	return resolver.TypeAAAA
}
