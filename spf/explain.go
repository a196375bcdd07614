package spf

import "github.com/mailverdict/mailverdict/resolver"

// explain fetches what the owner of a domain says of a fail: RFC 7208, section
// 6.2. The result is found by now: whatever goes wrong here only leaves the
// explanation out.
func (e *evaluation) explain(f *frame) {
	exp := f.record.find(KindExp)
	if exp == nil {
		return
	}
	e.explaining = true
	f.beginStep(exp)
	e.explanation = e.explanationBy(exp, f)
	f.endStep(false, ending{}, &e.matcher)
}

func (e *evaluation) explanationBy(exp *Term, f *frame) string {
	name, fit, stop := e.target(exp, f)
	if stop.err != nil || !fit {
		return ""
	}
	l, stop := e.lookup(resolver.Question{Name: name, Type: resolver.TypeTXT}, f, false)
	if stop.err != nil || l.err != nil || len(l.answer.TXT) != 1 {
		return ""
	}
	text := l.answer.TXT[0]
	used, _, _, want := checkMacros(text, true)
	if want != "" {
		return ""
	}
	validated := ""
	if used.has(letter('p')) {
		if validated, stop = e.validatedName(f); stop.err != nil {
			validated = "unknown"
		}
	}
	// A text that is too long to expand whole is cut below in any case.
	expanded, _ := e.expand(text, f.domain, validated)
	return printable(expanded, e.limits.ExplanationOctets)
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
