package dmarc

import (
	"cmp"
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A Verifier checks messages: SPF, DKIM and DMARC together. The zero Verifier works and is
// the recommended configuration. It is safe for concurrent use, takes nothing from one message
// to the next but keys that it parsed, and memory, and must not be copied after its first use.
type Verifier struct {
	// Resolver answers all DNS questions. Nil means resolver.Default().
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
	dkim dkim.Verifier // as DKIM says

	mailFrom, helo spf.Checker // as SPF says

	records  discovery.Records
	readings sync.Pool // of *reading, for Verify
	messages message.Pool
}

// InvalidAuthor says what is recommended for a message without a single Author Domain, whose
// verdict is permerror.
type InvalidAuthor uint8

const (
	// InvalidAuthorReject recommends reject: RFC 5322, section 3.6, allows one From
	// field, and one of several domains could be anybody's.
	InvalidAuthorReject InvalidAuthor = iota
	InvalidAuthorQuarantine
	InvalidAuthorAccept

	// InvalidAuthorEvaluateAll evaluates every domain of a single From field that has
	// several, at most MaxAuthorDomains, and the strictest outcome stands: RFC 9989,
	// section 11.5. Everything else is rejected.
	InvalidAuthorEvaluateAll
)

// MaxAuthorDomains is how many domains InvalidAuthorEvaluateAll evaluates. A From field with
// more is rejected.
const MaxAuthorDomains = 4

// The defaults of the limits of a Verifier.
const (
	DefaultHELOQuestions = 16
	DefaultTime          = 30 * time.Second
)

// An Envelope is what the SMTP session knew of a message.
type Envelope = spf.Envelope

// Verify reads a message to its end and returns what is to be known about it. It is Begin,
// io.Copy and Finish. The error is that of the reader or of a context that ended; whatever
// is wrong with the message or with DNS is in the result.
func (v *Verifier) Verify(ctx context.Context, e Envelope, message io.Reader) (*Result, error) {
	r, _ := v.readings.Get().(*reading)
	if r == nil {
		r = new(reading)
	}
	r.session.begin(ctx, v, e)
	_, readErr := io.CopyBuffer(r, message, r.chunk[:])
	result, err := r.session.Finish()
	r.session = Session{}
	v.readings.Put(r) // not where the reader panics: a question may be under way
	if readErr != nil && readErr != errEnough {
		err = readErr
	}
	return result, err
}

// Discover finds the policy of an Author Domain and the Organizational Domains of what SPF
// and DKIM speak for, for Evaluate: in case their results come from elsewhere. If author is
// not a domain name, Err is ErrFromDomain and Evaluate returns permerror.
func (v *Verifier) Discover(ctx context.Context, author string, s *spf.Result, d []*dkim.Result) *discovery.Result {
	o := v.Discovery
	o.Time = cmp.Or(o.Time, v.Time)
	return discovery.Discover(ctx, v.Resolver, author, o, names(identifiers(s, d))...)
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

func (v *Verifier) draw() float64 {
	if v.Draw == nil {
		return rand.Float64()
	}
	return v.Draw()
}

// limit makes b ready for questions of one message: at most most of them, equal ones asked
// once.
func (v *Verifier) limit(b *resolver.Budget, most int) {
	b.Resolver, b.Questions, b.Time = v.Resolver, most, limit.Of(v.Time, DefaultTime)
}

func (v *Verifier) heloQuestions() int { return limit.Of(v.HELOQuestions, DefaultHELOQuestions) }

// signatures returns the verifier of signatures for all messages, which keeps the keys that
// it parsed.
func (v *Verifier) signatures() *dkim.Verifier {
	v.once.Do(v.prepare)
	return &v.dkim
}

// spf returns the checkers of SPF for all messages, which keep the records that they parsed.
func (v *Verifier) spf() (mailFrom, helo *spf.Checker) {
	v.once.Do(v.prepare)
	return &v.mailFrom, &v.helo
}

// prepare makes what checks the parts of messages, as the options say.
func (v *Verifier) prepare() {
	v.dkim.Options = v.DKIM
	if v.dkim.Now == nil {
		v.dkim.Now = v.Now
	}
	v.mailFrom.Options, v.helo.Options = v.SPF, v.SPF
	v.helo.Sequential = true // so that none of its few questions is in vain
	most := v.heloQuestions()
	v.helo.Limits.Questions = min(limit.Of(v.SPF.Limits.Questions, most), most)
}
