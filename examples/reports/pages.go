package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

//go:embed web
var web embed.FS

// A filter is what the address of a page says of what to show.
type filter struct {
	Days  int
	Class rollout.Class // or ""
	Query string        // in the name
	New   bool
	All   bool
	owner
	Name string // of the source
}

// maxNotMine is how many senders an address may say to be others'.
const maxNotMine = 100

// classes are the kinds of sources, in the order in which they are shown.
var classes = []rollout.Class{rollout.Aligned, rollout.Misaligned, rollout.Forwarded, rollout.Unknown}

func parseFilter(query url.Values) (f filter, err error) {
	f = filter{Days: defaultDays, Query: strings.TrimSpace(query.Get("q")), New: query.Get("new") == "1", All: query.Get("all") == "1",
		Class: rollout.Class(query.Get("class")), Name: query.Get("name"), owner: owner{People: query.Get("people"), NotMine: query["not-mine"]}}
	if days := query.Get("days"); days != "" {
		if f.Days, err = parseDays(days); err != nil {
			return f, fmt.Errorf("days: %w", err)
		}
	}
	switch {
	case f.Class != "" && !slices.Contains(classes, f.Class):
		return f, errors.New("class: neither aligned, misaligned, forwarded nor unknown")
	case f.People != "" && f.People != "yes" && f.People != "no":
		return f, errors.New("people: neither yes nor no")
	case len(f.Query) > 255 || len(f.Name) > 255:
		return f, errors.New("q, name: too long")
	case len(f.NotMine) > maxNotMine:
		return f, errors.New("not-mine: too many")
	}
	return f, nil
}

// A page is what the templates are given.
type page struct {
	Title   string
	Here    string // "domains", "senders", "rollout", "source" or "error"
	Domain  string
	Now     time.Time
	Filter  filter
	Windows []int
	Data    any

	address *url.URL
}

// Link returns the address of this page with other parameters: names and values in turn, where an empty
// value takes one away.
func (p *page) Link(changes ...string) string { return p.To(p.address.Path, changes...) }

// To returns the address of another page with the parameters of this one, changed.
func (p *page) To(path string, changes ...string) string {
	query := p.address.Query()
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			query.Del(changes[i])
		} else {
			query.Set(changes[i], changes[i+1])
		}
	}
	// The default is not part of an address.
	if query.Get("days") == strconv.Itoa(defaultDays) {
		query.Del("days")
	}
	return (&url.URL{Path: path, RawQuery: query.Encode()}).String()
}

// NotMine returns the address of this page with one more sender that is not the owner's.
func (p *page) NotMine(sender string) string {
	query := p.address.Query()
	query.Add("not-mine", sender)
	return (&url.URL{Path: p.address.Path, RawQuery: query.Encode()}).String()
}

// Of returns the address of a page of a domain, which keeps the days alone.
func (p *page) Of(domain, rest string, changes ...string) string {
	path := "/domain/" + url.PathEscape(domain) + rest
	query := url.Values{}
	if p.Filter.Days != defaultDays {
		query.Set("days", strconv.Itoa(p.Filter.Days))
	}
	for i := 0; i+1 < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"n":       number,
	"int":     func(n int) string { return number(int64(n)) },
	"percent": percent,
	"show":    printable,
	"date":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006") },
	"kind":    func(c rollout.Class) string { return headings[c] },
	"means":   func(c rollout.Class) string { return meanings[c] },
	"width": func(part, whole int64) string {
		return strconv.FormatFloat(100*float64(part)/float64(max(whole, 1)), 'f', 2, 64)
	},
	"classes": func() []rollout.Class { return classes },
	"text":    func(c rollout.Class) string { return string(c) },
	"count": func(n int, what string) string {
		if n != 1 {
			what += "s"
		}
		return number(int64(n)) + " " + what
	},
	"add": func(a, b float64) float64 { return a + b },
}).ParseFS(web, "web/*.html"))

// meanings say what a kind of source is, in a sentence or two.
var meanings = map[rollout.Class]string{
	rollout.Aligned:    "Its mail passes DMARC for this domain. There is nothing to do.",
	rollout.Misaligned: "It looks like yours, a host or a provider that you use, but what it proves is not aligned with this domain. Set it up before the policy becomes stricter.",
	rollout.Forwarded:  "It passes on mail that you sent, as forwarders and mailing lists do, and the mail fails for that. Signatures that survive the way help; nothing else that you publish does.",
	rollout.Unknown:    "Nothing shows that it has to do with you. If you know it, set it up. If not, it is what a stricter policy stops.",
}

// A pageError is what is wrong with a request, for people.
type pageError struct {
	status int
	text   string
}

func (e *pageError) Error() string { return e.text }

// handler returns what answers requests.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.domains))
	mux.HandleFunc("GET /domain/{domain}", s.page(s.senders))
	mux.HandleFunc("GET /domain/{domain}/rollout", s.page(s.rollout))
	mux.HandleFunc("GET /domain/{domain}/source", s.page(s.source))
	mux.HandleFunc("/", s.page(func(context.Context, *page) error { return &pageError{http.StatusNotFound, "There is no such page."} }))
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private, max-age=300")
			http.ServeFileFS(w, r, web, "web/"+name)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		mux.ServeHTTP(w, r)
	})
}

// page returns a handler that has fill find what a page shows, and then writes the page.
func (s *site) page(fill func(context.Context, *page) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := &page{Domain: domainName(r.PathValue("domain")), Now: s.now(), Windows: []int{7, 30, 90, 365}, address: r.URL}
		var err error
		if p.Filter, err = parseFilter(r.URL.Query()); err != nil {
			err = &pageError{http.StatusBadRequest, "The address has a filter that cannot be read: " + err.Error() + "."}
		} else {
			err = fill(r.Context(), p)
		}
		status := http.StatusOK
		if err != nil {
			wrong, known := errors.AsType[*pageError](err)
			if !known {
				wrong = &pageError{http.StatusInternalServerError, "The store does not answer: " + err.Error()}
			}
			status, p.Here, p.Title, p.Data = wrong.status, "error", http.StatusText(wrong.status), wrong.text
		}
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, "page.html", p); err != nil {
			http.Error(w, "The page cannot be made.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "private, no-store")
		w.WriteHeader(status)
		_, _ = w.Write(b.Bytes()) // who has gone needs no answer
	}
}
