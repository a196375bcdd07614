package dmarc

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/internal/reuse"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// settings are the options of a Verifier with their defaults, and what all its messages share.
type settings struct {
	mailFrom, helo spf.Checker
	dkim           dkim.Verifier
	arc            arc.Verifier
	discovery      discovery.Options
	invalidAuthor  InvalidAuthor
	tempError      TempErrorRule
	reject         Reject
	sealers        sealers
	forwarders     knownForwarders
	now            func() time.Time
	draw           func() float64

	// For one message: how many questions of each kind, and for how long.
	mailFromQuestions, heloQuestions, keyQuestions, policyQuestions int
	time, policyTime                                                time.Duration
	limits                                                          message.Limits

	records  discovery.Records
	messages message.Pool
	works    reuse.Pool[work]
}

// settings returns the options in use. They are copied when it is called first.
func (v *Verifier) settings() *settings {
	v.once.Do(func() { v.used.set(v) })
	return &v.used
}

func (o *settings) set(v *Verifier) {
	o.mailFrom.Options, o.helo.Options = v.SPF, v.SPF
	o.dkim.Options = v.DKIM
	o.discovery = v.Discovery
	o.invalidAuthor, o.tempError = v.InvalidAuthor, v.TempError
	o.reject, o.sealers, o.forwarders = v.Reject, parseSealers(v.TrustedSealers), parseForwarders(v.KnownForwarders)
	if o.now = v.Now; o.now == nil {
		o.now = time.Now
	}
	if o.dkim.Now == nil {
		o.dkim.Now = o.now
	}
	o.arc.Now = o.now
	if o.draw = v.Draw; o.draw == nil {
		o.draw = rand.Float64
	}
	o.time = limit.Of(v.Time, DefaultTime)
	o.policyTime = limit.Of(cmp.Or(v.Discovery.Time, v.Time), DefaultTime)

	// Two budgets that are never reached. SPF counts its questions itself, and may ask some
	// ahead in vain; DKIM asks for at most as many keys as it verifies signatures. Each budget
	// is at least as large as what they allow themselves.
	o.mailFromQuestions = max(double(limit.Of(v.SPF.Limits.Questions, resolver.DefaultQuestions/2)), resolver.DefaultQuestions)
	o.keyQuestions = max(limit.Of(v.DKIM.Limits.Signatures, resolver.DefaultQuestions), resolver.DefaultQuestions)
	o.heloQuestions = limit.Of(v.HELOQuestions, DefaultHELOQuestions)
	o.policyQuestions = limit.Of(v.Discovery.Questions, discovery.DefaultQuestions)
	o.helo.Sequential = true // so that none of its few questions is in vain
	o.helo.Limits.Questions = min(limit.Of(v.SPF.Limits.Questions, o.heloQuestions), o.heloQuestions)

	l := &v.DKIM.Limits
	o.limits = message.Limits{
		Header:     header.Limits{Block: l.HeaderOctets, Field: l.FieldOctets, Fields: l.HeaderFields},
		BodyHashes: l.BodyHashes,
	}
}

// double returns twice n, or the largest int.
func double(n int) int {
	if n > math.MaxInt/2 {
		return math.MaxInt
	}
	return 2 * n
}
