// Package show turns a message on its way into pieces of a page: the conversation, the DNS questions,
// the SPF record as a tree, what each signature covers, how names are aligned, and the verdict.
//
// A View grows while a message comes. Every method that adds to it returns the piece of page that
// changed, and Page is all of it: who sees the pieces come, and who reloads, see the same. The words are
// those of package explain. All text of senders is escaped for HTML.
package show

import (
	"html/template"
	"strconv"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/examples/received"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// What of a message is shown at most. The verdict takes all of it into account.
const (
	maxFields    = 150
	maxQuestions = 150
	maxTerms     = 120 // of an SPF tree
)

// A View is what a page shows of one message. It is for one goroutine at a time.
type View struct {
	Number     int
	Via        string // "by SMTP", "pasted", "story: …"
	Base       string // path below which the page of the message is
	AuthservID string // for Authentication-Results

	Start    time.Time
	Envelope dmarc.Envelope
	Notes    []string // what a reader should know of how the message was read

	Lines     []Line
	Fields    []Field
	More      int // fields that are not shown
	Body      *Body
	Author    *Step
	Questions []Question
	Cards     []Card
	Failed    string // why the message did not come to its end, or is empty

	Result *dmarc.Result // nil until the verdict is there
	Chosen Change        // what the page changes of the policy

	explained *explain.Explanation
	live      liveSPF
}

// New returns the view of a message that begins now.
func New(start time.Time, via string, e dmarc.Envelope) *View {
	return &View{Start: start, Via: via, Envelope: e, live: newLiveSPF(e)}
}

// A Line is a line of the SMTP conversation, or a few words in place of many.
type Line struct {
	ID     string
	Server bool // the server says it, not the client
	Text   string
	Note   bool // it is not said, but about what is said
	At     string
}

// Say adds a line of the conversation.
func (v *View) Say(server bool, text string) template.HTML {
	return v.line(Line{Server: server, Text: text})
}

// Note adds a remark to the conversation.
func (v *View) Note(text string) template.HTML { return v.line(Line{Note: true, Text: text}) }

func (v *View) line(l Line) template.HTML {
	l.Text = visible.Line(l.Text)
	l.At, l.ID = after(v.Start), "line-"+strconv.Itoa(len(v.Lines))
	v.Lines = append(v.Lines, l)
	return render("line", l)
}

// Header shows the header.
func (v *View) Header(fields []received.Field) template.HTML {
	v.Fields, v.More = newFields(fields)
	return render("title", v) + render("header", v)
}

// Received shows how large the body is, which is all that is kept of it.
func (v *View) Received(octets int64) template.HTML {
	v.Body = &Body{Octets: octets}
	return render("header", v)
}

// SPF shows the results of SPF, once they are known.
func (v *View) SPF(mailFrom, helo *spf.Result) template.HTML {
	e := explain.ExplainSPF(v.Envelope, mailFrom, helo)
	r := &dmarc.Result{Envelope: v.Envelope, SPF: mailFrom, HELO: helo}
	v.Cards = v.cards(r, e.Steps)
	v.live = liveSPF{}
	return v.show("spf")
}

// Finish shows the rest, in pieces in the order in which they should be seen.
func (v *View) Finish(r *dmarc.Result) []template.HTML {
	v.Result = r
	v.explained = explain.Explain(r)
	v.cover(r)
	v.Cards = v.cards(r, v.explained.Steps)
	pieces := []template.HTML{render("title", v) + render("header", v)}
	for _, c := range v.Cards {
		pieces = append(pieces, v.show(c.ID))
	}
	return append(pieces, render("answer", v)+render("tools", v)+render("dns", v))
}

// Fail says why the message did not come to its end.
func (v *View) Fail(why string) template.HTML {
	v.Failed = visible.Line(why)
	return render("answer", v)
}

// show renders a card and the summary of it.
func (v *View) show(id string) template.HTML {
	for _, c := range v.Cards {
		if c.ID == id {
			return render("card", c) + render("tiles", v)
		}
	}
	return ""
}

// Page is all that is shown so far.
func (v *View) Page() template.HTML { return render("message", v) }

// Sample is the verdict in short, for a page that has no message yet. It has no ids.
func (v *View) Sample() template.HTML { return render("sample", v) }

// Subject is the Subject field, for a list of messages.
func (v *View) Subject() string {
	for _, f := range v.Fields {
		if f.Is("Subject") {
			return decoded(f.Value)
		}
	}
	return ""
}

// Answer is what the verdict means and what to do about it.
func (v *View) Answer() *explain.Answer {
	if v.explained == nil {
		return nil
	}
	return &v.explained.Answer
}

// AnswerHTML is the answer as package explain lays it out.
func (v *View) AnswerHTML() template.HTML {
	return stepHTML(&explain.Explanation{Answer: v.explained.Answer, Reasons: v.explained.Reasons})
}

// AuthenticationResults is the Authentication-Results field.
func (v *View) AuthenticationResults() string { return authres.Format(v.AuthservID, v.Result) }
