package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/testdata"
)

func TestAMailIsSeenStepByStepAndJudged(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	events := r.stream(t, s.Events, "", "result")
	for _, want := range []string{"127.0.0.1 connects", "STARTTLS: TLS 1.3", "EHLO laptop.example", "MAIL FROM:&lt;me@laptop.example&gt;",
		"TXT laptop.example", "RCPT TO:", "DATA", "The message", "v=DMARC1; p=reject", "PASS: this message is from laptop.example."} {
		if !slices.ContainsFunc(events, func(e arrived) bool { return strings.Contains(e.data, want) }) {
			t.Errorf("no event has %q", want)
		}
	}
	var result struct {
		SPF   struct{ Status string }
		DKIM  []any
		DMARC struct{ Verdict, Disposition string }

		AuthenticationResults string `json:"authentication_results"`
	}
	if err := json.Unmarshal([]byte(events[len(events)-1].data), &result); err != nil {
		t.Fatal(err)
	}
	if result.DMARC.Verdict != "pass" || result.SPF.Status != "pass" || result.DKIM == nil || !strings.HasPrefix(result.AuthenticationResults, demoDomain+"; spf=pass") {
		t.Errorf("%+v", result)
	}
	_, page := r.get(t, s.Page)
	if !strings.Contains(page, "PASS: this message is from laptop.example.") || strings.Contains(page, "secret of the body") {
		t.Errorf("the page without a script:\n%s", page)
	}
}

func TestWhoComesBackGetsWhatIsMissing(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	all := r.stream(t, s.Events, "", "result")
	half := all[len(all)/2]
	rest := r.stream(t, s.Events, half.id, "result")
	if !slices.Equal(rest, all[len(all)/2+1:]) {
		t.Errorf("after %s there are %d events of %d", half.id, len(rest), len(all))
	}
}

func TestEveryStoryPlayedBySMTPHasItsVerdict(t *testing.T) {
	r := start(t, func(s *server) { s.limits.visitorsByClient = 100 })
	for _, story := range r.stories {
		t.Run(story.Name, func(t *testing.T) {
			s := r.session(t)
			if status, _ := r.post(t, strings.TrimSuffix(s.Page, "/")+"/stories", url.Values{"story": {story.Name}}); status != http.StatusOK {
				t.Fatal(status)
			}
			events := r.stream(t, s.Events, "", "result")
			var result struct {
				DMARC struct{ Verdict, Disposition string }
			}
			if err := json.Unmarshal([]byte(events[len(events)-1].data), &result); err != nil {
				t.Fatal(err)
			}
			if want, _, _ := strings.Cut(strings.ToLower(story.Outcome), ","); result.DMARC.Verdict != want {
				t.Errorf("the verdict is %q, want %q", result.DMARC.Verdict, want)
			}
		})
	}
}

// Some stories share a domain and give it different policies: each name has one in the demonstration.
func TestPastedStoriesOfOneDomainHaveAPolicy(t *testing.T) {
	r := start(t, nil)
	for name, want := range map[string]string{
		"bounce": "PASS: this message is from example.com.", "forwarded": "PASS: this message is from example.com.",
		"mailing-list":            "FAIL: nothing proves that this message is from example.net.",
		"spoofed-boss-quarantine": "FAIL: nothing proves that this message is from example.org.",
	} {
		text, err := testdata.Files.ReadFile(name + ".eml")
		if err != nil {
			t.Fatal(err)
		}
		_, _, at := r.paste(t, "/paste", map[string]string{"message": string(text)})
		r.stream(t, at+"/events", "", "result")
		if _, page := r.get(t, at); !strings.Contains(page, want) {
			t.Errorf("%s: not %q:\n%s", name, want, page)
		}
	}
}

func TestAPastedMessageIsJudged(t *testing.T) {
	r := start(t, nil)
	status, page, at := r.paste(t, "/paste", map[string]string{"message": "Return-Path: <me@laptop.example>\r\n" + mine, "ip": "127.0.0.1"})
	if status != http.StatusOK || !strings.HasPrefix(at, "/s/") || !strings.HasSuffix(at, "/1") {
		t.Fatal(status, at, page)
	}
	r.stream(t, at+"/events", "", "result")
	if _, page = r.get(t, at); !strings.Contains(page, "PASS: this message is from laptop.example.") {
		t.Error(page)
	}
	for text, want := range map[string]string{
		"":                "There is no message in the form",
		"%PDF-1.7 and so": "A PDF, and not a message",
		"just words":      "Not a message: it has no header field",
	} {
		if status, page, _ := r.paste(t, "/paste", map[string]string{"message": text}); status != http.StatusBadRequest || !strings.Contains(page, want) {
			t.Errorf("%q: %d\n%s", text, status, page)
		}
	}
}

func TestTheServerEndsWhenOneOfItsHalvesDoes(t *testing.T) {
	for name, fail := range map[string]func(mail, page net.Listener){
		"SMTP": func(mail, _ net.Listener) { _ = mail.Close() },
		"HTTP": func(_, page net.Listener) { _ = page.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			dns, err := demoDNS()
			if err != nil {
				t.Fatal(err)
			}
			s, err := newServer(&server{domain: demoDomain, authservID: demoDomain}, dns)
			if err != nil {
				t.Fatal(err)
			}
			var both [2]net.Listener
			for i := range both {
				if both[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
			}
			fail(both[0], both[1])
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := s.serve(ctx, both[0], both[1]); !errors.Is(err, net.ErrClosed) {
				t.Errorf("it ends with %v", err)
			}
			if ctx.Err() != nil {
				t.Error("it does not end by itself")
			}
		})
	}
}

func TestUnknownRecipientsAreRefused(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	for _, to := range []string{"nobody@" + demoDomain, "postmaster@elsewhere.example", strings.Split(s.Address, "@")[0] + "@elsewhere.example"} {
		err := r.send(t, "me@laptop.example", to, mine)
		if reply, ok := err.(*smtp.SMTPError); !ok || reply.Code != 550 {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestFiftyVisitorsAtOnceSeeEachTheirOwn(t *testing.T) {
	r := start(t, func(s *server) {
		s.limits.visitorsByClient, s.limits.connectionsByClient, s.limits.webByClient = 50, 50, 200
	})
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() { r.visit(t, n) })
	}
	all.Wait()
}

// SPF that takes longer than the reply to RCPT may wait is shown with the rest.
func TestSlowSPFHoldsNobodyUp(t *testing.T) {
	zone := resolver.Zone{
		"slow.example":        {TXT: []string{"v=spf1 ip4:127.0.0.1 -all"}, Fault: resolver.Fault{Delay: 6 * time.Second}},
		"_dmarc.slow.example": {TXT: []string{"v=DMARC1; p=reject"}},
	}
	r := startWith(t, zone, nil)
	s := r.session(t)
	if err := r.send(t, "me@slow.example", s.Address, strings.ReplaceAll(mine, "laptop.example", "slow.example")); err != nil {
		t.Fatal(err)
	}
	page := r.ended(t, s.Page)
	if !strings.Contains(page, "PASS: this message is from slow.example.") || strings.Count(page, "<code>250</code>") != 3 || !regexp.MustCompile(`<time>([6-9]|[1-9]\d)\.\d s</time>`).MatchString(page) {
		t.Errorf("the page:\n%s", page)
	}
}

func TestWhatIsRefusedIsSeenToBe(t *testing.T) {
	r := start(t, func(s *server) { s.reject = true })
	s := r.session(t)
	err := r.send(t, "me@elsewhere.example", s.Address, mine)
	if code(err) != 550 {
		t.Errorf("the reply is %v", err)
	}
	if page := r.ended(t, s.Page); !strings.Contains(page, "<code>550 5.7.1 Message refused per DMARC policy for laptop.example</code>") {
		t.Errorf("the page does not have the reply:\n%s", page)
	}
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Errorf("what passes is refused: %v", err)
	}
}
