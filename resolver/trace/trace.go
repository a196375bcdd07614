// Package trace watches the DNS questions of a context, in the manner of
// net/http/httptrace:
//
//	ctx = trace.With(ctx, func(e trace.Event) { log.Println(e) })
//	result, err := verifier.Verify(ctx, envelope, message)
//
// It shows which server answered and what was remembered. A program that only counts or
// logs questions is better served by [resolver.Wrap], which costs less: where questions are
// traced, those that a Cache holds the answer to take a goroutine too.
package trace

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// An Event is a question and what became of it.
type Event struct {
	Question resolver.Question `json:"question"`
	Answer   resolver.Answer   `json:"answer"`             // zero where Err is not nil
	Err      error             `json:"-"`                  // as Resolve returned it; in JSON "reason" and "cause"
	Server   string            `json:"server,omitempty"`   // host:port that answered, "" where not known
	Start    time.Time         `json:"start"`              // when it was asked
	Duration time.Duration     `json:"duration,omitempty"` // until the outcome was known, in nanoseconds

	// Cached says that no server was asked for this: the outcome was remembered,
	// or another caller's question brought it.
	Cached bool `json:"cached,omitempty"`

	// Stale says that the answer is past its time and was given because asking
	// again failed. RFC 8767.
	Stale bool `json:"stale,omitempty"`
}

// With returns a context whose questions are reported to done, and to those that ctx
// reports them to already.
//
// Done is called once for each question that a resolver of package resolver was asked, when
// its outcome is known, in the goroutine that asked and before Resolve returns. Questions
// asked side by side call it side by side: it must be safe for concurrent use. Resolvers that
// wrap each other report a question once.
func With(ctx context.Context, done func(Event)) context.Context {
	return resolver.Trace(seam.Internal{}, ctx, func(q resolver.Question, a resolver.Answer, err error, d seam.Details) {
		done(Event{q, a, err, d.Server, d.Start, d.Duration, d.Cached, d.Stale})
	})
}

// String returns the event as one line, safe to print.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.Question.String())
	b.WriteString(": ")
	if e.Err == nil {
		b.WriteString(e.Answer.String())
	} else {
		b.WriteString(strings.TrimPrefix(e.Err.Error(), e.Question.String()+": "))
	}
	var notes []string
	switch {
	case e.Stale:
		notes = append(notes, "stale")
	case e.Cached:
		notes = append(notes, "cached")
	}
	if e.Server != "" && e.Err == nil {
		notes = append(notes, "server "+e.Server)
	}
	if !e.Cached {
		notes = append(notes, e.Duration.Round(time.Microsecond).String())
	}
	if len(notes) > 0 {
		b.WriteString(" (" + strings.Join(notes, ", ") + ")")
	}
	return b.String()
}

// LogValue returns the fields that an operator wants to see. It implements
// [slog.LogValuer].
func (e Event) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("question", e.Question.String())}
	if e.Err == nil {
		attrs = append(attrs, slog.String("answer", e.Answer.String()))
	} else {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	if e.Server != "" {
		attrs = append(attrs, slog.String("server", e.Server))
	}
	attrs = append(attrs, slog.Duration("duration", e.Duration))
	if e.Cached {
		attrs = append(attrs, slog.Bool("cached", true))
	}
	if e.Stale {
		attrs = append(attrs, slog.Bool("stale", true))
	}
	return slog.GroupValue(attrs...)
}

// plain is an Event without its methods, so that the JSON of the fields can be had.
type plain Event

type jsonEvent struct {
	plain
	cause.JSON
}

// MarshalJSON writes the fields, and the error as its text ("reason") and word ("cause").
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonEvent{plain(e), resolver.Causes(seam.Internal{}).JSON(e.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Event) UnmarshalJSON(text []byte) error {
	var v jsonEvent
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*e = Event(v.plain)
	e.Err = resolver.Causes(seam.Internal{}).Error(v.JSON)
	return nil
}
