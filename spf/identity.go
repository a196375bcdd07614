package spf

import (
	"errors"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
)

// postmaster is the local-part of a sender that has none: RFC 7208, section 4.3.
const postmaster = "postmaster"

// identify fills f with the sender of an identity. Shown is what stands for the
// domain in a result. The error says why there is none that could have a record,
// which makes the result none: RFC 7208, section 4.3.
func (f *facts) identify(id Identity, s Envelope) (shown string, err error) {
	name := s.HELO
	f.local = postmaster
	if id == IdentityMailFrom && s.MailFromUnknown {
		return "", ErrNoMailFrom
	}
	// Only an empty reverse-path is the null sender. One that merely has no
	// domain is not checked as if it were: RFC 7208, section 2.4.
	if id == IdentityMailFrom && s.MailFrom != "" {
		var fault string
		f.local, name, fault = splitPath(s.MailFrom)
		if fault != "" {
			return s.MailFrom, cause.Wrap(ErrNoDomain, fault, nil)
		}
		if f.local == "" {
			f.local = postmaster
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
	f.domain = canonical
	f.sender = s.MailFrom // as it most often is
	if len(f.sender) != len(f.local)+1+len(canonical) || !strings.HasSuffix(f.sender, canonical) {
		f.sender = f.local + "@" + canonical
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
