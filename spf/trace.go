package spf

import (
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/resolver"
)

// An Evaluation is one record as it was evaluated: Result.Evaluation, for Options.Trace.
type Evaluation struct {
	Domain string `json:"domain"`
	Record string `json:"record,omitempty"` // empty where there was none
	Steps  []Step `json:"steps,omitempty"`  // in order, as far as they were evaluated
	Status Status `json:"status"`
	Err    error  `json:"-"` // as Result.Err
}

// String returns the domain and what came of its record, in one line.
func (e Evaluation) String() string {
	text := visible(e.Domain) + ": " + e.Status.String()
	if e.Err != nil {
		text += ": " + visible(e.Err.Error())
	}
	return text
}

// A Step is one term of a record as it was evaluated.
type Step struct {
	Term     string `json:"term"`               // as it stands in the record
	Expanded string `json:"expanded,omitempty"` // its domain after macro expansion, where it has one

	// Answers are the DNS questions of the term and what came back, in order.
	Answers []Answer `json:"answers,omitempty"`

	Match bool  `json:"match"`
	Err   error `json:"-"` // why the term ended the evaluation, or nil

	// Running counts after the term.
	Lookups     int `json:"lookups"`
	VoidLookups int `json:"void_lookups"`

	// Nested is the record of an include or redirect.
	Nested *Evaluation `json:"nested,omitempty"`
}

// String returns the term and what came of it, in one line.
func (s Step) String() string {
	switch {
	case s.Err != nil:
		return visible(s.Term) + ": " + visible(s.Err.Error())
	case s.Match:
		return visible(s.Term) + ": match"
	}
	return visible(s.Term) + ": no match"
}

// An Answer is one DNS question of a term and its outcome, in text.
type Answer struct {
	Question resolver.Question `json:"question"`
	Records  []string          `json:"records,omitempty"` // in presentation form, escaped
	Err      error             `json:"-"`
}

// String returns the question and its records, or what went wrong, in one line.
func (a Answer) String() string {
	question := a.Question.String()
	if a.Err == nil {
		return visible(question + ": " + strings.Join(a.Records, ", "))
	}
	// The errors of package resolver begin with the question.
	return visible(question + ": " + strings.TrimPrefix(a.Err.Error(), question+": "))
}

// What follows writes the evaluation down. Without Options.Trace it does nothing.

// beginTrace begins the trace of the record of a domain: that of the identity, or of
// the include or redirect that is under evaluation in outer.
func (e *evaluation) beginTrace(name string, outer *frame) *Evaluation {
	t := &Evaluation{Domain: name}
	if outer == nil {
		e.evaluation = t
	} else {
		outer.step.Nested = t
	}
	return t
}

// endTrace says what came of the record.
func (f *frame) endTrace(o outcome) {
	if f.trace != nil {
		f.trace.Status, f.trace.Err = o.status, o.err
	}
}

// traceRecord says which text was found.
func (f *frame) traceRecord() {
	if f.trace != nil {
		f.trace.Record = f.record.Text
	}
}

// beginStep begins the trace of a term.
func (f *frame) beginStep(t *Term) {
	if f.trace != nil {
		f.step = &Step{Term: t.Text}
	}
}

// endStep ends the trace of the term under evaluation.
func (f *frame) endStep(match bool, stop ending, m *matcher) {
	if f.trace == nil {
		return
	}
	f.step.Match = match
	if stop.err != nil {
		f.step.Err = stop.err
	}
	f.step.Lookups, f.step.VoidLookups = m.lookups, m.voids
	f.trace.Steps = append(f.trace.Steps, *f.step)
}

// traceName notes the name that the term under evaluation is about.
func (f *frame) traceName(t *Term, name string) {
	if f.trace != nil && t.spec != "" {
		f.step.Expanded = escape(name)
	}
}

// traceAnswer notes a DNS question of the term under evaluation.
func (f *frame) traceAnswer(l *lookup) {
	if f == nil || f.trace == nil {
		return
	}
	f.step.Answers = append(f.step.Answers, Answer{
		Question: l.question,
		Records:  presentation(l.answer),
		Err:      l.err,
	})
}

// presentation writes the records of an answer as a zone file has them, with the
// escapes of RFC 1035, section 5.1, for whatever is not printable ASCII.
func presentation(a *resolver.Answer) []string {
	var records []string
	for _, txt := range a.TXT {
		records = append(records, `"`+escape(txt)+`"`)
	}
	for _, addr := range a.Addrs {
		records = append(records, addr.String())
	}
	for _, mx := range a.MX {
		records = append(records, strconv.Itoa(int(mx.Preference))+" "+escape(mx.Host))
	}
	for _, name := range a.PTR {
		records = append(records, escape(name))
	}
	return records
}

// escape writes text as a zone file has it between quotes: RFC 1035, section 5.1.
func escape(s string) string { return escapeOctets(s, `"\`) }

// visible writes text for one line of a log: only what is not printable ASCII is escaped.
func visible(s string) string { return escapeOctets(s, "") }

// escapeOctets escapes the octets that are special, and those that are not printable ASCII.
func escapeOctets(s, special string) string {
	isClean := func(c byte) bool { return c >= ' ' && c <= '~' && strings.IndexByte(special, c) < 0 }
	clean := 0
	for clean < len(s) && isClean(s[clean]) {
		clean++
	}
	if clean == len(s) {
		return s
	}
	b := []byte(s[:clean])
	for i := clean; i < len(s); i++ {
		switch c := s[i]; {
		case isClean(c):
			b = append(b, c)
		case strings.IndexByte(special, c) >= 0:
			b = append(b, '\\', c)
		default:
			b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		}
	}
	return string(b)
}
