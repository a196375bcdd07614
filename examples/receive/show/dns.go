package show

import (
	"errors"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/verdictjson"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
)

// A Question is a DNS question and what became of it.
type Question struct {
	ID         string
	Name, Type string
	For        string // what it is for: "SPF", "key", "policy"
	Answer     string // in a few words
	Failed     bool
	Took       string

	from, until time.Duration // since the message began
	asked       resolver.Question
}

// Question shows a DNS question, and what it adds to SPF.
func (v *View) Question(e trace.Event) template.HTML {
	if len(v.Questions) >= maxQuestions {
		return ""
	}
	q := Question{
		ID:   "question-" + strconv.Itoa(len(v.Questions)),
		Name: visible.Line(e.Question.Name), Type: e.Question.Type.String(), For: purpose(e.Question.Name),
		Took: took(e.Duration), from: e.Start.Sub(v.Start), until: e.Start.Sub(v.Start) + e.Duration, asked: e.Question,
	}
	switch {
	case e.Cached:
		q.Took = "remembered"
	case e.Server == "" && e.Duration < time.Millisecond:
		q.Took = "at once"
	}
	switch n := e.Answer.Count(); {
	case errors.Is(e.Err, resolver.ErrNotFound):
		q.Answer = "nothing"
	case e.Err != nil:
		q.Answer, q.Failed = visible.Line(failure(e.Err)), true
	case n == 1:
		q.Answer = visible.Line(verdictjson.Records(e.Answer)[0])
	default:
		q.Answer = strconv.Itoa(n) + " records"
	}
	v.Questions = append(v.Questions, q)
	html := render("question", q)
	if v.live.add(e) && !v.hasSPF() {
		html += render("card", v.liveCard()) // the tree has grown
	}
	return html
}

// purpose says what a question is for, by its name.
func purpose(name string) string {
	switch {
	case strings.HasPrefix(name, "_dmarc."):
		return "policy"
	case strings.Contains(name, "._domainkey."):
		return "key"
	}
	return "SPF"
}

// failure returns what became of a question without an answer.
func failure(err error) string { return verdictjson.Failure(err) }

// A Bar is when a question was under way, in parts of the time of all.
type Bar struct{ X, Width float64 }

// Bars are those of the questions.
func (v *View) Bars() []Bar {
	var total time.Duration = 1
	for _, q := range v.Questions {
		total = max(total, q.until)
	}
	bars := make([]Bar, len(v.Questions))
	for i, q := range v.Questions {
		x := 100 * float64(q.from) / float64(total)
		bars[i] = Bar{X: max(x, 0), Width: max(100*float64(q.until-q.from)/float64(total), 1)}
	}
	return bars
}
