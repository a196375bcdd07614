package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/receive/show"
)

func itoa(n int) string { return strconv.Itoa(n) }

// handler has all paths. There are no cookies: the path of a visitor is the key to what the visitor has.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.way("send"))
	mux.HandleFunc("GET /paste", s.way("paste"))
	mux.HandleFunc("GET /stories", s.way("stories"))
	mux.HandleFunc("GET /domain", s.way("domain"))
	mux.HandleFunc("POST /domain", func(w http.ResponseWriter, r *http.Request) { s.postDomain(w, r, nil) })
	mux.HandleFunc("POST /session", s.makeSession)
	mux.HandleFunc("POST /api/session", s.apiSession)
	mux.HandleFunc("POST /paste", s.postPaste)
	mux.HandleFunc("POST /stories", s.postStory)

	keyed := func(pattern string, f func(http.ResponseWriter, *http.Request, *visitor)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /s/{key}"+path, func(w http.ResponseWriter, r *http.Request) {
			if v := s.visitors.find(r.PathValue("key")); v != nil {
				f(w, r, v)
				return
			}
			s.problem(w, r, http.StatusNotFound, "This address does not exist any more. What it showed has been deleted.")
		})
	}
	keyed("GET ", s.showLast)
	keyed("GET /paste", func(w http.ResponseWriter, r *http.Request, v *visitor) { s.showWay(w, http.StatusOK, "paste", v, "") })
	keyed("GET /stories", func(w http.ResponseWriter, r *http.Request, v *visitor) {
		s.showWay(w, http.StatusOK, "stories", v, "")
	})
	keyed("GET /domain", func(w http.ResponseWriter, r *http.Request, v *visitor) { s.showWay(w, http.StatusOK, "domain", v, "") })
	keyed("POST /domain", s.postDomain)
	keyed("GET /events", s.stream)
	keyed("POST /paste", func(w http.ResponseWriter, r *http.Request, v *visitor) { s.pasteFor(w, r, v) })
	keyed("POST /stories", func(w http.ResponseWriter, r *http.Request, v *visitor) { s.storyFor(w, r, v) })
	keyed("POST /delete", s.deleteVisitor)
	keyed("GET /{n}", s.showMessage)
	keyed("GET /{n}/events", s.stream)
	keyed("GET /{n}/result.json", s.showJSON)
	keyed("GET /{n}/whatif", s.showWhatIf)
	keyed("POST /{n}/link", s.makeLink)

	mux.HandleFunc("GET /r/{id}", s.showShared)
	mux.HandleFunc("GET /r/{id}/result.json", s.sharedJSON)
	mux.HandleFunc("POST /r/{id}/delete", s.deleteShared)
	for _, name := range []string{"style.css", "app.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeFileFS(w, r, web, "web/"+name)
		})
	}
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "User-agent: *\nDisallow: /\n") })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, http.StatusNotFound, "There is no such page.")
	})
	return secured(mux)
}

// secured adds the fields that every answer has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// client returns who asks: of a request by way of a trusted proxy, the last address that the proxy names.
func (s *server) client(r *http.Request) netip.Prefix {
	p, _ := netip.ParseAddrPort(r.RemoteAddr)
	ip := p.Addr().Unmap()
	for _, proxy := range s.proxies {
		if proxy.Contains(ip) {
			list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			if told, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
				return clientOf(told)
			}
		}
	}
	return clientOf(ip)
}

func (s *server) way(way string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { s.showWay(w, http.StatusOK, way, nil, "") }
}

// showWay shows one of the ways to bring a message, with what was wrong with the last try.
func (s *server) showWay(w http.ResponseWriter, status int, way string, v *visitor, wrong string) {
	p := page{Way: way, Error: wrong}
	switch way {
	case "stories":
		p.Stories = s.stories
	case "send":
		p.Stories = s.featured()
	}
	p.fill(v)
	s.write(w, status, p)
}

// newVisitor makes a visitor, or says that there are too many.
func (s *server) newVisitor(w http.ResponseWriter, r *http.Request) *visitor {
	v := s.visitors.add(s.client(r))
	if v == nil {
		w.Header().Set("Retry-After", "600")
		s.problem(w, r, http.StatusServiceUnavailable, "All addresses are in use. Come again in a few minutes.")
	}
	return v
}

func (s *server) makeSession(w http.ResponseWriter, r *http.Request) {
	if v := s.newVisitor(w, r); v != nil {
		http.Redirect(w, r, v.path(), http.StatusSeeOther)
	}
}

func (s *server) apiSession(w http.ResponseWriter, r *http.Request) {
	v := s.visitors.add(s.client(r))
	w.Header().Set("Content-Type", "application/json")
	if v == nil {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error": "all addresses are in use"}`+"\n")
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"address": v.address(), "events": v.path() + "/events", "page": v.path()})
}

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
		s.problem(w, r, http.StatusNotFound, "This message is not kept any more.")
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
			s.problem(w, r, http.StatusBadRequest, "That is no policy: "+err.Error()+".")
			return
		}
		p.Message, p.Number, p.Ended = m.page(change), m.number, m.hasEnded()
		if way == "" {
			p.Live = "" // a message that has ended does not change
			if !p.Ended {
				p.Live = v.path() + "/" + itoa(m.number) + "/events"
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
		s.problem(w, r, http.StatusNotFound, "There is no such verdict.")
		return
	}
	html, ok := m.whatIf(change)
	if !ok {
		s.problem(w, r, http.StatusNotFound, "There is no verdict yet, or no policy that could be another.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, string(html))
}

func (s *server) showJSON(w http.ResponseWriter, r *http.Request, v *visitor) {
	m := messageOf(r, v)
	if m == nil {
		s.problem(w, r, http.StatusNotFound, "This message is not kept any more.")
		return
	}
	s.writeJSON(w, r, m.result())
}

func (s *server) writeJSON(w http.ResponseWriter, r *http.Request, text []byte) {
	if text == nil {
		s.problem(w, r, http.StatusNotFound, "There is no result yet.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (s *server) postPaste(w http.ResponseWriter, r *http.Request) { s.pasteFor(w, r, nil) }

// pasteFor checks a message that is pasted or uploaded. A visitor is made if there is none.
func (s *server) pasteFor(w http.ResponseWriter, r *http.Request, v *visitor) {
	p, err := readPaste(w, r, s.limits.size)
	var l *letter
	if err == nil {
		l, err = p.read(s.limits.size)
	}
	if err != nil {
		s.showWay(w, http.StatusBadRequest, "paste", v, capital(err.Error())+".")
		return
	}
	if v == nil {
		if v = s.newVisitor(w, r); v == nil {
			return
		}
	}
	n, err := s.check(v, l)
	if err != nil {
		s.showWay(w, http.StatusTooManyRequests, "paste", v, capital(err.Error())+".")
		return
	}
	http.Redirect(w, r, v.path()+"/"+itoa(n), http.StatusSeeOther)
}

// readPaste reads the form.
func readPaste(w http.ResponseWriter, r *http.Request, limit int64) (p pasted, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, limit+limit/2)
	form, err := r.MultipartReader()
	if err != nil {
		return p, errors.New("send the form as it is on the page")
	}
	p.known.Origin = "form"
	for range 10 { // parts
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return p, errors.New("the form did not come to its end, or is larger than 10 MiB")
		}
		text, err := io.ReadAll(io.LimitReader(part, limit+1))
		if err != nil || int64(len(text)) > limit {
			return p, errors.New("the form did not come to its end, or is larger than 10 MiB")
		}
		if err := p.take(part.FormName(), text); err != nil {
			return p, err
		}
	}
	if len(p.text) == 0 {
		return p, errors.New("there is no message in the form: paste one, or choose a file")
	}
	return p, nil
}

// take takes a field of the form.
func (p *pasted) take(name string, text []byte) (err error) {
	value := strings.TrimSpace(string(text[:min(len(text), 1000)]))
	switch {
	case len(text) == 0:
	case name == "message" && p.text == nil, name == "file":
		p.text = text
	case value == "":
	case name == "ip":
		if p.known.IP, err = envelope.ParseIP(value); err != nil {
			return errors.New("the client's address is " + err.Error())
		}
	case name == "helo":
		p.known.HELO = &value
	case name == "from":
		value = envelope.ReversePath(value)
		p.known.MailFrom = &value
	}
	return nil
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func (s *server) postStory(w http.ResponseWriter, r *http.Request) { s.storyFor(w, r, nil) }

// storyFor has a story sent to a visitor. A visitor is made if there is none.
func (s *server) storyFor(w http.ResponseWriter, r *http.Request, v *visitor) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	story := s.story(r.PostFormValue("story"))
	if story == nil {
		s.showWay(w, http.StatusBadRequest, "stories", v, "There is no such story.")
		return
	}
	select {
	case s.checks <- struct{}{}:
	default:
		s.showWay(w, http.StatusServiceUnavailable, "stories", v, capital(errChecks.Error())+".")
		return
	}
	if v == nil {
		if v = s.newVisitor(w, r); v == nil {
			<-s.checks
			return
		}
	}
	go func() {
		defer func() { <-s.checks }()
		if err := s.play(story, v.address()); err != nil {
			s.log.Info("story", "name", story.Name, "reply", err)
		}
	}()
	http.Redirect(w, r, v.path(), http.StatusSeeOther)
}

func (s *server) deleteVisitor(w http.ResponseWriter, r *http.Request, v *visitor) {
	v.deleteLinks()
	v.delete()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// makeLink shares a message.
func (s *server) makeLink(w http.ResponseWriter, r *http.Request, v *visitor) {
	m := messageOf(r, v)
	if m == nil || m.result() == nil {
		s.problem(w, r, http.StatusNotFound, "There is no verdict that could be shared.")
		return
	}
	view, json := m.share()
	id := s.visitors.share(v, view, json)
	if id == "" {
		s.problem(w, r, http.StatusServiceUnavailable, "There are too many links already. Try again tomorrow.")
		return
	}
	http.Redirect(w, r, "/r/"+id, http.StatusSeeOther)
}

func (s *server) showShared(w http.ResponseWriter, r *http.Request) {
	l, ok := s.visitors.shared(r.PathValue("id"))
	if !ok {
		s.problem(w, r, http.StatusNotFound, "This page does not exist any more.")
		return
	}
	s.write(w, http.StatusOK, page{Shared: "/r/" + r.PathValue("id"), Message: l.view.Page(), Until: l.until, Ended: true, Number: l.view.Number})
}

func (s *server) sharedJSON(w http.ResponseWriter, r *http.Request) {
	l, _ := s.visitors.shared(r.PathValue("id"))
	s.writeJSON(w, r, l.json)
}

func (s *server) deleteShared(w http.ResponseWriter, r *http.Request) {
	s.visitors.unshare(r.PathValue("id"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
