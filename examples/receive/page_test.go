package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// maxPage is how much of the page goes over the wire in all, in octets: HTML, style, script and icon.
const maxPage = 60_000

func TestThePageIsSmall(t *testing.T) {
	r := start(t, func(s *server) { s.limits.visitorsByClient = 100 })
	size := func(path string) int {
		status, body := r.get(t, path)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
		return len(body)
	}
	rest := size("/style.css") + size("/app.js") + size("/icon.svg")
	for _, path := range []string{"/", "/paste", "/stories"} {
		if all := rest + size(path); all > maxPage {
			t.Errorf("%s is %d octets, want at most %d", path, all, maxPage)
		}
	}
	for _, story := range r.stories {
		s := r.session(t)
		r.post(t, s.Page+"/stories", url.Values{"story": {story.Name}})
		r.stream(t, s.Events, "", "result")
		if all := rest + size(s.Page); all > maxPage {
			t.Errorf("%s is %d octets, want at most %d", story.Name, all, maxPage)
		}
	}
}

// Every answer forbids to keep it, to index it, to frame it, and to run what is not ours.
func TestEveryAnswerIsGuarded(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/paste", "/stories", "/nowhere", "/s/nobody", "/r/nothing", s.Page, s.Page + "/1", s.Page + "/1/result.json", s.Page + "/1/whatif", s.Page + "/2", s.Page + "/stories"} {
		response, err := http.Get(r.page + path)
		if err != nil {
			t.Fatal(err)
		}
		_, body := read(t, response)
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if len(response.Cookies()) > 0 {
			t.Errorf("%s sets cookies", path)
		}
		if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			checkMarkup(t, path, body)
		}
	}
}

var inline = regexp.MustCompile(`(?i)<style|<script(>| [^s])| style=| on[a-z]+=|javascript:`)

func checkMarkup(t *testing.T, path, body string) {
	t.Helper()
	if found := inline.FindString(body); found != "" {
		t.Errorf("%s has script or style in it: %q", path, found)
	}
	ids := map[string]int{}
	for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if ids[id[1]]++; ids[id[1]] > 1 {
			t.Errorf("%s has the id %q twice", path, id[1])
		}
	}
}

// Another site could use up what the browser's owner may have here.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	r := start(t, nil)
	for _, path := range []string{"/session", "/api/session", "/stories", "/paste", "/domain"} {
		for _, field := range [][2]string{{"Origin", "https://elsewhere.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
			request, err := http.NewRequest(http.MethodPost, r.page+path, strings.NewReader("story=bounce&domain=laptop.example"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set(field[0], field[1])
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if status, _ := read(t, response); status != http.StatusForbidden {
				t.Errorf("%s with %s: %d", path, field, status)
			}
		}
	}
	if n := r.visitors.slots.count(); n > 0 {
		t.Errorf("%d visitors were made", n)
	}
	request, err := http.NewRequest(http.MethodPost, r.page+"/session", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", r.page)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := read(t, response); status != http.StatusOK {
		t.Errorf("the page's own form: %d", status)
	}
}

func TestTheFirstPageShowsWhatThereIsToSee(t *testing.T) {
	r := start(t, nil)
	_, page := r.get(t, "/")
	for _, want := range []string{"What you will see", "PASS: this message is from tulips.example.", "not aligned", `value="shop-through-provider">Watch this message arrive`} {
		if !strings.Contains(page, want) {
			t.Errorf("the first page does not have %q", want)
		}
	}
}

func TestWhatAVisitorHasIsForNobodyElse(t *testing.T) {
	r := start(t, nil)
	a, b := r.session(t), r.session(t)
	if err := r.send(t, "me@laptop.example", a.Address, strings.Replace(mine, "Hello", "For A alone", 1)); err != nil {
		t.Fatal(err)
	}
	mailbox := strings.Split(a.Address, "@")[0]
	for _, path := range []string{b.Page, b.Page + "/1", b.Page + "/1/result.json", b.Page + "/1/whatif", b.Page + "/1/events", "/s/" + mailbox, "/s/" + mailbox + "/1", "/", "/stories", "/s/", "/r/"} {
		if _, body := r.get(t, path); strings.Contains(body, "For A alone") || strings.Contains(body, mailbox) {
			t.Errorf("%s shows what A has", path)
		}
	}
	if status, _ := r.post(t, b.Page+"/1/link", nil); status != http.StatusNotFound {
		t.Errorf("B makes a link of it: %d", status)
	}
}

func TestALinkIsMadeOnRequestAndShowsWhatItSays(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	if len(r.visitors.links) != 0 {
		t.Fatal("there is a link that nobody asked for")
	}
	response, err := http.PostForm(r.page+s.Page+"/1/link", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, body := read(t, response)
	path := response.Request.URL.Path
	if !strings.Contains(body, "PASS: this message is from laptop.example.") || !strings.Contains(body, "Delete this page now") {
		t.Errorf("the shared page:\n%s", body)
	}
	if strings.Contains(body, s.Page) {
		t.Error("the shared page names the path of its visitor")
	}
	checkMarkup(t, path, body)
	if status, _ := r.get(t, path+"/result.json"); status != http.StatusOK {
		t.Errorf("its JSON has status %d", status)
	}
	r.post(t, s.Page+"/delete", nil)
	for _, path := range []string{path, path + "/result.json", s.Page, s.Page + "/1"} {
		if status, _ := r.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s after the deletion: %d", path, status)
		}
	}
	if got := code(r.send(t, "me@laptop.example", s.Address, mine)); got != 550 {
		t.Errorf("mail to the deleted address gets %d", got)
	}
}

func TestThePolicyMayBeAnother(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	r.post(t, s.Page+"/stories", url.Values{"story": {"monitoring-owner"}})
	r.stream(t, s.Events, "", "result")
	for query, want := range map[string]string{
		"p=reject": "Recommended: reject", "p=quarantine": "Recommended: quarantine", "": "This is the record as it is published",
		"p=reject&sp=none": "sp=none",
	} {
		for _, path := range []string{"/1?", "/1/whatif?"} {
			if _, body := r.get(t, s.Page+path+query); !strings.Contains(body, want) {
				t.Errorf("%s%s does not say %q:\n%s", path, query, want, body)
			}
		}
	}
	for _, query := range []string{"p=nonsense", "adkim=x", "aspf=<script>"} {
		if status, _ := r.get(t, s.Page+"/1/whatif?"+query); status == http.StatusOK {
			t.Errorf("%s is taken", query)
		}
	}
}

func TestWrongUsageIsSaid(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "-domain is missing"},
		{"-domain a@b", "host names"},
		{"-domain a.example extra", `"extra" is no flag`},
		{"-demo -dns 127.0.0.1:53", "-demo has its own DNS"},
		{"-demo -cert x", "-cert and -key go together"},
		{"-domain a.example -proxy nonsense", "no address or network"},
		{"-domain a.example -visitors 0", "-visitors"},
		{"-domain a.example -zone a -dns b:1", "exclude each other"},
	} {
		if _, err := parseFlags(strings.Fields(tt.args)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v", tt.args, err)
		}
	}
	o, err := parseFlags(strings.Fields("-demo -proxy 10.0.0.0/8,::1"))
	if err != nil || o.smtp != "localhost:2525" || o.http != "localhost:8080" || o.authservID != demoDomain || fmt.Sprint(o.proxies) != "[10.0.0.0/8 ::1/128]" {
		t.Errorf("%+v, %v", o, err)
	}
}
