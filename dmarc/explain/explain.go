// Package explain says in words why a message got its verdict, and what its sender can do.
//
// [Explain] makes an [Explanation] of a result. It has three parts, for three readers:
//
//	Answer    what it means, in plain words, and what to publish or change, ready to copy
//	Reasons   what SPF, DKIM and DMARC found, in a sentence or two each
//	Steps     how the verdict came about, step by step, with the evidence and the RFC's sections
//
// All of it is data, for programs that lay it out by themselves. Text and HTML lay it out for
// a terminal and for a page:
//
//	e := explain.Explain(result)
//	err := e.Text(os.Stdout, explain.TextOptions{Color: true})
//
// An explanation is a function of the result: no DNS, no clock. SPF is explained term by term,
// and what each include costs is told, where the Verifier was asked to trace it:
//
//	var verifier dmarc.Verifier
//	verifier.SPF.Trace = true
//
// # What a sender wrote
//
// Text from the message, from SMTP and from DNS is escaped in all that the package returns
// and writes. Control characters, line ends, escape sequences, and characters that are
// invisible or turn the direction of text appear as \u escapes; what is not UTF-8 appears as
// U+FFFD; and a text of more than 400 characters is cut (4,000, for the value of a record). So
// every text is fit for a terminal or a log line as it is. For a page, HTML escapes it for
// HTML too.
package explain

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// An Explanation says why a message got its verdict.
type Explanation struct {
	Answer  Answer   `json:"answer"`
	Reasons []string `json:"reasons"` // what SPF, each signature, and DMARC found
	Steps   []Step   `json:"steps"`
}

// Explain explains a result.
func Explain(r *dmarc.Result) *Explanation {
	e := &Explanation{Answer: answer(r), Reasons: reasons(r), Steps: steps(r)}
	e.Answer.escape()
	for i := range e.Reasons {
		e.Reasons[i] = visible.Line(e.Reasons[i])
	}
	return e
}

// String returns the answer's first line.
func (e *Explanation) String() string { return e.Answer.Verdict }
