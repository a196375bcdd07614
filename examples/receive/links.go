package main

import "net/http"

// makeLink shares a message.
func (s *server) makeLink(w http.ResponseWriter, r *http.Request, v *visitor) {
	m := messageOf(r, v)
	if m == nil || m.result() == nil {
		s.problem(w, http.StatusNotFound, "There is no verdict that could be shared.")
		return
	}
	view, json := m.share()
	id := s.visitors.share(v, view, json)
	if id == "" {
		s.problem(w, http.StatusServiceUnavailable, "There are too many links already. Delete some, or try again tomorrow.")
		return
	}
	http.Redirect(w, r, "/r/"+id, http.StatusSeeOther)
}

func (s *server) showShared(w http.ResponseWriter, r *http.Request) {
	l, ok := s.visitors.shared(r.PathValue("id"))
	if !ok {
		s.problem(w, http.StatusNotFound, "This page does not exist any more.")
		return
	}
	s.write(w, http.StatusOK, page{Shared: "/r/" + r.PathValue("id"), Message: l.view.Page(), Until: l.until, Ended: true, Number: l.view.Number})
}

func (s *server) sharedJSON(w http.ResponseWriter, r *http.Request) {
	l, _ := s.visitors.shared(r.PathValue("id"))
	s.writeJSON(w, l.json)
}

func (s *server) deleteShared(w http.ResponseWriter, r *http.Request) {
	s.visitors.unshare(r.PathValue("id"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
