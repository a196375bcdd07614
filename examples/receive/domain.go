package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/inspect"
	"github.com/mailverdict/mailverdict/examples/internal/typed"
)

// What the inspection of one domain may cost.
const (
	domainQuestions = 200
	domainTime      = 20 * time.Second
)

// maxDomainForm is how many octets the form may have.
const maxDomainForm = 4 << 10

// A domainForm is what a visitor asks of a domain, and what came of it.
type domainForm struct {
	Name, Selector string
	Report         template.HTML
}

// postDomain inspects a domain and shows the report. Nothing is kept.
func (s *server) postDomain(w http.ResponseWriter, r *http.Request, v *visitor) {
	form, err := readDomain(w, r)
	status := http.StatusBadRequest
	if err == nil {
		status = http.StatusOK
		if form.Report, err = s.inspect(r.Context(), s.client(r), form); err != nil {
			status = http.StatusTooManyRequests
		}
	}
	p := page{Way: "domain", Domain: form}
	if err != nil {
		p.Error = capital(err.Error()) + "."
	}
	p.fill(v)
	s.write(w, status, p)
}

func readDomain(w http.ResponseWriter, r *http.Request) (domainForm, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxDomainForm)
	if err := r.ParseForm(); err != nil {
		return domainForm{}, errors.New("send the form as it is on the page")
	}
	domain := typed.Read(r.PostForm.Get("domain"))
	f := domainForm{Name: domain.Name, Selector: cmp.Or(strings.TrimSpace(r.PostForm.Get("selector")), domain.Selector)}
	if f.Name == "" {
		return f, errors.New("there is no domain in the form")
	}
	return f, nil
}

// inspect inspects a domain for a client.
func (s *server) inspect(ctx context.Context, client netip.Prefix, f domainForm) (template.HTML, error) {
	if !s.dns.allows(client, domainQuestions) {
		return "", errQuestions
	}
	free := s.checks.take(client)
	if free == nil {
		return "", errChecks
	}
	defer free()
	inspector := inspect.Inspector{Resolver: s.verifier.Resolver, Options: inspect.Options{Questions: domainQuestions, Time: domainTime}}
	if f.Selector != "" {
		inspector.Selectors = []string{f.Selector}
	}
	ctx, cancel := context.WithTimeout(ctx, domainTime)
	defer cancel()
	report := inspector.Inspect(ctx, f.Name)
	s.dns.use(client, report.Questions)
	var b bytes.Buffer
	if err := report.HTML(&b); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil // escaped by package inspect
}
