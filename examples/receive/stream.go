package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	keepAlive = 15 * time.Second // between two signs of life
	slowest   = 10 * time.Second // that a reader may take for what is written
)

// stream sends the events of a visitor, or of one message, as server-sent events: those after
// Last-Event-ID, or after the query's "after".
func (s *server) stream(w http.ResponseWriter, r *http.Request, v *visitor) {
	message := 0
	if m := messageOf(r, v); m != nil {
		message = m.number
	} else if r.PathValue("n") != "" {
		s.problem(w, http.StatusNotFound, "This message is not kept any more.")
		return
	}
	free := s.streams.take(s.client(r))
	if free == nil {
		s.problem(w, http.StatusTooManyRequests, "Too many pages are open. Close some of them.")
		return
	}
	defer free()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // for nginx
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	last := lastEvent(r)
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for out.err == nil {
		events, more, lost := v.after(last, message)
		if lost {
			out.write("event: reload\ndata: \n\n")
		}
		for _, e := range events {
			last = e.id
			out.event(e)
		}
		if len(events) == 0 && !lost {
			out.write(": \n\n")
		}
		out.flush()
		select {
		case <-more:
		case <-ticker.C:
		case <-v.gone:
			out.write("event: gone\ndata: \n\n")
			out.flush()
			return
		case <-r.Context().Done():
			return
		case <-s.closing.Done():
			return
		}
	}
}

// lastEvent returns the id after which events are asked for.
func lastEvent(r *http.Request) int {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	text, _, _ = strings.Cut(text, ".")
	id, _ := strconv.Atoi(text) // 0 where it is none: from the beginning
	return max(id, 0)
}

// An eventWriter writes events until one cannot be written.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

// event writes an event. Its id has the number of the message too, for the page. It is written line by
// line: a copy for each reader who does not read would take much memory.
func (o *eventWriter) event(e event) {
	o.write(fmt.Sprintf("id: %d.%d\nevent: %s\n", e.id, e.message, e.kind))
	for line := range strings.SplitSeq(lines(e.data), "\n") {
		o.more("data: ")
		o.more(line)
		o.more("\n")
	}
	o.more("\n")
}

// lines returns text whose lines end in LF: in an event CR ends a line too.
func lines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// write writes text, for which and for what is more of it a reader has some time.
func (o *eventWriter) write(text string) {
	if o.err == nil {
		_ = o.control.SetWriteDeadline(time.Now().Add(slowest))
		o.more(text)
	}
}

// more writes more in the same time.
func (o *eventWriter) more(text string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, text)
	}
}

func (o *eventWriter) flush() {
	if o.err == nil {
		o.err = o.control.Flush()
	}
}
