package keys

import (
	"errors"
	"slices"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/resolver"
)

// A Lookup is the question for the keys at one name, and its outcome.
type Lookup struct {
	Name string // selector._domainkey.domain

	answer *resolver.Answer
	err    error
}

// Question returns the question to ask.
func (l *Lookup) Question() resolver.Question {
	return resolver.Question{Name: l.Name, Type: resolver.TypeTXT}
}

// Take takes the outcome.
func (l *Lookup) Take(answer *resolver.Answer, err error) { l.answer, l.err = answer, err }

// Authentic says whether DNSSEC vouches for the outcome, also if it is that there is
// no key.
func (l *Lookup) Authentic() resolver.Authentic { return ask.Authentic(l.answer, l.err) }

// records returns the key records that are looked at, at most n. They are sorted, since
// DNS servers change the order of an answer, which must not change the result.
func (l *Lookup) records(n int) ([]string, error) {
	switch {
	case errors.Is(l.err, resolver.ErrNotFound):
		return nil, cause.Wrap(ErrMissing, "", l.err)
	case l.err != nil && resolver.Temporary(l.err):
		return nil, cause.Wrap(ErrDNS, "", l.err)
	case l.err != nil:
		return nil, cause.Wrap(ErrMissing, "", l.err)
	case len(l.answer.TXT) == 0:
		return nil, ErrMissing
	}
	records := l.answer.TXT
	if len(records) > 1 {
		records = slices.Sorted(slices.Values(records))
	}
	return records[:min(len(records), n)], nil
}
