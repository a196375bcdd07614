package resolver

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/mailverdict/mailverdict/internal/clock"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/internal/seam"
)

// The defaults of a Cache.
const (
	DefaultMinTTL     = 5 * time.Second
	DefaultMaxTTL     = time.Hour
	DefaultMaxEntries = 100_000
	DefaultMaxBytes   = 64 << 20
)

const (
	// failureTTL is how long a failure is remembered, so that a broken domain does
	// not cost a timeout for every message: RFC 9520, section 3.2.
	failureTTL = 5 * time.Second

	// staleTTL is the TTL of a stale answer, and the time until asking is tried
	// again: RFC 8767, section 4.
	staleTTL = 30 * time.Second

	// queryTime bounds a question, whoever waits for it.
	queryTime = 30 * time.Second
)

// A Cache remembers answers, and absence (RFC 2308), for as long as their TTL says,
// and failures for five seconds. The zero Cache works: it is a [Client] with a cache.
// It is safe for concurrent use and must not be copied after first use.
//
// However many ask the same question at once, it is put to Resolver once, and goes on
// until the contexts of all of them have ended, at most for 30 seconds. The context that
// Resolver gets has the values of the first one.
//
// Answers have the TTL that is left, and errors are shared. A panic in the Resolver, or a
// goroutine that it ends, is contained, and is ErrPanic. The Cache copies its fields when
// it is asked first.
type Cache struct {
	// Resolver is asked for what is not remembered. Nil means Default().
	Resolver Resolver

	// MinTTL and MaxTTL bound how long answers and absence are remembered. A TTL
	// that is not known (TTLUnknown) counts as MinTTL; an answer whose TTL is zero is not
	// remembered, whatever MinTTL is. Zero means DefaultMinTTL and DefaultMaxTTL, a
	// negative number no bound.
	MinTTL, MaxTTL time.Duration

	// MaxEntries and MaxBytes bound the memory that is held; bytes are an estimate.
	// What is asked for least goes first. Zero means DefaultMaxEntries and
	// DefaultMaxBytes, a negative number no bound.
	MaxEntries int
	MaxBytes   int

	// MaxStale is how long past its TTL an answer may be given when asking again
	// fails (RFC 8767). Whether such an answer is authentic is not known any more
	// (AuthenticUnknown). Zero means never, a negative number for ever.
	MaxStale time.Duration

	options cacheOptions
	once    sync.Once
	entries *otter.Cache[Question, *remembered]

	mu      sync.Mutex
	queries map[Question]*query
}

// cacheOptions are the fields of a Cache as they were at its first question.
type cacheOptions struct {
	resolver                 Resolver
	minTTL, maxTTL, maxStale time.Duration
}

// A query is a question that the Resolver is at work on, for everybody who waits for it.
type query struct {
	ctx     context.Context // ends when nobody waits any more
	cancel  context.CancelFunc
	waiting int

	done  chan struct{} // closed when there is an entry
	entry *remembered
	asked bool // the Resolver was asked
}

// A remembered outcome. It does not change, and is shared.
type remembered struct {
	expiry  time.Duration // by package clock, or never
	err     error
	answer  Answer
	stale   bool          // answer is given past its TTL
	useless time.Duration // when even a stale answer is not to be given
	server  string        // that answered
	refused bool          // the question was not one to be asked
}

// never is the expiry of what does not expire.
const never = math.MaxInt64

// Resolve answers q from memory, or asks. It implements [Resolver].
func (c *Cache) Resolve(ctx context.Context, q Question) (Answer, error) {
	watch := observe(ctx, q)
	o := c.resolve(ctx, q)
	watch.end(o)
	return o.answer, o.err
}

func (c *Cache) resolve(ctx context.Context, q Question) outcome {
	var at clock.Moment
	if e := c.fresh(&at, q); e != nil {
		return e.outcome(at.Now()).again()
	}
	if err := q.check(); err != nil {
		return outcome{err: err}
	}
	if ctx.Err() != nil {
		return failed(q, contextError(ctx))
	}
	wait, first := c.join(ctx, q)
	defer c.leave(q, wait)
	select {
	case <-ctx.Done():
		return failed(q, contextError(ctx))
	case <-wait.done:
		o := wait.entry.outcome(clock.Now())
		if !first || !wait.asked {
			return o.again()
		}
		return o
	}
}

// fresh returns what is remembered of q and has not expired, or nil. What is remembered needs no
// check: it was checked before it was asked.
func (c *Cache) fresh(at *clock.Moment, q Question) *remembered {
	c.once.Do(c.open)
	if e, ok := c.entries.GetIfPresent(q); ok && at.Now() < e.expiry {
		return e
	}
	return nil
}

// later returns the time d after now, or never. Times may be negative: see package clock.
func later(now, d time.Duration) time.Duration {
	if now > 0 && d > math.MaxInt64-now {
		return never
	}
	return now + d
}

// join returns the query for q, which goes on at least until the caller leaves it. First
// says that the caller started it. One caller's cancellation is not the others': the query
// has none of them.
func (c *Cache) join(ctx context.Context, q Question) (w *query, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w = c.queries[q]
	if w == nil {
		w = &query{done: make(chan struct{})}
		w.ctx, w.cancel = context.WithTimeout(context.WithoutCancel(ctx), queryTime)
		if c.queries == nil {
			c.queries = make(map[Question]*query)
		}
		c.queries[q] = w
		first = true
		go c.ask(q, w)
	}
	w.waiting++
	return w, first
}

// leave ends the query if nobody else waits for it. Questions after that do not join it.
func (c *Cache) leave(q Question, w *query) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.waiting--; w.waiting == 0 {
		c.remove(q, w)
	}
}

// finish hands the outcome to those who wait for it. Questions after that find it
// remembered.
func (c *Cache) finish(q Question, w *query) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(q, w)
	close(w.done)
}

// remove takes w from the queries, if it is still among them, and ends its context.
func (c *Cache) remove(q Question, w *query) {
	w.cancel()
	if c.queries[q] == w {
		delete(c.queries, q)
	}
}

// open makes the store. Of otter and golang-lru, otter has more than twice the
// throughput with 8 goroutines on 2 cores (131 ns to 323 ns a hit; on one they are
// even), the better hit rate when the names do not fit (88 % to 85 %, Zipf), and
// weights, by which memory is bounded. Its expiry is not used: stale answers outlive
// theirs, and it takes a goroutine for each cache.
func (c *Cache) open() {
	c.options = cacheOptions{
		resolver: orDefault(c.Resolver),
		minTTL:   limit.Of(c.MinTTL, DefaultMinTTL),
		maxTTL:   limit.Of(c.MaxTTL, DefaultMaxTTL),
		maxStale: limit.Of(c.MaxStale, 0),
	}
	if c.MinTTL < 0 {
		c.options.minTTL = 0 // no lower bound
	}
	most := limit.Of(c.MaxEntries, DefaultMaxEntries)
	options := otter.Options[Question, *remembered]{MaximumSize: most}
	if bytes := limit.Of(c.MaxBytes, DefaultMaxBytes); bytes != math.MaxInt {
		// An entry weighs its share of all entries at least, so that one limit on
		// weight is both limits.
		share := max(bytes/most, 1)
		options = otter.Options[Question, *remembered]{
			MaximumWeight: uint64(bytes),
			Weigher: func(q Question, e *remembered) uint32 {
				return uint32(min(int64(max(share, e.size(q))), math.MaxUint32))
			},
		}
	}
	c.entries = otter.Must(&options)
}

// ask asks the Resolver and remembers the outcome.
func (c *Cache) ask(q Question, w *query) {
	defer c.finish(q, w) // also where the Resolver ends this goroutine
	old, ok := c.entries.GetIfPresent(q)
	if ok && clock.Now() < old.expiry {
		w.entry = old // another query ended since the caller looked
		return
	}
	w.asked = true
	ctx, l := listen(w.ctx)
	Contained(seam.Internal{}, ctx, c.options.resolver, q, func(a Answer, err error) {
		now := clock.Now()
		e := c.outcomeOf(a, err, now)
		e.server = l.outcome(a, err).server
		if ok && Temporary(err) && old.err == nil && now < old.useless {
			e = old.staleAt(now)
		}
		switch {
		case errors.Is(err, ErrLimit), Temporary(err) && errors.Is(w.ctx.Err(), context.Canceled):
			// Neither a limit nor that all callers' contexts have ended is about the question.
		case e.expiry > now:
			c.entries.Set(q, e)
		default:
			c.entries.Invalidate(q) // what was true before is not to be given as stale
		}
		w.entry = e
	})
}

// outcomeOf returns the entry for an outcome.
func (c *Cache) outcomeOf(a Answer, err error, now time.Duration) *remembered {
	e := &remembered{answer: a, err: err}
	ttl := a.TTL
	if err != nil {
		ttl = TTLUnknown
		if failure, ok := errors.AsType[*Error](err); ok {
			ttl = failure.TTL
		}
	}
	switch o := &c.options; {
	case Temporary(err):
		ttl = min(o.minTTL, failureTTL)
	case ttl != 0:
		ttl = max(min(ttl, o.maxTTL), o.minTTL)
	}
	e.expiry = later(now, ttl)
	e.useless = later(e.expiry, c.options.maxStale)
	return e
}

// staleAt returns the entry that takes e's place after asking again has failed.
func (e *remembered) staleAt(now time.Duration) *remembered {
	stale := *e
	stale.stale = true
	stale.answer.TTL = staleTTL
	stale.answer.Authentic = AuthenticUnknown // signatures expire too
	stale.expiry = later(now, staleTTL)
	return &stale
}

// outcome returns what is remembered, with the TTL that is left of it. A TTL that is not known
// stays so.
func (e *remembered) outcome(now time.Duration) outcome {
	left := e.left(now)
	o := outcome{answer: e.answer, err: aged(e.err, left), server: e.server, stale: e.stale}
	o.answer.TTL = min(o.answer.TTL, left)
	return o
}

// left returns how long e may still be remembered.
func (e *remembered) left(now time.Duration) time.Duration {
	if e.expiry == never {
		return never
	}
	return max(e.expiry-now, time.Nanosecond)
}

// aged returns an error with the TTL that is left of it.
func aged(err error, left time.Duration) error {
	if failure, ok := errors.AsType[*Error](err); ok && failure.TTL > left {
		aged := *failure
		aged.TTL = left
		return &aged
	}
	return err
}

// size estimates the memory of an entry and its place in the store, in bytes.
func (e *remembered) size(q Question) int {
	const (
		fixed  = 512 // the entry, its node in the store, an error where it has one
		record = 40  // the largest value that stands for a record in an Answer
	)
	n := fixed + len(q.Name) + len(e.server) + e.answer.Count()*record
	for _, s := range e.answer.TXT {
		n += len(s)
	}
	for _, s := range e.answer.PTR {
		n += len(s)
	}
	for _, mx := range e.answer.MX {
		n += len(mx.Host)
	}
	return n
}
