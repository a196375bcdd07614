package main

import (
	"encoding/json"
	"io"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A jsonMessage is the object for one message. Everything but the keys here is the result
// itself: what a program logs.
type jsonMessage struct {
	File string `json:"file"`
	*dmarc.Result
	EnvelopeFrom          origins     `json:"envelope_from"`
	AuthenticationResults string      `json:"authentication_results"`
	DNS                   []jsonEvent `json:"dns,omitempty"` // with -v
}

// writeJSON writes one line.
func writeJSON(w io.Writer, o *options, out outcome) error {
	return encode(w, jsonMessage{
		File:                  out.file,
		Result:                out.result,
		EnvelopeFrom:          out.from,
		AuthenticationResults: authres.Formatter{}.Value(o.authservID, out.result),
		DNS:                   jsonEvents(out.dns),
	})
}

// A jsonSPF is the object for SPF alone.
type jsonSPF struct {
	SPF  *spf.Result `json:"spf"`
	HELO *spf.Result `json:"helo,omitempty"`
	DNS  []jsonEvent `json:"dns,omitempty"`
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

func jsonEvents(events []resolver.Event) []jsonEvent {
	var list []jsonEvent
	for _, e := range events {
		list = append(list, jsonEvent{
			Name:    e.Question.Name,
			Type:    e.Question.Type.String(),
			Records: records(e.Answer),
			Error:   failure(e.Err),
			Server:  e.Server,
			Cached:  e.Cached,
			Seconds: e.Duration.Seconds(),
		})
	}
	return list
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
