package dmarc

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A Session is a message on its way through a Verifier. It is an io.Writer, to which the
// message is written in chunks of any size; Finish must be called, whatever happened.
//
// What waits for DNS starts as soon as its question is known and runs beside the body: SPF
// from Begin on, keys and policy once the header has been written.
type Session struct {
	verifier *Verifier
	ctx      context.Context // the caller's
	life     lifetime
	envelope Envelope

	mailFrom   spfCheck
	given      *spf.Result // by UseSPF
	helo       spfCheck
	message    *message.Message      // nil once Finish was called
	signatures func() []*dkim.Result // when the message has ended
	keys       ask.Group
	keyDNS     resolver.Budget // what questions for keys go through
	policyDNS  resolver.Budget // and those for policies

	// Once the header has been written.
	read     bool
	author   author.Author
	policy   ask.Group           // asks through policyDNS
	policies []*discovery.Search // one for each domain to evaluate
	first    discovery.Search    // of these, as mostly there is one

	result *Result // once Finish was called
}

// Begin starts to check a message: SPF is asked for at once.
func (v *Verifier) Begin(ctx context.Context, e Envelope) *Session {
	s := new(Session)
	s.begin(ctx, v, e)
	return s
}

func (s *Session) begin(ctx context.Context, v *Verifier, e Envelope) {
	*s = Session{verifier: v, ctx: ctx, life: lifetime{outer: ctx}, envelope: e}
	// The check counts its questions itself. This is only beyond what it may ask.
	most := max(2*v.SPF.Limits.Questions, resolver.DefaultQuestions)
	v.limit(&s.mailFrom.dns, most)
	mailFrom, helo := v.spf()
	s.mailFrom.start(&s.life, mailFrom, spf.IdentityMailFrom, e)
	if e.MailFrom != "" || e.MailFromUnknown { // else it is the same check
		v.limit(&s.helo.dns, v.heloQuestions())
		s.helo.start(&s.life, helo, spf.IdentityHELO, e)
	}
	// How many keys are asked for is up to dkim.Limits.Signatures.
	v.limit(&s.keyDNS, max(v.DKIM.Limits.Signatures, resolver.DefaultQuestions))
	l := &v.DKIM.Limits
	s.message = v.messages.Get(message.Limits{
		Header:     header.Limits{Block: l.HeaderOctets, Field: l.FieldOctets, Fields: l.HeaderFields},
		BodyHashes: l.BodyHashes,
	})
	s.keys.Begin(ctx, &s.keyDNS)
	s.signatures = v.signatures().Attach(s.message, &s.keys)
	s.message.Attach((*headerCheck)(s))
}

// A headerCheck is what a Session does when the header has ended.
type headerCheck Session

func (c *headerCheck) HeaderEnded(m *message.Message) { (*Session)(c).header(m.Header()) }

// UseSPF takes the result for MAIL FROM that somebody trusted has found already, in place of
// the one that is found here. It is called before Finish.
func (s *Session) UseSPF(r *spf.Result) { s.given = r }

// Write takes the next octets of the message. It fails only once the context has ended: a
// message that exceeds a limit gets a verdict that says so.
func (s *Session) Write(p []byte) (int, error) {
	if _, err := s.write(p); err != nil && s.ctx.Err() != nil {
		return 0, err
	}
	return len(p), nil
}

// write is Write, and fails too where nothing more is to be read, since the message exceeds a
// limit.
func (s *Session) write(p []byte) (int, error) {
	if s.message == nil {
		return 0, message.ErrClosed
	}
	if err := s.ctx.Err(); err != nil {
		return 0, s.message.Fail(err)
	}
	return s.message.Write(p)
}

// A reading is the memory of Verify, which no result refers to. Its Session is written to as
// others are, but ends the reading where nothing more is to be read.
type reading struct {
	session Session
	chunk   [32 << 10]byte
}

var errEnough = errors.New("the message exceeds a limit")

func (r *reading) Write(p []byte) (int, error) {
	n, err := r.session.write(p)
	if err != nil && r.session.ctx.Err() == nil {
		err = errEnough
	}
	return n, err
}

// header starts what can be asked once the header is there.
func (s *Session) header(h *header.Header) {
	s.read = true
	s.author = author.Of(h)
	names := s.domains()
	v, most := s.verifier, limit.Of(s.verifier.Discovery.Questions, discovery.DefaultQuestions)
	if n := len(names); n > 1 && most <= math.MaxInt/n {
		most *= n
	}
	v.limit(&s.policyDNS, most)
	s.policyDNS.Time = limit.Of(v.Discovery.Time, s.policyDNS.Time)
	s.policy.Begin(s.ctx, &s.policyDNS)
	for i, name := range names {
		d := &s.first
		if i > 0 {
			d = new(discovery.Search)
		}
		d.Begin(&s.policy, v.Discovery, &v.records, name)
		d.Expect(pathDomain(s.envelope))
		for _, field := range h.Fields {
			if field.Is("dkim-signature") {
				d.Expect(signer(field))
			}
		}
		s.policies = append(s.policies, d)
	}
}

// domains returns the Author Domains to evaluate: one, or none, or several where that was
// asked for.
func (s *Session) domains() []string {
	switch {
	case s.author.Err == nil:
		return s.author.Domains
	case s.author.Err == ErrSeveralDomains && len(s.author.Domains) <= MaxAuthorDomains &&
		s.verifier.InvalidAuthor == InvalidAuthorEvaluateAll:
		return s.author.Domains
	}
	return nil
}

// Finish ends the message and returns what is to be known about it, after everything that
// was started has ended. The error is that of a context that ended; the result is as far as
// it was found by then. Called again, it returns the same; what is written in between does
// not count.
func (s *Session) Finish() (*Result, error) {
	if s.result != nil {
		return s.result, s.ctx.Err()
	}
	defer s.end()
	err := s.message.End()
	if !s.read {
		s.unread(err)
	}
	signatures := s.signatures()
	s.mailFrom.wait.Wait()
	s.helo.wait.Wait()
	if s.given != nil {
		s.mailFrom.result = s.given
	}
	if s.helo.result == nil {
		helo := *s.mailFrom.result
		helo.Identity = spf.IdentityHELO
		s.helo.result = &helo
	}
	r := &Result{
		Envelope: s.envelope,
		Time:     s.verifier.now(),
		Author:   s.author,
		SPF:      s.mailFrom.result,
		HELO:     s.helo.result,
		DKIM:     signatures,
	}
	if r.DKIM == nil {
		r.DKIM = []*dkim.Result{}
	}
	r.DMARC, r.Others = s.verdict(r)
	if err := s.ctx.Err(); err != nil && r.DMARC.Status != StatusPass {
		// What was not read could have been signed.
		r.DMARC.Status, r.DMARC.Disposition = StatusTempError, s.verifier.TempError.disposition(record.PolicyReject)
		r.DMARC.Err = cause.Wrap(ErrInterrupted, "", err)
		r.DMARC.Evaluated, r.DMARC.Override = DispositionNone, nil
	}
	r.Authentic = r.authentic()
	s.result = r
	return r, s.ctx.Err()
}

// end ends what may still run, and waits for it.
func (s *Session) end() {
	s.life.end()
	s.keys.Close()
	if len(s.policies) > 0 {
		s.policy.Close()
	}
	s.verifier.messages.Put(s.message)
	s.message = nil
}

// unread accounts for a header that never ended because it exceeds a limit.
func (s *Session) unread(err error) {
	s.author.Err = ErrNoFrom
	if err != nil {
		s.author.Err = cause.Wrap(ErrHeaderLimit, "", err)
	}
}

// verdict evaluates every Author Domain and returns the strictest verdict, and all of them
// where there are several.
func (s *Session) verdict(r *Result) (Verdict, []Verdict) {
	if len(s.policies) == 0 {
		return s.verifier.refuse(s.author), nil
	}
	if len(s.policies) == 1 {
		return s.evaluate(r, s.policies[0]), nil
	}
	verdicts := make([]Verdict, 0, len(s.policies))
	for _, d := range s.policies {
		verdicts = append(verdicts, s.evaluate(r, d))
	}
	return slices.MaxFunc(verdicts, stricter), verdicts
}

// evaluate evaluates one Author Domain.
func (s *Session) evaluate(r *Result, d *discovery.Search) Verdict {
	ids := identifiers(r.SPF, r.DKIM)
	return evaluate(Input{
		SPF:       r.SPF,
		DKIM:      r.DKIM,
		Discovery: d.Finish(names(ids)),
		Draw:      s.verifier.draw(),
		TempError: s.verifier.TempError,
	}, ids)
}

// stricter orders verdicts by what they ask for, and then by how little they vouch for.
func stricter(a, b Verdict) int {
	rank := func(v Verdict) int {
		disposition := []Disposition{DispositionNone, DispositionQuarantine, DispositionTempFail, DispositionReject}
		status := []Status{StatusPass, StatusNone, StatusTempError, StatusFail, StatusPermError}
		return slices.Index(disposition, v.Disposition)*len(status) + slices.Index(status, v.Status)
	}
	return cmp.Compare(rank(a), rank(b))
}

// refuse returns the verdict for a message without a single Author Domain.
func (v *Verifier) refuse(a author.Author) Verdict {
	verdict := Verdict{Status: StatusPermError, Err: a.Err, Disposition: DispositionReject, Evaluated: DispositionReject}
	switch v.InvalidAuthor {
	case InvalidAuthorQuarantine:
		verdict.Disposition = DispositionQuarantine
	case InvalidAuthorAccept:
		verdict.Disposition = DispositionNone
	}
	if verdict.Disposition != verdict.Evaluated {
		verdict.Override = &Override{Type: OverrideLocal, Comment: "no single Author Domain"}
	}
	return verdict
}

// pathDomain returns what is probably the domain that SPF speaks for.
func pathDomain(e Envelope) string {
	if e.MailFrom == "" {
		return e.HELO
	}
	return e.MailFrom[strings.LastIndexByte(e.MailFrom, '@')+1:]
}

// signer returns what is probably the domain that a DKIM-Signature field speaks for.
func signer(f header.Field) string {
	body := f.Body()
	start, end, _ := tagvalue.Find(body, "d")
	return tagvalue.Trim(string(body[start:end]))
}
