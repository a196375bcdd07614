package explain

import (
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/visible"
)

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

// The kinds, in the order in which Explanation.Steps has them.
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
	KindForwarding    Kind = "forwarding"     // who may have forwarded or changed the message
	KindReports       Kind = "reports"        // what the Domain Owner asks to be told about it
	KindVerdict       Kind = "verdict"        // always the last
)

// String returns the word.
func (k Kind) String() string { return string(k) }

// Tone says what an outcome means for the message, for colours and the like.
type Tone string

const (
	ToneNone Tone = ""     // nothing
	ToneGood Tone = "good" // it speaks for the message
	ToneBad  Tone = "bad"  // it speaks against it
	ToneOpen Tone = "open" // it does not count, or could not be found out
)

// String returns the word.
func (t Tone) String() string { return string(t) }

// steps explains how a verdict came about. The last step is the verdict, always.
func steps(r *dmarc.Result) []Step {
	list := []Step{sessionStep(r), authorStep(r)}
	list = append(list, spfSteps(r)...)
	list = append(list, dkimSteps(r)...)
	list = append(list, policySteps(&r.DMARC)...)
	list = append(list, forwardingSteps(r)...)
	list = append(list, reportsSteps(r)...)
	list = append(list, verdictStep(r))
	for i := range list {
		list[i].escape()
	}
	return list
}

// escape makes all text of a step fit to be shown.
func (s *Step) escape() {
	for _, text := range []*string{&s.Title, &s.Input, &s.Outcome, &s.Rule, &s.Section, &s.Consequence} {
		*text = visible.Line(*text)
	}
	for i := range s.Evidence {
		s.Evidence[i].Label = visible.Line(s.Evidence[i].Label)
		s.Evidence[i].Text = visible.Line(s.Evidence[i].Text)
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
