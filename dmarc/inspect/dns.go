package inspect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/resolver"
)

// An asker asks the DNS questions of one domain within a budget. What was asked once is asked no
// more, so that a check may ask for what it needs, whoever asked before.
type asker struct {
	ctx      context.Context
	resolver resolver.Resolver
	budget   *resolver.Budget // beneath resolver
	log      *failures
}

// newAsker returns an asker with the budget that options give.
func newAsker(ctx context.Context, r resolver.Resolver, o *Options) *asker {
	budget := &resolver.Budget{
		Resolver:  r,
		Questions: limit.Of(o.Questions, DefaultQuestions),
		Time:      limit.Of(o.Time, DefaultTime),
	}
	return &asker{ctx: ctx, resolver: &memory{beneath: budget}, budget: budget, log: new(failures)}
}

// part returns an asker that may ask two thirds of the questions.
func (a *asker) part() *asker {
	most := a.budget.Questions
	if most > 0 {
		most = max(most*2/3, 1)
	}
	return &asker{ctx: a.ctx, resolver: &resolver.Budget{Resolver: a.resolver, Questions: most, Time: -1}, budget: a.budget, log: a.log}
}

// questionTime is how long one question may take, so that one dead name server does not take the time
// of all the others.
const questionTime = 8 * time.Second

// A memory keeps outcomes, failures too: who did not answer once is not asked again.
type memory struct {
	beneath resolver.Resolver

	mu    sync.Mutex
	known map[resolver.Question]outcome
}

type outcome struct {
	answer resolver.Answer
	err    error
}

// Resolve implements resolver.Resolver.
func (m *memory) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	m.mu.Lock()
	o, ok := m.known[q]
	m.mu.Unlock()
	if ok {
		return o.answer, o.err
	}
	limited, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	o.answer, o.err = m.beneath.Resolve(limited, q)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[resolver.Question]outcome{}
	}
	m.known[q] = o
	return o.answer, o.err
}

// failures are the questions that DNS did not answer.
type failures struct {
	mu   sync.Mutex
	list []Unanswered
}

func question(name string, t resolver.Type) resolver.Question {
	return resolver.Question{Name: name, Type: t}
}

func questions(t resolver.Type, names ...string) []resolver.Question {
	list := make([]resolver.Question, len(names))
	for i, name := range names {
		list[i] = question(name, t)
	}
	return list
}

// ahead asks questions side by side and waits for all.
func (a *asker) ahead(list ...resolver.Question) {
	var g ask.Group
	g.Begin(a.ctx, a.resolver)
	defer g.Close()
	for _, q := range list {
		g.Ask(q, ask.TakerFunc(func(*resolver.Answer, error) {}))
	}
	g.Wait()
}

// get returns the answer, which is empty if there is no such record. The error is a failure of
// DNS, which is noted.
func (a *asker) get(q resolver.Question, matters bool) (resolver.Answer, error) {
	answer, err := ask.Do(a.ctx, a.resolver, q)
	if err == nil || !resolver.Temporary(err) {
		return *answer, nil
	}
	a.failed(q, err, matters)
	return resolver.Answer{}, err
}

// failed notes that a question has no answer.
func (a *asker) failed(q resolver.Question, err error, matters bool) {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	for i := range a.log.list {
		if u := &a.log.list[i]; u.Name == q.Name && u.Type == q.Type.String() {
			u.Matters = u.Matters || matters
			return
		}
	}
	if failure, ok := errors.AsType[*resolver.Error](err); ok {
		err = failure.Err
	}
	a.log.list = append(a.log.list, Unanswered{q.Name, q.Type.String(), err.Error(), matters})
}

// missing reports whether DNS says that a name does not exist.
func (a *asker) missing(name string) bool {
	_, err := ask.Do(a.ctx, a.resolver, question(name, resolver.TypeTXT))
	return errors.Is(err, resolver.ErrNXDomain)
}

// txt returns the TXT records of a name.
func (a *asker) txt(name string, matters bool) ([]string, error) {
	answer, err := a.get(question(name, resolver.TypeTXT), matters)
	return answer.TXT, err
}

// aside asks a question on which no finding about SPF, DKIM or DMARC depends.
func (in *inspection) aside(q resolver.Question) (resolver.Answer, error) {
	return in.dns.get(q, false)
}
