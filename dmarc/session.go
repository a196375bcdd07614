package dmarc

import (
	"context"
	"io"
	"math"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// Errors of the calls of a Session. They stay: after one, every call returns it.
var (
	// ErrOrder: the header came by Write and by WriteField, or a field came after the
	// header.
	ErrOrder = message.ErrOrder

	// ErrClosed: Finish came after Close, or something was written after one of them.
	ErrClosed = message.ErrClosed
)

// A Session is a message on its way through a Verifier. It is an io.Writer for the octets of
// the message, in chunks of any size. A program that gets the header field by field, as a
// milter does, calls WriteField for each field and then EndHeader, and Write for the body
// alone.
//
// What waits for DNS starts as soon as its question is known and runs beside the message: SPF
// from Begin on, keys and policy once the header has ended. If the context of Begin ends, all of
// it is canceled.
//
// Finish ends a Session with a result, and Close gives it up. A Session is for one goroutine,
// and must not be copied.
type Session struct {
	_     [0]sync.Mutex // for go vet, which then sees copies
	*work               // nil once the session has ended

	// Once the session has ended.
	result *Result
	err    error
}

// questions are those of one kind, with a budget of their own.
type questions struct {
	ask.Group
	budget resolver.Budget
}

// begin begins to ask at most that many questions, for at most that long.
func (q *questions) begin(w *work, most int, within time.Duration) {
	q.budget.Resolver, q.budget.Questions, q.budget.Time = w.resolver, most, within
	q.Begin(w.ctx, &q.budget)
}

// Begin starts to check a message: SPF is asked for at once. The checks of the message end
// when ctx ends, and so it has to outlive Finish.
func (v *Verifier) Begin(ctx context.Context, e Envelope) *Session {
	o := v.settings()
	w := o.works.Get()
	w.options, w.resolver, w.ctx, w.envelope = o, v.Resolver, ctx, e
	var now clock.Moment
	w.lasting = new(lasting)
	w.mailFrom.start(&w.lasting.mailFrom, &now, w, &o.mailFrom, spf.IdentityMailFrom, o.mailFromQuestions)
	if !w.sameIdentity() {
		w.helo.start(&w.lasting.helo, &now, w, &o.helo, spf.IdentityHELO, o.heloQuestions)
	}
	w.message = o.messages.Get(o.limits)
	w.keys.begin(w, o.keyQuestions, o.time)
	o.dkim.Attach(w.message, &w.keys.Group, &w.signatures)
	w.message.Attach((*headerCheck)(w))
	return &Session{work: w}
}

// Write takes the next octets of the message, or of its body after EndHeader. It fails if the
// context of Begin has ended, and after Finish or Close (ErrClosed). For a header that exceeds
// a limit it does not fail: the verdict says so.
func (s *Session) Write(p []byte) (int, error) {
	if _, err := (*reading)(s).Write(p); err != nil && !header.Exceeded(err) {
		return 0, err
	}
	return len(p), nil
}

// A reading is a Session for io.CopyBuffer: its Write also fails if the header exceeds a limit,
// so that the copy stops.
type reading Session

func (r *reading) Write(p []byte) (int, error) {
	s := (*Session)(r)
	if err := s.open(); err != nil {
		return 0, err
	}
	return s.message.Write(p)
}

// WriteField takes the next field of the header. Name is what stands before the colon, and
// value what stands after it, its first space included. In a fold, an LF without a CR, as
// milters get it, is read as CRLF. WriteField fails as Write does, and after a Write
// (ErrOrder).
func (s *Session) WriteField(name, value string) error {
	if err := s.open(); err != nil {
		return err
	}
	return unlessExceeded(s.message.WriteField(name, value))
}

// EndHeader ends a header that came by WriteField. What is written after it is the body.
func (s *Session) EndHeader() error {
	if err := s.open(); err != nil {
		return err
	}
	return unlessExceeded(s.message.EndHeader())
}

// open returns why the session takes nothing more, or nil.
func (s *Session) open() error {
	if s.work == nil {
		return ErrClosed
	}
	if err := s.ctx.Err(); err != nil {
		return s.message.Fail(err)
	}
	return nil
}

func unlessExceeded(err error) error {
	if header.Exceeded(err) {
		return nil
	}
	return err
}

// read reads the message from r. It stops early if the header exceeds a limit. If r fails, so
// does the message.
//
// A reader with WriteTo may keep what it writes to: that has to be a Session, which stays closed,
// and not its work, which is for other messages later.
func (s *Session) read(r io.Reader) {
	if _, err := io.CopyBuffer((*reading)(s), r, s.message.Buffer()); err != nil {
		s.message.Fail(err)
	}
}

// A headerCheck is what a Session does when the header has ended.
type headerCheck work

// HeaderEnded starts to verify the ARC chain, finds the Author Domain, and asks for its policy.
func (c *headerCheck) HeaderEnded(m *message.Message) {
	w, o := (*work)(c), c.options
	w.chain = o.arc.Start(m, &w.keys.Group)
	w.author, w.way = author.Of(m.Header()), readWay(m.Header(), &w.signatures)
	names := o.invalidAuthor.domains(&w.author)
	if len(names) == 0 {
		return
	}
	most := o.policyQuestions
	if most <= math.MaxInt/len(names) {
		most *= len(names)
	}
	w.policy.begin(w, most, o.policyTime)
	if w.searches = w.search[:]; len(names) > 1 {
		w.searches = make([]discovery.Search, len(names))
	}
	for i, name := range names {
		d := &w.searches[i]
		d.Begin(&w.policy.Group, o.discovery, &o.records, name)
		d.Expect(pathDomain(w.envelope))
		for signature := range w.signatures.Signatures {
			d.Expect(signature.Domain)
		}
	}
}

// Finish ends the message and returns what is to be known about it, after everything that was
// started has ended. Called again, it returns the same. After Close it returns ErrClosed.
//
// The error says why the message was not read to its end: a reader that failed, a context that
// ended before the last Write, or calls in the wrong order. There is a result all the same: what
// was not read counts as a question that DNS did not answer.
func (s *Session) Finish() (*Result, error) {
	if s.work == nil {
		return s.result, s.err
	}
	defer s.end()
	cut := s.message.End()
	switch {
	case s.message.Header() != nil:
	case header.Exceeded(cut):
		s.author.Err = cause.Wrap(ErrHeaderLimit, "", cut)
	default:
		s.author.Err = cause.Wrap(ErrInterrupted, "", cut)
	}
	r := &s.lasting.result
	r.Envelope, r.Author = s.envelope, s.author
	r.Time, r.DKIM = s.options.now(), s.signatures.Finish()
	if r.DKIM == nil {
		r.DKIM = []*dkim.Result{}
	}
	if s.chain != nil {
		r.ARC = s.chain()
	}
	r.SPF, r.HELO, _ = s.SPF(context.Background()) // which ends when the checks have
	s.verdict()
	r.Authentic = r.authentic()
	s.result, s.err = r, unlessExceeded(cut)
	return r, s.err
}

// lasting is what outlives a Session: its result, and memory of what most results refer to, in
// one piece.
type lasting struct {
	result         Result
	mailFrom, helo spf.Result
	identifiers    [2]Identifier
}

// Close gives up a message that is not finished: it ends what is under way, and waits for it,
// which takes no longer than Resolvers take to return when their context ends. After Finish it
// does nothing, so that it may always be deferred. It returns nil.
func (s *Session) Close() error {
	if s.work != nil {
		s.err = ErrClosed
		s.end()
	}
	return nil
}

// end ends what still runs, waits for it, and gives the memory of the message back.
func (s *Session) end() {
	s.mailFrom.stop()
	s.helo.stop()
	s.keys.Cancel()
	s.policy.Cancel()
	s.mailFrom.wait()
	s.helo.wait()
	s.keys.Wait()
	s.policy.Wait()
	for i := range s.searches {
		s.searches[i].End()
	}
	o := s.options
	o.messages.Put(s.message)
	o.works.Put(s.work)
	s.work = nil
}

// verdict evaluates every Author Domain, and sets DMARC, Others and Indirect of the result.
func (w *work) verdict() {
	r := &w.lasting.result
	switch len(w.searches) {
	case 0:
		r.DMARC = w.options.invalidAuthor.verdict(&w.author, w.options.tempError)
		return
	case 1:
		r.Indirect = w.evaluate(&r.DMARC, &w.searches[0], w.lasting.identifiers[:0])
		return
	}
	r.Others = make([]Verdict, len(w.searches))
	evidence := make([][]indirect.Evidence, len(w.searches))
	for i := range w.searches {
		evidence[i] = w.evaluate(&r.Others[i], &w.searches[i], nil)
	}
	i := strictest(r.Others)
	r.DMARC, r.Indirect = r.Others[i], evidence[i]
}

// evaluate sets the verdict for one Author Domain, with the identifiers in the memory of list,
// and returns what shows an indirect flow.
func (w *work) evaluate(v *Verdict, d *discovery.Search, list []Identifier) []indirect.Evidence {
	r := &w.lasting.result
	ids := identifiers(list, r.SPF, r.DKIM)
	var room [4]discovery.Identifier // mostly enough
	found := d.Finish(appendNames(room[:0], ids))
	align(ids, found)
	evidence := w.evidence(r, found, ids)
	v.evaluate(&Input{
		SPF:       r.SPF,
		DKIM:      r.DKIM,
		Discovery: found,
		Draw:      w.options.draw(),
		TempError: w.options.tempError,
		Reject:    w.options.reject,
		Indirect:  evidence,
	}, ids)
	return evidence
}
