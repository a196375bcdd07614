package inspect

import (
	"context"
	"errors"
	"sync"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/limit"
	"github.com/mailverdict/mailverdict/resolver"
)

// An asker asks the DNS questions of one domain within a budget. What was asked once is asked no
// more, so that a check may ask for what it needs, whoever asked before.
type asker struct {
	ctx    context.Context
	budget *resolver.Budget
	log    *failures
}

// newAsker returns an asker with the budget that options give.
func newAsker(ctx context.Context, r resolver.Resolver, o *Options) *asker {
	return &asker{ctx: ctx, log: new(failures), budget: &resolver.Budget{
		Resolver:  r,
		Questions: limit.Of(o.Questions, DefaultQuestions),
		Time:      limit.Of(o.Time, DefaultTime),
	}}
}

// part returns an asker that may ask two thirds of the questions.
func (a *asker) part() *asker {
	most := a.budget.Questions
	if most > 0 {
		most = max(most*2/3, 1)
	}
	return &asker{ctx: a.ctx, log: a.log, budget: &resolver.Budget{Resolver: a.budget, Questions: most, Time: -1}}
}

// failures are the questions that DNS did not answer.
type failures struct {
	mu   sync.Mutex
	list []Unanswered
}

// An Unanswered is a question that DNS did not answer.
type Unanswered struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Reason string `json:"reason"`

	// Matters says that SPF, DMARC, or a key that was asked for depends on it.
	Matters bool `json:"matters"`
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
	g.Begin(a.ctx, a.budget)
	defer g.Close()
	for _, q := range list {
		g.Ask(q, ask.TakerFunc(func(resolver.Answer, error) {}))
	}
	g.Wait()
}

// get returns the answer, which is empty if there is no such record. The error is a failure of
// DNS, which is noted.
func (a *asker) get(q resolver.Question, matters bool) (resolver.Answer, error) {
	answer, err := ask.Do(a.ctx, a.budget, q)
	if err == nil || !resolver.Temporary(err) {
		return answer, nil
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
	_, err := ask.Do(a.ctx, a.budget, question(name, resolver.TypeTXT))
	return errors.Is(err, resolver.ErrNXDomain)
}

// txt returns the TXT records of a name.
func (a *asker) txt(name string, matters bool) ([]string, error) {
	answer, err := a.get(question(name, resolver.TypeTXT), matters)
	return answer.TXT, err
}
