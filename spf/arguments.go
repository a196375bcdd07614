package spf

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// arguments are those of check_host (RFC 7208, section 4.1) and what else macros stand
// for (section 7.2). They do not change during a check.
type arguments struct {
	ip       netip.Addr // <ip>: IPv4 or IPv6, never IPv4-mapped; the zero Addr if it is not known
	address  address    // ip as a number
	is4      bool       // ip is an IPv4 address
	sender   string     // <sender>: local, "@" and domain
	local    string     // the local-part of sender, as it was given
	domain   string     // the domain of sender, in A-labels
	helo     string     // as the client gave it
	receiver string     // Options.Receiver
}

// postmaster is the local-part of a sender that has none: RFC 7208, section 4.3.
const postmaster = "postmaster"

// identify fills a for an identity. Shown is what stands for its domain in a result. The
// error says why there is no domain that could have a record, which makes the result
// none: RFC 7208, section 4.3.
func (a *arguments) identify(id Identity, e *Envelope) (shown string, err error) {
	// An IPv4-mapped address is the IPv4 address: RFC 7208, section 5.
	a.ip, a.helo, a.local = e.IP.Unmap().WithZone(""), e.HELO, postmaster
	a.address, a.is4 = addressOf(a.ip), a.ip.Is4()
	name := e.HELO
	if id == IdentityMailFrom && e.MailFromUnknown {
		return "", ErrNoMailFrom
	}
	// Only an empty reverse-path is the null sender. One that merely has no
	// domain is not checked as if it were: RFC 7208, section 2.4.
	if id == IdentityMailFrom && e.MailFrom != "" {
		var fault string
		a.local, name, fault = splitPath(e.MailFrom)
		if fault != "" {
			return e.MailFrom, cause.Wrap(ErrNoDomain, fault, nil)
		}
		if a.local == "" {
			a.local = postmaster
		}
	}
	if name == "" {
		return "", ErrNoDomain
	}
	canonical, err := domain.Canonical(name)
	if err != nil {
		return name, cause.Wrap(ErrBadDomain, "", err)
	}
	if strings.IndexByte(canonical, '.') < 0 {
		return name, cause.Wrap(ErrBadDomain, "", errSingleLabel)
	}
	a.domain = canonical
	a.sender = e.MailFrom // as it most often is
	if len(a.sender) != len(a.local)+1+len(canonical) || !strings.HasSuffix(a.sender, canonical) {
		a.sender = a.local + "@" + canonical
	}
	return canonical, nil
}

var errSingleLabel = errors.New("domain name has only one label")

// splitPath splits what stands between the angle brackets of MAIL FROM at the "@"
// before the domain: the last one outside of quotes. It is the path of RFC 5321,
// section 4.1.2, not an address of a header: there are no comments in it. A source
// route, which that section says to ignore, is left out. Fault says why there is no
// such "@".
func splitPath(path string) (local, name, fault string) {
	if path[0] == '@' {
		if colon := strings.IndexByte(path, ':'); colon >= 0 && strings.IndexByte(path[:colon], '"') < 0 {
			path = path[colon+1:]
		}
	}
	at, quoted := strings.LastIndexByte(path, '@'), false
	if strings.IndexByte(path, '"') >= 0 {
		at, quoted = lastUnquoted(path)
	}
	switch {
	case quoted:
		return path, "", "MAIL FROM has a quote that is not closed"
	case at < 0:
		return path, "", "MAIL FROM has no @"
	}
	return path[:at], path[at+1:], ""
}

// lastUnquoted returns where the last "@" outside of quotes is, or -1, and whether
// a quote is left open.
func lastUnquoted(path string) (at int, quoted bool) {
	at = -1
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '@' && !quoted:
			at = i
		}
	}
	return at, quoted
}

// unmatchable reports whether a term matches nothing because it has %{s} or %{l} and
// the local-part is not ASCII: RFC 8616, section 4.
func (a *arguments) unmatchable(t *Term) bool {
	return t.letters.has(letter('s')|letter('l')) && !isASCII(a.local)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
