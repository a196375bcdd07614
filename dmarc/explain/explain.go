// Package explain says in words why a message got its verdict.
//
// [Steps] lays a result out as the steps that led to it: what the session and the From
// field say, SPF, its alignment, each signature, its alignment, the policy, the verdict.
// [Text] and [HTML] render them. [Summary] is the one sentence for somebody who knows
// nothing of mail, and [Fix] what the owner of the domain can do about it:
//
//	steps := explain.Steps(result)
//	explain.Text(os.Stdout, steps, explain.TextOptions{Color: true})
//
// All of it is a function of the result: no DNS, no clock. For SPF term by term, set
// Trace in the Verifier's SPF.
//
// What a sender wrote, in the message, in SMTP or in DNS, is escaped here: control
// characters, escape sequences and marks that turn the direction of text appear as \u
// escapes, and nothing is longer than a few lines. The result is fit for a terminal and
// a log line as it is; HTML escapes it once more for a page.
package explain

import "github.com/mailverdict/mailverdict/dmarc"

// A Step is one step on the way to a verdict: a question, and its answer. Empty fields
// have nothing to say.
type Step struct {
	Kind  Kind   `json:"kind"`
	Title string `json:"title"` // "DKIM signature 1 of 2"
	Input string `json:"input"` // what went in: "example.com, selector s1"

	Rule string `json:"rule,omitempty"` // which rule decides, with its section

	Evidence []Fact `json:"evidence,omitempty"`

	Outcome string `json:"outcome,omitempty"` // one word or two: "pass", "not aligned"
	Tone    Tone   `json:"tone,omitempty"`    // what the outcome is like

	Consequence string `json:"consequence,omitempty"` // what it means for the verdict
	Fix         string `json:"fix,omitempty"`         // what to do about it; last step only

	// Steps are the terms of an SPF record, and those of the records that it includes.
	Steps []Step `json:"steps,omitempty"`
}

// A Fact is one line of evidence.
type Fact struct {
	Label string `json:"label"` // "key", "body hash"
	Text  string `json:"text"`
}

// Kind says what a step is about, in a word that programs can rely on.
type Kind string

// The kinds, in the order in which Steps has them.
const (
	KindSession       Kind = "session"        // client, HELO and MAIL FROM
	KindAuthor        Kind = "author"         // the From field and the Author Domain
	KindSPF           Kind = "spf"            // for MAIL FROM; Steps are the terms
	KindSPFTerm       Kind = "spf-term"       // within KindSPF
	KindHELO          Kind = "spf-helo"       // SPF for HELO
	KindSPFAlignment  Kind = "spf-alignment"  // of the MAIL FROM domain
	KindDKIM          Kind = "dkim"           // one for each signature
	KindDKIMAlignment Kind = "dkim-alignment" // of its d=
	KindDiscovery     Kind = "discovery"      // where DNS has a DMARC record
	KindPolicy        Kind = "policy"         // what it says
	KindVerdict       Kind = "verdict"        // always the last
)

// Tone is what an outcome is like for the message, for colours and signs.
type Tone string

const (
	TonePlain Tone = ""     // neither
	ToneGood  Tone = "good" // it speaks for the message
	ToneBad   Tone = "bad"  // it speaks against it
	ToneOpen  Tone = "open" // it could not be found out, or decides nothing
)

// Steps explains a result. There is always a verdict, as the last step.
func Steps(r *dmarc.Result) []Step {
	return []Step{{
		Kind:        KindVerdict,
		Title:       "Verdict",
		Input:       r.DMARC.AuthorDomain,
		Outcome:     r.DMARC.Status.String(),
		Consequence: Summary(r),
		Fix:         Fix(r),
	}}
}
