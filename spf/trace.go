package spf

import (
	"strconv"

	"github.com/mailverdict/mailverdict/resolver"
)

// A tracer collects the steps of one record. Nil is one that collects nothing:
// nobody has asked for the evaluation.
type tracer struct {
	into  *Evaluation
	outer *Step // the step that was under way when the record was come to
}

// traceRecord begins the evaluation of the record of a domain: that of the check,
// or of the include or redirect that is under way.
func (c *check) traceRecord(name string) *tracer {
	if !c.trace {
		return nil
	}
	t := &tracer{into: &Evaluation{Domain: name}, outer: c.step}
	if t.outer == nil {
		c.result.Evaluation = t.into
	} else {
		t.outer.Nested = t.into
	}
	return t
}

// beginStep makes a term of the record of t the one under way.
func (c *check) beginStep(t *tracer, term *Term) {
	if t != nil {
		c.step = &Step{Term: term.Text}
	}
}

// endStep closes the step of the term under way.
func (c *check) endStep(t *tracer, match bool, stop *ending) {
	if t == nil {
		return
	}
	step := c.step
	step.Match = match
	if stop != nil {
		step.Err = stop.err
	}
	step.Lookups, step.VoidLookups = c.terms, c.voids
	t.into.Steps = append(t.into.Steps, *step)
	c.step = t.outer
}

// record says which text was found.
func (t *tracer) record(r *Record) {
	if t != nil {
		t.into.Record = r.Text
	}
}

// finish says what came of the record.
func (t *tracer) finish(o outcome) {
	if t != nil {
		t.into.Status, t.into.Err = o.status, o.err
	}
}

// traceName notes the name that the term under way is about.
func (c *check) traceName(t *Term, name string) {
	if c.step != nil && t.Domain() != "" {
		c.step.Expanded = escape(name)
	}
}

// traceAnswer notes a DNS question of the term under way.
func (c *check) traceAnswer(l *lookup) {
	if c.step == nil {
		return
	}
	c.step.Answers = append(c.step.Answers, Answer{
		Question: l.question,
		Records:  presentation(l.answer),
		Err:      l.err,
	})
}

// presentation writes the records of an answer as a zone file has them, with the
// escapes of RFC 1035, section 5.1, for whatever is not printable ASCII.
func presentation(a resolver.Answer) []string {
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

func escape(s string) string {
	clean := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b []byte
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
