// Package verdictjson writes the result of a message as the JSON that examples/verify documents, for
// every program that gives it.
package verdictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/resolver/trace"
	"github.com/mailverdict/mailverdict/spf"
)

// A jsonMessage is the object for one message. Everything but the keys here is the result
// itself: what a program logs.
type jsonMessage struct {
	File     string       `json:"file"`
	Envelope jsonEnvelope `json:"envelope"` // in place of that of the result
	*dmarc.Result
	ARC                   *jsonARC         `json:"arc,omitempty"` // in place of that of the result
	Problems              []jsonProblem    `json:"problems,omitempty"`
	EnvelopeFrom          envelope.Origins `json:"envelope_from"`
	Notes                 []string         `json:"notes,omitempty"` // what was left out of the file
	Answer                explain.Answer   `json:"answer"`
	AuthenticationResults string           `json:"authentication_results"`
	DNS                   []jsonEvent      `json:"dns,omitempty"` // with -v
}

// A jsonEnvelope is an envelope without what is not known: an empty MAIL FROM is the null
// sender.
type jsonEnvelope struct {
	IP       *netip.Addr `json:"ip,omitempty"`
	HELO     *string     `json:"helo,omitempty"`
	MailFrom *string     `json:"mail_from,omitempty"`
}

func knownEnvelope(e dmarc.Envelope, from envelope.Origins) jsonEnvelope {
	var known jsonEnvelope
	if from.IP != envelope.FromNowhere {
		known.IP = &e.IP
	}
	if from.HELO != envelope.FromNowhere {
		known.HELO = &e.HELO
	}
	if from.MailFrom != envelope.FromNowhere {
		known.MailFrom = &e.MailFrom
	}
	return known
}

// A Checked is a message that was checked.
type Checked struct {
	File   string
	Result *dmarc.Result
	From   envelope.Origins // of the envelope
	Notes  []string         // what was taken away from around the message

	AuthservID string // for Authentication-Results

	// Verbose adds DNS, and the terms that SPF went through.
	Verbose bool
	DNS     []trace.Event
}

// Write writes the object on one line.
func (c Checked) Write(w io.Writer) error {
	result := *c.Result
	if !c.Verbose {
		result.SPF, result.HELO = withoutTrace(result.SPF), withoutTrace(result.HELO)
	}
	m := jsonMessage{
		File:                  c.File,
		Envelope:              knownEnvelope(c.Result.Envelope, c.From),
		Result:                &result,
		ARC:                   arcOf(c.Result),
		Problems:              problems(c.Result),
		EnvelopeFrom:          c.From,
		Notes:                 c.Notes,
		Answer:                explain.Explain(c.Result).Answer,
		AuthenticationResults: authres.Formatter{}.Value(c.AuthservID, c.Result),
	}
	if c.Verbose {
		m.DNS = jsonEvents(c.DNS)
	}
	return encode(w, m)
}

// A jsonARC is the chain of seals, and the short of it: how many sets there are, who sealed, and
// whether one whom the receiver trusts vouched for the message.
type jsonARC struct {
	Instances int      `json:"instances"`
	Trusted   bool     `json:"trusted"`
	Sealers   []string `json:"sealers"`
	*arcResult
}

// An arcResult has the keys of arc.Result.
type arcResult struct {
	Status     arc.Status `json:"status"`
	OldestPass int        `json:"oldest_pass"`
	Sets       []arc.Set  `json:"sets,omitempty"`
	Reason     string     `json:"reason,omitempty"`
}

func arcOf(r *dmarc.Result) *jsonARC {
	if r.ARC == nil {
		return nil
	}
	j := &jsonARC{
		Instances: len(r.ARC.Sets),
		Sealers:   r.ARC.Sealers(),
		arcResult: &arcResult{Status: r.ARC.Status, OldestPass: r.ARC.OldestPass, Sets: r.ARC.Sets},
		Trusted:   slices.ContainsFunc(r.Indirect, func(e indirect.Evidence) bool { return e.Kind == indirect.KindTrustedSealer }),
	}
	if r.ARC.Err != nil {
		j.Reason = r.ARC.Err.Error()
	}
	return j
}

// A jsonProblem is a fault of what the sender published or wrote.
type jsonProblem struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
}

// problems returns what is wrong with a From field that was taken all the same, and with the
// policy record that applies.
func problems(r *dmarc.Result) []jsonProblem {
	var list []jsonProblem
	for _, p := range r.Author.Problems {
		list = append(list, jsonProblem{p.Kind.String(), p.Detail})
	}
	if r.DMARC.Discovery == nil {
		return list
	}
	for _, q := range r.DMARC.Discovery.Queries {
		if q.Record == nil || q.Domain != r.DMARC.PolicyDomain {
			continue
		}
		for _, p := range q.Record.Problems {
			list = append(list, jsonProblem{"policy-" + p.Kind.String(), p.String()})
		}
	}
	return list
}

// withoutTrace returns a result without the terms that it went through, which the answer is
// made of.
func withoutTrace(r *spf.Result) *spf.Result {
	if r == nil {
		return nil
	}
	short := *r
	short.Evaluation = nil
	return &short
}

// A jsonSPF is the object for SPF alone.
type jsonSPF struct {
	SPF  *spf.Result `json:"spf"`
	HELO *spf.Result `json:"helo,omitempty"`
	DNS  []jsonEvent `json:"dns,omitempty"`
}

// WriteSPF writes the object for SPF alone, as Write does.
func (c Checked) WriteSPF(w io.Writer) error {
	j := jsonSPF{c.Result.SPF, c.Result.HELO, jsonEvents(c.DNS)}
	if !c.Verbose {
		j.SPF, j.HELO = withoutTrace(j.SPF), withoutTrace(j.HELO)
	}
	return encode(w, j)
}

// A jsonEvent is a DNS question and what became of it.
type jsonEvent struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Records []string `json:"records,omitempty"`
	Error   string   `json:"error,omitempty"`
	Server  string   `json:"server,omitempty"`
	Cached  bool     `json:"cached,omitempty"`
	Seconds float64  `json:"seconds"`
}

func jsonEvents(events []trace.Event) []jsonEvent {
	var list []jsonEvent
	for _, e := range events {
		list = append(list, jsonEvent{
			Name:    e.Question.Name,
			Type:    e.Question.Type.String(),
			Records: Records(e.Answer),
			Error:   Failure(e.Err),
			Server:  e.Server,
			Cached:  e.Cached,
			Seconds: e.Duration.Seconds(),
		})
	}
	return list
}

// Records returns the records of an answer as text.
func Records(a resolver.Answer) []string {
	list := append([]string(nil), a.TXT...)
	for _, addr := range a.Addrs {
		list = append(list, addr.String())
	}
	for _, mx := range a.MX {
		list = append(list, fmt.Sprintf("%d %s", mx.Preference, mx.Host))
	}
	return append(list, a.PTR...)
}

// Failure returns what became of a question without an answer, without the question.
func Failure(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*resolver.Error](err); ok {
		err = e.Err
	}
	return err.Error()
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
