// Package discovery finds which DMARC Policy Record applies to an Author Domain, and which
// Organizational Domain a name belongs to: RFC 9989, section 4.10, or RFC 7489, section
// 6.6.3.
//
// [Discover] does all of it for one Author Domain and the identifiers that are held against
// it:
//
//	result := discovery.Discover(ctx, r, "news.shop.example", discovery.Options{}, discovery.Identifier{
//		Domain: "bounce.shop.example", Tag: discovery.TagSPF, Authenticated: true,
//	})
//	policy, tag := result.Policy()
//
// It knows domain names only, and no results of SPF or DKIM: an [Identifier] says for which
// domain something passed, or may yet pass. [Result] holds every question that was asked and
// every decision, so that nobody who explains or reports it has to decide anything again.
//
// # The Tree Walk and its floor
//
// The default is the DNS Tree Walk of RFC 9989: at most eight names from a domain up to its
// top level are asked for records, and the records say by their psd tags, or by where they
// are, which name is the Organizational Domain.
//
// By the RFC alone a record at a public suffix, such as co.uk, makes all domains below it one
// organization, unless it says psd=y (section 11.8). So the public suffix list is a floor
// under the walk:
//
//   - The walk is done first, as the RFC says. Its Organizational Domain stands unless it is
//     a public suffix of the list or stands above one on the path from the start.
//   - Then the Organizational Domain is the name one label below the lowest public suffix on
//     that path, or the start where that is the suffix.
//   - A suffix whose record says psd=n is none: its owner says that all names below it are
//     one organization.
//   - The record that the walk found gives the policy all the same, as that of a Public
//     Suffix Domain: after one at the new Organizational Domain, and by sp and np.
//
// A suffix is a name on the list, in its ICANN or its private section, and every single
// label: with psd=u, stated or not, it is treated as one that says nothing. Suffixes may
// stand below each other, as ne.jp below jp: the lowest one counts, and the others are seen
// only where it says psd=n. So below a suffix strangers are never aligned, whatever is
// published at it or above it. [Organization] names the suffix where it decided, and
// [TreeWalkLiteral] does without the floor.
//
// # Failures of DNS
//
// Where a question has no answer, every answer that it might have had is considered: no
// record, or one with psd=u, y or n. What all of them lead to is found; anything else is
// open, and the result says for which domain the answer was missing. Only that a public
// suffix says psd=n is not presumed where the floor is used.
package discovery

import (
	"context"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/authordomain"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/resolver"
)

// The defaults of Options: three walks of eight names, and 30 seconds.
const (
	DefaultQuestions = 24
	DefaultTime      = resolver.DefaultTime
)

// Options say how policies and Organizational Domains are found. The zero Options are RFC
// 9989 with the public suffix list as a floor.
type Options struct {
	Mode Mode

	// Questions is how many DNS questions one Author Domain and its identifiers may take.
	// Those beyond it are left without an answer. Zero means DefaultQuestions, a negative
	// number no limit.
	Questions int

	// Time is how long the questions may be under way, in all. Zero means DefaultTime, a
	// negative number no limit. With package dmarc, zero means its Verifier.Time.
	Time time.Duration
}

// Discover finds the policy of an Author Domain and the Organizational Domains of the
// identifiers that could have the same. R is asked; nil means resolver.Default. A failure is
// in the Result: nothing panics, and nothing is under way when Discover returns.
func Discover(ctx context.Context, r resolver.Resolver, author string, o Options, identifiers ...Identifier) *Result {
	name, err := authordomain.Canonical(author)
	if err != nil {
		return &Result{Mode: o.Mode, Err: err}
	}
	budget := resolver.Budget{
		Resolver:  r,
		Questions: limit.Of(o.Questions, DefaultQuestions),
		Time:      limit.Of(o.Time, DefaultTime),
	}
	var g ask.Group
	g.Begin(ctx, &budget)
	defer g.Close()
	var s Search
	s.Begin(&g, o, nil, name)
	for _, i := range identifiers {
		if i.Authenticated || i.Open {
			s.Expect(i.Domain)
		}
	}
	return s.Finish(identifiers)
}
