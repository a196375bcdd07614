package aggregate

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// text returns the text of the element that ends.
func (p *parser) text() string {
	const short, most = 64, 4096 // of what is kept
	b := bytes.TrimSpace(p.leaf)
	p.leaf = p.leaf[:0]
	if len(b) > short {
		return string(b)
	}
	s, ok := p.strings[string(b)]
	if !ok {
		s = string(b)
		if len(p.strings) < most {
			p.strings[s] = s
		}
	}
	return s
}

// words are the values of an element, and for those that are wrong but clear, the right one.
type words map[string]string

// word returns a value in lower case. One that is not known is a problem, and stands.
func (p *parser) word(s string, known words) string {
	w := lower(s)
	instead, ok := known[w]
	if w != "" && (!ok || w != s || instead != "") {
		p.problem(ProblemValue, visible(s))
	}
	if instead != "" {
		return instead
	}
	return w
}

func lower(s string) string { return domain.ToLower(s) }

// domain returns a domain name in A-labels, or, where it is none, what stands there.
func (p *parser) domain(s string) string {
	if s == "" {
		return ""
	}
	name, err := domain.Canonical(s)
	if err != nil {
		p.problem(ProblemValue, visible(s))
		return s
	}
	return name
}

// address returns an IP address, or the zero Addr.
func (p *parser) address(s string) netip.Addr {
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		if s != "" {
			p.problem(ProblemValue, visible(s))
		}
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// count returns a number of messages, or 0 where it is none.
func (p *parser) count(s string) int64 {
	n, ok := integer(s)
	if !ok || n < 0 {
		p.problem(ProblemValue, visible(s))
		return 0
	}
	return n
}

// time returns a time that is given in seconds since 1970, or the zero time.
func (p *parser) time(s string) time.Time {
	const end = 253402300800 // of the year 9999, beyond which times have no form in JSON
	n, ok := integer(s)
	if !ok || n < 0 || n >= end {
		p.problem(ProblemValue, visible(s))
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// integer reads an integer, which some write with a decimal point. What stands behind it does not
// count.
func integer(s string) (n int64, ok bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	return n, err == nil && strings.Trim(fraction, "0123456789") == ""
}

func (p *parser) beginRow() { p.row = Row{} }

func (p *parser) endRow() {
	if p.rows++; p.rows > p.limits.Rows {
		p.err = exceeds("Rows", p.limits.Rows)
		return
	}
	if p.take == nil {
		p.report.Rows = append(p.report.Rows, p.row)
	} else if p.err == nil {
		p.err = p.take(p.report, p.row)
	}
}

func (p *parser) endReason() {
	if p.room(len(p.row.Reasons)) {
		p.row.Reasons = append(p.row.Reasons, p.reason)
	}
}

func (p *parser) endAuth(list *[]Auth) {
	if p.room(len(*list)) {
		*list = append(*list, p.auth)
	}
}

// room reports whether a list of n entries may have another one. It is a problem if not.
func (p *parser) room(n int) bool {
	if n >= maxList {
		p.problem(ProblemTooMany, "")
	}
	return n < maxList
}

func (p *parser) endReport() {
	if r := p.report; r.End.Before(r.Begin) && !r.End.IsZero() {
		p.problem(ProblemPeriod, r.Begin.Format(time.DateTime)+" to "+r.End.Format(time.DateTime))
	}
	p.report = nil
}
