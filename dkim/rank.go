package dkim

import (
	"bytes"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
)

// refuseOthers refuses all but n of the checks that have no fault. It keeps those whose
// SDID could align with one of the Author Domains before the others, and of the same
// rank the upper before the lower.
func refuseOthers(checks []*check, authors []string, n int) {
	chosen := make([]bool, len(checks))
	for _, aligned := range []bool{true, false} {
		for i, c := range checks {
			if n > 0 && c.result.Err == nil && couldAlign(c.signature.Domain, authors) == aligned {
				chosen[i] = true
				n--
			}
		}
	}
	for i, c := range checks {
		if c.result.Err == nil && !chosen[i] {
			c.refuse(StatusPolicy, cause.Wrap(ErrLimit, "signatures verified", nil))
		}
	}
}

// couldAlign reports whether name could align with one of the domains. Whether it does
// depends on DMARC records or the public suffix list, which this package does not have.
// So it is an estimate, for ranking only, that rather says yes: to two names with the
// same last two labels, and to a name and one below it.
func couldAlign(name string, authors []string) bool {
	for _, author := range authors {
		if domain.Last(name, 2) == domain.Last(author, 2) || domain.Within(name, author) || domain.Within(author, name) {
			return true
		}
	}
	return false
}

// maxAuthors bounds the domains that signatures are ranked by. A message with a good From
// field has one.
const maxAuthors = 20

// authorDomains returns every domain that follows an "@" in a From field, also within
// comments and quoted strings. It is for ranking only: a sender who writes domains there
// changes the rank of the message's own signatures, and nothing else.
func authorDomains(fields []header.Field) []string {
	var domains []string
	for _, f := range fields {
		if !f.Is("from") {
			continue
		}
		body := f.Body()
		for len(domains) < maxAuthors {
			at := bytes.IndexByte(body, '@')
			if at < 0 {
				break
			}
			body = bytes.TrimLeft(body[at+1:], " \t\r\n")
			end := 0
			for end < len(body) && isDomainOctet(body[end]) {
				end++
			}
			if name, err := domain.Canonical(string(body[:end])); err == nil {
				domains = append(domains, name)
			}
			body = body[end:]
		}
	}
	return domains
}

// isDomainOctet reports whether c can be part of a domain, U-labels included.
func isDomainOctet(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c >= 0x80
}
