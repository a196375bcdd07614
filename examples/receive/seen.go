package main

import (
	"io"
	"net/http"
	"strconv"

	"github.com/mailverdict/mailverdict/examples/receive/show"
)

func messageOf(r *http.Request, v *visitor) *message {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 {
		return nil
	}
	return v.message(n)
}

// showLast shows the address, and the message that came last.
func (s *server) showLast(w http.ResponseWriter, r *http.Request, v *visitor) {
	s.showOne(w, r, v, v.message(0), "send")
}

// showMessage shows one message.
func (s *server) showMessage(w http.ResponseWriter, r *http.Request, v *visitor) {
	m := messageOf(r, v)
	if m == nil {
		s.problem(w, http.StatusNotFound, "This message is not kept any more.")
		return
	}
	s.showOne(w, r, v, m, "")
}

func (s *server) showOne(w http.ResponseWriter, r *http.Request, v *visitor, m *message, way string) {
	p := page{Way: way, Live: v.path() + "/events"}
	// What comes after this event may be in the page already: a piece replaces the one that is there.
	_, p.After = v.kept()
	if m == nil {
		p.Stories = s.featured()
	} else {
		change, err := changeOf(r)
		if err != nil {
			s.problem(w, http.StatusBadRequest, "That is no policy: "+err.Error()+".")
			return
		}
		p.Message, p.Number, p.Ended = m.page(change), m.number, m.hasEnded()
		if way == "" {
			p.Live = "" // a message that has ended does not change
			if !p.Ended {
				p.Live = v.path() + "/" + strconv.Itoa(m.number) + "/events"
			}
		}
	}
	p.fill(v)
	s.write(w, http.StatusOK, p)
}

// changeOf reads what to change of the policy.
func changeOf(r *http.Request) (show.Change, error) {
	q := r.URL.Query()
	c := show.Change{P: q.Get("p"), SP: q.Get("sp"), ADKIM: q.Get("adkim"), ASPF: q.Get("aspf")}
	return c, c.Check()
}

func (s *server) showWhatIf(w http.ResponseWriter, r *http.Request, v *visitor) {
	m := messageOf(r, v)
	change, err := changeOf(r)
	if m == nil || err != nil {
		s.problem(w, http.StatusNotFound, "There is no such verdict.")
		return
	}
	html, ok := m.whatIf(change)
	if !ok {
		s.problem(w, http.StatusNotFound, "There is no verdict yet, or no policy that could be another.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, string(html))
}

func (s *server) showJSON(w http.ResponseWriter, r *http.Request, v *visitor) {
	m := messageOf(r, v)
	if m == nil {
		s.problem(w, http.StatusNotFound, "This message is not kept any more.")
		return
	}
	s.writeJSON(w, m.result())
}

func (s *server) writeJSON(w http.ResponseWriter, text []byte) {
	if text == nil {
		s.problem(w, http.StatusNotFound, "There is no result yet.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}
