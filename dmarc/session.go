package dmarc

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
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
	limits   Limits
	outer    context.Context // the caller's
	ctx      context.Context // ends with the session
	cancel   context.CancelFunc
	envelope Envelope

	mailFrom   spfCheck
	helo       spfCheck
	signatures *dkim.Verification

	// Once the header has been written.
	read     bool
	author   Author
	policies []*discovery // one for each domain to evaluate

	result *Result // once Finish was called
}

// Begin starts to check a message: SPF is asked for at once.
func (v *Verifier) Begin(ctx context.Context, e Envelope) *Session {
	s := &Session{verifier: v, limits: v.Limits.withDefaults(), outer: ctx, envelope: e}
	s.ctx, s.cancel = context.WithCancel(ctx)
	session := spf.Session{IP: e.IP, HELO: e.HELO, MailFrom: e.MailFrom}
	if e.SPF != nil {
		s.mailFrom.result = e.SPF
	} else {
		// The check counts its questions itself. This is only beyond what it may ask.
		most := max(2*v.SPF.Limits.Questions, resolver.DefaultQuestions)
		s.mailFrom.start(s.ctx, v.SPF, v.budget(s.limits, most), spf.IdentityMailFrom, session)
	}
	if e.SPF != nil || e.MailFrom != "" { // else it is the same check
		helo := v.SPF
		helo.Sequential = true // so that none of its few questions is in vain
		if helo.Limits.Questions == 0 || helo.Limits.Questions > s.limits.HELOQuestions {
			helo.Limits.Questions = s.limits.HELOQuestions
		}
		s.helo.start(s.ctx, helo, v.budget(s.limits, s.limits.HELOQuestions), spf.IdentityHELO, session)
	}
	// How many keys are asked for is up to dkim.Limits.Signatures.
	keys := v.budget(s.limits, max(v.DKIM.Limits.Signatures, resolver.DefaultQuestions))
	s.signatures = v.signatures().BeginWith(s.ctx, keys)
	return s
}

// headerChunk is how much is written at a time before the header has ended, in octets: so
// that the policy is asked for before a large body that came with the header is hashed.
const headerChunk = 8 << 10

// Write takes the next octets of the message. It fails only once the context has ended: a
// message that exceeds a limit gets a verdict that says so.
func (s *Session) Write(p []byte) (int, error) {
	if _, err := s.write(p); err != nil && s.outer.Err() != nil {
		return 0, err
	}
	return len(p), nil
}

// write is Write, and fails too where nothing more is to be read, since the message exceeds a
// limit.
func (s *Session) write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if err := s.outer.Err(); err != nil {
			return 0, err
		}
		chunk := p
		if !s.read && len(p) > headerChunk {
			chunk = p[:headerChunk]
		}
		if _, err := s.signatures.Write(chunk); err != nil {
			return 0, err
		}
		p = p[len(chunk):]
		if raw, ok := s.signatures.Header(); ok && !s.read {
			s.header(raw)
		}
	}
	return n, nil
}

// A reading is a Session that Verify reads a message into: it ends the reading where nothing
// more is to be read.
type reading struct{ *Session }

var errEnough = errors.New("the message exceeds a limit")

func (r reading) Write(p []byte) (int, error) {
	n, err := r.write(p)
	if err != nil && r.outer.Err() == nil {
		err = errEnough
	}
	return n, err
}

// header starts what can be asked once the header is there.
func (s *Session) header(raw []byte) {
	s.read = true
	h, _ := s.verifier.headers.Get().(*header.Header)
	if h == nil {
		h = new(header.Header)
	}
	h.Parse(raw)
	defer s.verifier.headers.Put(h)
	defer clear(h.Fields)
	s.author = readAuthor(*h)
	names := s.domains()
	policy := s.verifier.budget(s.limits, s.limits.PolicyQuestions*max(len(names), 1))
	for _, name := range names {
		d := s.verifier.startDiscovery(s.ctx, policy, name)
		d.foresee(pathDomain(s.envelope))
		for _, field := range h.Fields {
			if field.Is("dkim-signature") {
				d.foresee(signer(field))
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
		return s.result, s.outer.Err()
	}
	defer s.end()
	signatures, err := s.signatures.Finish()
	if !s.read {
		s.unread(err)
	}
	s.mailFrom.wait.Wait()
	s.helo.wait.Wait()
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
	if err := s.outer.Err(); err != nil && r.DMARC.Status != Pass {
		// What was not read could have been signed.
		r.DMARC.Status, r.DMARC.Disposition = TempError, s.verifier.TempError.disposition(DispositionTempFail)
		r.DMARC.Err = cause.Wrap(ErrInterrupted, "", err)
		r.DMARC.Evaluated, r.DMARC.Override = DispositionNone, nil
	}
	r.Authentic = r.authentic()
	s.result = r
	return r, s.outer.Err()
}

// end ends what may still run, and waits for it.
func (s *Session) end() {
	s.cancel()
	for _, d := range s.policies {
		d.asking.Wait()
	}
}

// unread accounts for a header that never ended because it exceeds a limit, or because the
// message ended with it.
func (s *Session) unread(err error) {
	if raw, ok := s.signatures.Header(); ok {
		s.header(raw)
		return
	}
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
	ids := identifiers(r.SPF, r.DKIM)
	verdicts := make([]Verdict, 0, len(s.policies))
	for _, d := range s.policies {
		verdicts = append(verdicts, Evaluate(Input{
			SPF:       r.SPF,
			DKIM:      r.DKIM,
			Discovery: d.finish(ids),
			Draw:      s.verifier.draw(),
			TempError: s.verifier.TempError,
		}))
	}
	if len(verdicts) == 1 {
		return verdicts[0], nil
	}
	return slices.MaxFunc(verdicts, stricter), verdicts
}

// stricter orders verdicts by what they ask for, and then by how little they vouch for.
func stricter(a, b Verdict) int {
	rank := func(v Verdict) int {
		disposition := []Disposition{DispositionNone, DispositionQuarantine, DispositionTempFail, DispositionReject}
		status := []Status{Pass, None, TempError, Fail, PermError}
		return slices.Index(disposition, v.Disposition)*len(status) + slices.Index(status, v.Status)
	}
	return cmp.Compare(rank(a), rank(b))
}

// refuse returns the verdict for a message without a single Author Domain.
func (v *Verifier) refuse(a Author) Verdict {
	verdict := Verdict{Status: PermError, Err: a.Err, Disposition: DispositionReject, Evaluated: DispositionReject}
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
	for tag, err := range tagvalue.All(string(f.Body())) {
		if err == nil && tag.Name == "d" {
			return tag.Value
		}
	}
	return ""
}
