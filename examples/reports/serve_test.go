package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
)

// pages serves the store of a world as of a time.
func (w *world) pages(now time.Time) *httptest.Server {
	w.t.Helper()
	inbox, done, err := openInbox(w.t.Context(), w.store)
	if err != nil {
		w.t.Fatal(err)
	}
	answers, err := (&dnsflags.Flags{Zones: []string{w.zone}}).Resolver()
	if err != nil {
		w.t.Fatal(err)
	}
	s := &site{inbox: inbox, resolver: answers, now: func() time.Time { return now }}
	server := httptest.NewServer((&guard{}).wrap(s.handler()))
	w.t.Cleanup(func() {
		server.Close()
		s.background.Wait()
		done()
	})
	return server
}

// get returns the page at an address.
func get(t *testing.T, address string) (status int, text string) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self';") {
		t.Errorf("policy %q", policy)
	}
	return response.StatusCode, string(body)
}

var lastOfMonth = day.AddDate(0, 0, 29)

// busy fills a world with a month of a domain whose provider is not set up, with forwarders, forgers and
// names that want to be markup.
func busy(t *testing.T) *world {
	w := newWorld(t)
	w.month(func(n int, r *aggregate.Report) {
		forged := r.Rows[1]
		r.Rows[1].AuthSPF = []aggregate.Auth{{Domain: "em1.sendgrid.net", Scope: "mfrom", Result: "pass"}}
		r.Rows[1].Count = 20
		list := forged
		list.AuthSPF = []aggregate.Auth{{Domain: "lists.example.org", Scope: "mfrom", Result: "pass"}}
		list.AuthDKIM = []aggregate.Auth{{Domain: "example.com", Selector: "s", Result: "fail"}}
		list.Source = r.Rows[0].Source.Next()
		r.Rows = append(r.Rows, forged, list)
		if n == 29 {
			hostile := r.Rows[0]
			hostile.AuthDKIM, hostile.AuthSPF, hostile.Count = []aggregate.Auth{{Domain: "example.com", Selector: "<script>alert(1)</script>\u202e", Result: "pass"}}, nil, 1
			r.Rows = append(r.Rows, hostile)
		}
	})
	return w
}

func TestPagesAnswerWhoSendsAndWhatToDo(t *testing.T) {
	w := busy(t)
	server := w.pages(lastOfMonth)
	for path, wants := range map[string][]string{
		"/": {`<a href="/domain/example.com">example.com</a>`, "1 domain in reports of the last 30 days", `<span class="policy none">none</span>`},
		"/domain/example.com": {"messages pass", "p=none", "SendGrid", "yours, not aligned", "s1._domainkey.example.com", "forwarder or list", "example.org", "1 March 2026",
			"&lt;script&gt;", "sp=reject; np=reject; rua=mailto:d@example.com", "reporter.example"},
		"/domain/example.com?class=misaligned&days=7":         {"1 sender, those", `<option value="misaligned" selected>`, `aria-current="true">7 days`},
		"/domain/example.com?q=SENDG":                         {"1 sender, those"},
		"/domain/example.com?q=nobody":                        {"No sender is like that."},
		"/domain/example.com/rollout":                         {"not yet", "SendGrid sent 600 messages that fail, 2.0 % of your own", "later", "Published now", "Reports cover 30 of the last 30 days"},
		"/domain/example.com/rollout?people=no&days=90":       {"later", `value="no" checked`},
		"/domain/example.com/rollout?people=yes":              {"not advised"},
		"/domain/example.com/source?name=SendGrid":            {"What to set up", "198.51.100.7", "600", "delivered"},
		"/domain/example.com/source?name=example.org&days=90": {"It passes on mail that you sent"},
		"/domain/nobody.example":                              {"No report of the last 30 days is counted"},
		"/domain/" + url.PathEscape("a/../<b>"):               {"a/../&lt;b&gt;"},
	} {
		status, text := get(t, server.URL+path)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", path, want, text)
			}
		}
		if strings.Contains(text, "<script") || strings.Contains(text, "\u202e") || strings.Contains(text, " style=") {
			t.Errorf("%s: markup of a sender, or a style that the policy refuses", path)
		}
	}
}

func TestADomainThatSendsNothingSkipsQuarantine(t *testing.T) {
	w := newWorld(t)
	w.month(func(_ int, r *aggregate.Report) { r.Rows = r.Rows[1:] })
	w.zone = put(t, map[string]string{"dns.zone": zoneText() + `example.com. 3600 IN TXT "v=spf1 -all"` + "\n"}) + "/dns.zone"
	_, text := get(t, w.pages(lastOfMonth).URL+"/domain/example.com/rollout")
	for _, want := range []string{"not needed", "safe now", "p=reject; sp=reject; np=reject; rua=mailto:d@example.com"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestAddressesThatCannotBeRead(t *testing.T) {
	server := newWorld(t).pages(lastOfMonth)
	for path, want := range map[string]int{
		"/?days=0": 400, "/?days=many": 400, "/domain/a.example?class=good": 400, "/domain/a.example/rollout?people=perhaps": 400,
		"/nowhere": 404, "/domain/": 404, "/web/page.html": 404, "/domain/a.example/source?name=x": 404,
	} {
		status, text := get(t, server.URL+path)
		if status != want || !strings.Contains(text, "<h1>") {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	response, err := http.Post(server.URL+"/", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode < 400 {
		t.Errorf("POST: status %d", response.StatusCode)
	}
}

func TestNamesOfHostsAreOnTheNextPage(t *testing.T) {
	w := busy(t)
	text := zoneText() + "7.100.51.198.in-addr.arpa. 3600 IN PTR o1.mail.sendgrid.example.\no1.mail.sendgrid.example. 3600 IN A 198.51.100.7\n"
	w.zone = put(t, map[string]string{"names.zone": text}) + "/names.zone"
	server := w.pages(lastOfMonth)
	address := server.URL + "/domain/example.com/source?name=SendGrid"
	for range 100 {
		if _, page := get(t, address); strings.Contains(page, "o1.mail.sendgrid.example") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the name of the host is on no page")
}

func TestWhoIsLetIn(t *testing.T) {
	proxied := &guard{header: "X-Remote-User"}
	for _, from := range []string{"10.0.0.0/8", "2001:db8::1"} {
		if err := proxied.addProxy(from); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		guard   *guard
		client  string
		host    string
		users   []string
		refused bool
	}{
		"this host":                               {&guard{}, "127.0.0.1:1", "localhost:8090", nil, false},
		"this host by IPv6":                       {&guard{}, "[::1]:1", "[::1]:8090", nil, false},
		"another host":                            {&guard{}, "192.0.2.1:1", "localhost", nil, true},
		"another host that says who it is":        {&guard{}, "192.0.2.1:1", "localhost", []string{"admin"}, true},
		"a name that is made to point here":       {&guard{}, "127.0.0.1:1", "evil.example", nil, true},
		"the proxy, with a user":                  {proxied, "10.1.2.3:1", "reports.example", []string{"admin"}, false},
		"the proxy, as IPv4 in IPv6":              {proxied, "[::ffff:10.1.2.3]:1", "reports.example", []string{"admin"}, false},
		"the proxy, without a user":               {proxied, "10.1.2.3:1", "reports.example", nil, true},
		"the proxy, with an empty user":           {proxied, "[2001:db8::1]:1", "reports.example", []string{" "}, true},
		"the proxy, with a client's header added": {proxied, "10.1.2.3:1", "reports.example", []string{"guest", "admin"}, true},
		"not the proxy":                           {proxied, "192.0.2.1:1", "reports.example", []string{"admin"}, true},
		"this host, where a proxy logs in":        {proxied, "127.0.0.1:1", "localhost", []string{"admin"}, true},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host, r.Header["X-Remote-User"] = test.client, test.host, test.users
		if why := test.guard.refuse(r); (why != "") != test.refused {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestAProxyThatNobodyNamedOpensNothing(t *testing.T) {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:1", "127.0.0.1:8090"
		r.Header.Set(name, "192.0.2.1")
		if why := new(guard).refuse(r); !strings.Contains(why, "-login-header") {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestServeDoesNotStartOpenToAll(t *testing.T) {
	for _, args := range [][]string{
		{"-http", "0.0.0.0:0"}, {"-http", ":0"}, {"-http", "192.0.2.1:0"}, {"-http", "nowhere"}, {"-login-header", "X-Remote-User"}, {"-login-from", "10.0.0.1"},
		{"-login-header", "X-Remote-User", "-login-from", "proxy"}, {"-now", "soon"}, {"a"},
	} {
		status, out, errs := run(t, "", append([]string{"serve", "-store", "sqlite:" + t.TempDir() + "/a.db"}, args...)...)
		if status != exitUsage || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d %s%s", args, status, out, errs)
		}
	}
}
