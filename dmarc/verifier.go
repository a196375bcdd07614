package dmarc

import (
	"cmp"
	"context"
	"io"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A Verifier checks messages: SPF, DKIM and DMARC together. The zero Verifier works and is
// the recommended configuration. It is safe for concurrent use, and one serves a whole program:
// between messages it keeps parsed keys and records, public suffixes of names, and memory for the
// next ones, nothing else. It must not be copied after its first use. Its other fields than
// Resolver are copied then, and later changes have no effect.
type Verifier struct {
	// Resolver answers all DNS questions. Nil means resolver.Default(). It must not be
	// changed while a message is under way.
	Resolver resolver.Resolver

	// SPF and DKIM say how their checks are done. The clock of DKIM is Now where it has
	// none of its own.
	SPF  spf.Options
	DKIM dkim.Options

	// Discovery says how policies and Organizational Domains are found. The zero value is
	// RFC 9989, with the public suffix list as a floor.
	Discovery discovery.Options

	// InvalidAuthor says what becomes of messages without a single Author Domain.
	InvalidAuthor InvalidAuthor

	// TempError says what is recommended where DNS leaves the verdict open.
	TempError TempErrorRule

	// Reject says what is recommended for a message that fails and whose Domain Owner asks
	// for reject.
	Reject Reject

	// TrustedSealers are the domains whose word on a forwarded message is taken (RFC 8617):
	// "example.com" stands for itself, ".example.com" for all domains below it. If the chain
	// of seals is valid, and the oldest of the listed sealers on the way says that the
	// message passed DMARC when it came, or that an aligned identifier passed, then
	// Disposition is none, with an Override; the verdict stays as it is.
	//
	// What a sealer saw counts if it stands under an authserv-id at or below the domain that
	// sealed, or under the one that the entry names: "example.com=mx.example.net".
	TrustedSealers []string

	// KnownForwarders are the forwarders and mailing lists that the receiver knows:
	// addresses ("192.0.2.1"), networks ("2001:db8::/32"), and domains as in TrustedSealers,
	// which have to be authenticated by SPF or a signature.
	KnownForwarders []string

	// HELOQuestions is how many DNS questions the check of HELO may take, which DMARC does
	// not need: one that takes more is permerror. Zero means DefaultHELOQuestions, a
	// negative number no limit.
	//
	// DNS questions are counted apart by what they are for, equal ones once: a sender who
	// makes those of one kind expensive must not keep the others from being asked, and so
	// a forgery from being found out. With all defaults a message takes 100 at most: 50 for
	// MAIL FROM (spf.Limits.Questions), 16 for HELO, 24 for the policy
	// (discovery.Options.Questions), and 10 for keys (dkim.Limits.Signatures). What SPF
	// asks ahead in vain comes on top. Questions that were not asked have no answer:
	// temperror where they matter.
	HELOQuestions int

	// Time is how long the questions for each of MAIL FROM, HELO, keys, and the policy may
	// be under way, in all. Zero means DefaultTime, a negative number no limit.
	Time time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Draw returns random numbers from 0 to less than 1, for pct with public suffix
	// discovery. Nil means math/rand/v2.
	Draw func() float64

	once sync.Once
	used settings // what settings returns: the fields above with their defaults, copied once
}

// The defaults of the limits of a Verifier.
const (
	DefaultHELOQuestions = 16
	DefaultTime          = 30 * time.Second
)

// An Envelope is what the SMTP session knew of a message.
type Envelope = spf.Envelope

// Verify reads a message to its end and returns what is to be known about it. It is Begin,
// io.Copy and Finish, but stops reading if the header exceeds a limit. The error is that of the
// reader, or of a context that ended before; whatever is wrong with the message or with DNS is
// in the result, which is there in either case.
func (v *Verifier) Verify(ctx context.Context, e Envelope, message io.Reader) (*Result, error) {
	s := v.Begin(ctx, e)
	defer s.Close() // if the reader panics
	s.read(message)
	return s.Finish()
}

// Discover finds the policy of an Author Domain and the Organizational Domains of what SPF
// and DKIM speak for, for Evaluate: in case their results come from elsewhere. If author is
// not a domain name, Err is ErrFromDomain and Evaluate returns permerror.
func (v *Verifier) Discover(ctx context.Context, author string, s *spf.Result, d []*dkim.Result) *discovery.Result {
	o := v.Discovery
	o.Time = cmp.Or(o.Time, v.Time)
	return discovery.Discover(ctx, v.Resolver, author, o, appendNames(nil, identifiers(nil, s, d))...)
}
