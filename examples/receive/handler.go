package main

import (
	"io"
	"net/http"
	"strings"
)

// handler has all paths. There are no cookies: the path of a visitor is the key to what the visitor has.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	// Paths below that of a visitor.
	keyed := func(method, path string, f func(http.ResponseWriter, *http.Request, *visitor)) {
		mux.HandleFunc(method+" /s/{key}"+path, func(w http.ResponseWriter, r *http.Request) {
			if v := s.visitors.find(r.PathValue("key")); v != nil {
				f(w, r, v)
				return
			}
			s.problem(w, http.StatusNotFound, "This address does not exist any more. What it showed has been deleted.")
		})
	}
	// The same for those who are no visitors yet: nil.
	both := func(method, path string, f func(http.ResponseWriter, *http.Request, *visitor)) {
		mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) { f(w, r, nil) })
		keyed(method, path, f)
	}
	for _, way := range []string{"paste", "stories", "domain"} {
		both("GET", "/"+way, func(w http.ResponseWriter, _ *http.Request, v *visitor) { s.showWay(w, http.StatusOK, way, v, "") })
	}
	both("POST", "/paste", s.postPaste)
	both("POST", "/stories", s.postStory)
	both("POST", "/domain", s.postDomain)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { s.showWay(w, http.StatusOK, "send", nil, "") })
	mux.HandleFunc("POST /session", s.makeSession)
	mux.HandleFunc("POST /api/session", s.apiSession)
	keyed("GET", "", s.showLast)
	keyed("GET", "/events", s.stream)
	keyed("POST", "/delete", s.deleteVisitor)
	keyed("GET", "/{n}", s.showMessage)
	keyed("GET", "/{n}/events", s.stream)
	keyed("GET", "/{n}/result.json", s.showJSON)
	keyed("GET", "/{n}/whatif", s.showWhatIf)
	keyed("POST", "/{n}/link", s.makeLink)

	mux.HandleFunc("GET /r/{id}", s.showShared)
	mux.HandleFunc("GET /r/{id}/result.json", s.sharedJSON)
	mux.HandleFunc("POST /r/{id}/delete", s.deleteShared)
	assets(mux)
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "User-agent: *\nDisallow: /\n") })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, http.StatusNotFound, "There is no such page.")
	})
	// No other site may use up what a browser's owner may have here.
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.problem(w, http.StatusForbidden, "Another site sent this form. Use the one on the page.")
	}))
	return secured(own.Handler(mux))
}

// assets serves the files that the page is made of. Their names change when they do.
func assets(mux *http.ServeMux) {
	for _, name := range []string{"style.css", "app.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeFileFS(w, r, web, "web/"+name)
		})
	}
}

// secured adds the fields that every answer has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers say of our own forms that they come from nowhere
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// showWay shows one of the ways to bring a message, with what was wrong with the last try.
func (s *server) showWay(w http.ResponseWriter, status int, way string, v *visitor, wrong string) {
	p := page{Way: way, Error: wrong}
	switch way {
	case "stories":
		p.Stories = s.stories
	case "send":
		p.Stories, p.Sample = s.featured(), s.sample
	}
	p.fill(v)
	s.write(w, status, p)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
