package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// inspects sends the form for a domain.
func (r *rig) inspects(t *testing.T, path, domain, selector string) (int, string) {
	t.Helper()
	return r.post(t, path, url.Values{"domain": {domain}, "selector": {selector}})
}

func TestADomainIsInspected(t *testing.T) {
	r := start(t, nil)
	status, page := r.inspects(t, "/domain", "village-choir.example", "")
	for _, want := range []string{"dmarc-missing", `class="mv-inspect mv-error"`, `value="village-choir.example"`, "v=DMARC1; p=none"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if status != http.StatusOK {
		t.Error(status)
	}
	if _, page := r.get(t, "/domain"); !strings.Contains(page, `name="domain"`) || strings.Contains(page, "mv-inspect") {
		t.Error(page)
	}
}

func TestWhatIsWrongWithTheFormIsSaid(t *testing.T) {
	r := start(t, func(s *server) { s.limits.questions = domainQuestions + 1 })
	if status, page := r.inspects(t, "/domain", "", ""); status != http.StatusBadRequest || !strings.Contains(page, "There is no domain in the form.") {
		t.Error(status, page)
	}
	if status, _ := r.inspects(t, "/domain", strings.Repeat("x", 2*maxDomainForm), ""); status != http.StatusBadRequest {
		t.Error(status)
	}
	status, page := r.inspects(t, "/domain", "<script>alert(1)</script>\x1b", "<b>")
	if status != http.StatusOK || !strings.Contains(page, "domain-missing") || strings.Contains(page, "<script>alert") || strings.Contains(page, "\x1b") {
		t.Error(status, page)
	}
	if status, _ := r.inspects(t, "/domain", "laptop.example", ""); status != http.StatusOK {
		t.Error(status)
	}
	if status, page := r.inspects(t, "/domain", "laptop.example", ""); status != http.StatusTooManyRequests || !strings.Contains(page, "nothing left for this hour") {
		t.Error(status, page)
	}
}

func TestAVisitorInspectsAndStaysAVisitor(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	status, page := r.inspects(t, s.Page+"/domain", "laptop.example", "")
	if status != http.StatusOK || !strings.Contains(page, `action="`+s.Page+`/domain"`) || !strings.Contains(page, `href="`+s.Page+`/paste"`) {
		t.Error(status, page)
	}
}
