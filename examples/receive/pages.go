package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/examples/receive/show"
)

//go:embed web
var web embed.FS

// pages are the templates of the page, with those of messages.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(show.Templates().Funcs(template.FuncMap{"asset": asset}).ParseFS(web, "web/*.html"))
})

// asset returns the path of a file, which changes when the file does: browsers may keep it for ever.
func asset(name string) string {
	content, err := web.ReadFile("web/" + name)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return "/" + name + "?" + hex.EncodeToString(sum[:6])
}

// A page is what the templates show.
type page struct {
	Way     string // "send", "paste", "stories", "domain", or "" where there is no form
	Title   string
	Base    string // path of the visitor, or "" where there is none
	Address string
	Until   time.Time
	Error   string // what was wrong with what was sent
	Demo    bool

	Message  template.HTML
	Number   int    // of the message that is shown
	Live     string // path of the events to follow
	After    int    // the last event that is in the page
	Ended    bool   // the message has come to its end
	Messages []entry
	Stories  []*story
	Sample   *sample    // of the first page
	Domain   domainForm // of Way "domain"

	Shared string // path of a shared message
}

// An entry is a message in the list of those that are kept.
type entry struct {
	Base    string
	Number  int
	Subject string
	Verdict string
	Tone    string
	Shown   bool
}

// fill adds what a visitor has.
func (p *page) fill(v *visitor) {
	if v == nil {
		return
	}
	p.Base, p.Address, p.Until = v.path(), v.address(), v.ends()
	messages, _ := v.kept()
	for _, m := range messages {
		p.Messages = append(p.Messages, m.entry(m.number == p.Number))
	}
}

func (m *message) entry(shown bool) entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entryLocked(shown)
}

// entryLocked is entry with m.mu held.
func (m *message) entryLocked(shown bool) entry {
	e := entry{Base: m.visitor.path(), Number: m.number, Subject: m.view.Subject(), Shown: shown}
	if a := m.view.Answer(); a != nil {
		e.Verdict, e.Tone = m.view.Result.DMARC.Status.String(), a.Tone.String()
	}
	return e
}

// html is the entry as a piece of page.
func (e entry) html() template.HTML {
	var b bytes.Buffer
	if err := pages().ExecuteTemplate(&b, "kept", e); err != nil {
		panic(err) // the template is ours, and writes to memory
	}
	return template.HTML(b.String())
}

// write sends a page.
func (s *server) write(w http.ResponseWriter, status int, p page) {
	p.Demo = s.demo
	var b bytes.Buffer
	if err := pages().ExecuteTemplate(&b, "page", p); err != nil {
		s.log.Error("page", "error", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// problem sends a page that says what is wrong.
func (s *server) problem(w http.ResponseWriter, status int, what string) {
	s.write(w, status, page{Title: http.StatusText(status), Error: what})
}
