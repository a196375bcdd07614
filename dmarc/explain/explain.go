// Package explain says in words why a message got its verdict.
//
// [Steps] lays a result out as the steps that led to it: the session, the From field, SPF
// and its alignment, each signature and its alignment, where the policy was found, what
// it says, and the verdict. [Text] and [HTML] render them:
//
//	steps := explain.Steps(result)
//	explain.Text(os.Stdout, steps, explain.TextOptions{Color: true})
//
// [Summary] is the verdict for somebody who knows nothing of mail, and [Fix] what the
// sender can do about it. Both are the end of what Text writes.
//
// All of it is a function of the result: no DNS, no clock. SPF is explained term by term
// where the Verifier was asked to trace it:
//
//	var verifier dmarc.Verifier
//	verifier.SPF.Trace = true
//
// # What a sender wrote
//
// Text from the message, from SMTP and from DNS is escaped in all that the package returns
// and writes. Control characters, line ends, escape sequences, and characters that are
// invisible or turn the direction of text appear as \u escapes; what is not UTF-8 appears as
// U+FFFD; and a text of more than 400 characters is cut. So a Step is fit for a terminal or a
// log line as it is. For a page, HTML escapes it for HTML too.
package explain

import "github.com/mailverdict/mailverdict/dmarc"

// A Step is one step on the way to a verdict: a question and its answer. Fields that have
// nothing to say are empty.
type Step struct {
	Kind  Kind   `json:"kind"`
	Title string `json:"title"`           // "DKIM signature 1 of 2"
	Input string `json:"input,omitempty"` // what went in: "shop.example, selector s1"

	Outcome string `json:"outcome,omitempty"` // a word or two: "pass", "not aligned"
	Tone    Tone   `json:"tone,omitempty"`

	Evidence []Fact `json:"evidence,omitempty"`
	Rule     string `json:"rule,omitempty"`    // what decides
	Section  string `json:"section,omitempty"` // and where that stands: "RFC 7208, section 4.6.2"

	Consequence string `json:"consequence,omitempty"` // what it means for the verdict

	// Fix is what to do about it: the same as the function Fix, in the last step only.
	Fix string `json:"fix,omitempty"`

	// Steps are the terms of an SPF record, and within them those of the records that
	// they include.
	Steps []Step `json:"steps,omitempty"`
}

// A Fact is one line of evidence.
type Fact struct {
	Label string `json:"label"` // "key"
	Text  string `json:"text"`
}

// Kind says what a step is about, in a word that programs can rely on.
type Kind string

// The kinds, in the order in which Steps has them.
const (
	KindSession       Kind = "session"        // client, HELO and MAIL FROM
	KindAuthor        Kind = "author"         // the From field and the Author Domain
	KindSPF           Kind = "spf"            // for MAIL FROM; its Steps are the terms
	KindSPFTerm       Kind = "spf-term"       // within KindSPF
	KindSPFAlignment  Kind = "spf-alignment"  // of the MAIL FROM domain
	KindHELO          Kind = "spf-helo"       // SPF for HELO
	KindDKIM          Kind = "dkim"           // one for each signature
	KindDKIMAlignment Kind = "dkim-alignment" // of its d=, after it
	KindDiscovery     Kind = "discovery"      // where the DMARC record is
	KindPolicy        Kind = "policy"         // what it says
	KindVerdict       Kind = "verdict"        // always the last
)

// Tone says what an outcome means for the message, for colours and the like.
type Tone string

const (
	ToneNone Tone = ""     // nothing
	ToneGood Tone = "good" // it speaks for the message
	ToneBad  Tone = "bad"  // it speaks against it
	ToneOpen Tone = "open" // it does not count, or could not be found out
)

// Steps explains a result. The last step is the verdict, always.
func Steps(r *dmarc.Result) []Step {
	steps := []Step{sessionStep(r), authorStep(r)}
	steps = append(steps, spfSteps(r)...)
	steps = append(steps, dkimSteps(r)...)
	steps = append(steps, policySteps(&r.DMARC)...)
	steps = append(steps, verdictStep(r))
	for i := range steps {
		steps[i].escape()
	}
	return steps
}

// escape makes all text of a step fit to be shown.
func (s *Step) escape() {
	for _, text := range []*string{&s.Title, &s.Input, &s.Outcome, &s.Rule, &s.Section, &s.Consequence, &s.Fix} {
		*text = visible(*text)
	}
	for i := range s.Evidence {
		s.Evidence[i].Label = visible(s.Evidence[i].Label)
		s.Evidence[i].Text = visible(s.Evidence[i].Text)
	}
	for i := range s.Steps {
		s.Steps[i].escape()
	}
}

// add appends a line of evidence, unless there is nothing to say.
func (s *Step) add(label, text string) {
	if text != "" {
		s.Evidence = append(s.Evidence, Fact{label, text})
	}
}
