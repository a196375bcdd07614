package spf

import "github.com/mailverdict/mailverdict/resolver"

// explain fetches what the owner of a domain says of a fail: RFC 7208, section
// 6.2. The result is found by now: whatever goes wrong here only leaves the
// explanation out.
func (c *check) explain(record *Record, current string, t *tracer) {
	exp := record.find(KindExp)
	if exp == nil {
		return
	}
	c.explaining = true
	c.beginStep(t, exp)
	c.result.Explanation = c.explanation(exp, current)
	c.endStep(t, false, nil)
}

func (c *check) explanation(exp *Term, current string) string {
	if c.unmatchable(exp) {
		return ""
	}
	name, fit, stop := c.target(exp, current)
	if stop != nil || !fit {
		return ""
	}
	l, stop := c.get(resolver.Question{Name: name, Type: resolver.TypeTXT})
	if l != nil {
		c.note(l)
	}
	if stop != nil || l.err != nil || len(l.answer.TXT) != 1 {
		return ""
	}
	text := l.answer.TXT[0]
	used, _, _, want := checkMacros(text, true)
	if want != "" {
		return ""
	}
	validated := ""
	if used.has(letterSet("p")) {
		if validated, stop = c.validatedName(current); stop != nil {
			validated = "unknown"
		}
	}
	// A text that is too long to expand whole is cut below in any case.
	expanded, _ := c.expand(text, current, validated)
	return printable(expanded, c.limits.ExplanationOctets)
}

// printable makes text fit for one line of an SMTP reply, a header or a terminal:
// each character that is not printable ASCII becomes a question mark. The record
// itself has none, but macros bring in what the client said.
func printable(s string, most int) string {
	b := make([]byte, 0, min(len(s), most))
	for _, r := range s {
		if len(b) == most {
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return string(b)
}
