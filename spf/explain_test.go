package spf_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestExplanations(t *testing.T) {
	const fail = "v=spf1 -all exp=why.example.com"
	for _, test := range []struct {
		name    string
		record  string
		texts   []string
		session func(*spf.Envelope)
		want    string
	}{
		{name: "a plain one", record: fail, texts: []string{"Ask %{d}."}, want: "Ask example.com."},
		{name: "every macro", record: fail, texts: []string{"%{s} %{l} %{o} %{d} %{i} %{p} %{v} %{h} %{c} %{r} %% %_ %-"},
			want: "user@example.com user example.com example.com 192.0.2.1 unknown in-addr mail.example.com 192.0.2.1 mx.receiver.example %   %20"},
		{name: "IPv6 in its two forms", record: fail, texts: []string{"%{c} %{i1r}"},
			session: func(s *spf.Envelope) { s.IP = mustAddr("2001:db8::1") }, want: "2001:db8::1 2"},
		{name: "none for another result", record: "v=spf1 ~all exp=why.example.com", texts: []string{"text"}},
		{name: "none of an include", record: "v=spf1 include:inc.example.com -all", texts: []string{"text"}},
		{name: "that of the record redirected to", record: "v=spf1 exp=other.example.com redirect=inc.example.com", texts: []string{"text"}, want: "text"},
		{name: "two texts are none", record: fail, texts: []string{"one", "two"}},
		{name: "no text", record: "v=spf1 -all exp=gone.example.com"},
		{name: "a text that times out", record: "v=spf1 -all exp=broken.example.com"},
		{name: "a name that is none", record: "v=spf1 -all exp=%{h}", session: func(s *spf.Envelope) { s.HELO = "a b" }},
		{name: "a text with a line break", record: fail, texts: []string{"rejected\r\n250 2.0.0 queued"}},
		{name: "a text beyond ASCII", record: fail, texts: []string{"\u00fcber"}},
		{name: "a text with an escape sequence", record: fail, texts: []string{"\x1b[31mred"}},
		{name: "a text with a broken macro", record: fail, texts: []string{"The %{x}-files."}},
		{name: "line breaks that macros bring in", record: fail, texts: []string{"%{h}|%{l}|%{H}"},
			session: func(s *spf.Envelope) { s.HELO, s.MailFrom = "a\r\nb\x1b\x00", "\u00e9'\xff@example.com" },
			want:    "a??b??|?'?|a%0D%0Ab%1B%00"},
		{name: "a long text is cut", record: fail, texts: []string{strings.Repeat("x", 3000)}, want: strings.Repeat("x", 450)},
		{name: "a text that macros make long is cut", record: fail, texts: []string{strings.Repeat("%{l}", 1000)},
			session: func(s *spf.Envelope) { s.MailFrom = strings.Repeat("y", 5000) + "@example.com" }, want: strings.Repeat("y", 450)},
	} {
		t.Run(test.name, func(t *testing.T) {
			session := client
			if test.session != nil {
				test.session(&session)
			}
			why := resolver.Records{TXT: test.texts}
			if test.texts == nil {
				why.A = []string{"203.0.113.1"}
			}
			zone := resolver.Zone{
				"example.com":        {TXT: []string{test.record}},
				"inc.example.com":    {TXT: []string{fail}},
				"why.example.com":    why,
				"other.example.com":  {TXT: []string{"not this one"}},
				"broken.example.com": {Fault: resolver.Fault{Err: resolver.ErrTimeout}},
			}
			r := (&spf.Checker{Resolver: zone, Options: spf.Options{Receiver: "mx.receiver.example"}}).Check(t.Context(), session)
			if r.Explanation != test.want || !strings.Contains(test.record, "~all") && r.Status != spf.StatusFail {
				t.Errorf("got %v (%v) and %q, want %q", r.Status, r.Err, r.Explanation, test.want)
			}
		})
	}
}

func TestTheTimeMacroIsTheClockOfTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour) // of the bubble, which begins at midnight UTC 2000-01-01
		r := (&spf.Checker{Resolver: resolver.Zone{
			"example.com":     {TXT: []string{"v=spf1 -all exp=why.example.com"}},
			"why.example.com": {TXT: []string{"%{t}"}},
		}}).Check(t.Context(), client)
		if r.Explanation != "946688400" {
			t.Errorf("got %q", r.Explanation)
		}
	})
}

func TestAnExplanationChangesNothingInTheResult(t *testing.T) {
	void := "v=spf1 a:gone1.example.com a:gone2.example.com -all exp="
	for _, exp := range []string{"gone3.example.com", "%{p}.example.com", "broken.example.com"} {
		zone := resolver.Zone{
			"example.com":            {TXT: []string{void + exp}},
			"broken.example.com":     {Fault: resolver.Fault{Err: resolver.ErrServFail}},
			"1.2.0.192.in-addr.arpa": {PTR: []string{"gone4.example.com"}},
		}
		r := (&spf.Checker{Resolver: zone}).Check(t.Context(), client)
		if r.Status != spf.StatusFail || r.Lookups != 2 || r.VoidLookups != 2 || r.Err != nil {
			t.Errorf("%s: got %v (%v), %d terms, %d void", exp, r.Status, r.Err, r.Lookups, r.VoidLookups)
		}
	}
}

func TestTheLongestExplanationCanBeSet(t *testing.T) {
	zone := resolver.Zone{
		"example.com":     {TXT: []string{"v=spf1 -all exp=why.example.com"}},
		"why.example.com": {TXT: []string{"0123456789"}},
	}
	for most, want := range map[int]string{4: "0123", -1: "0123456789", 100: "0123456789"} {
		r := (&spf.Checker{Resolver: zone, Options: spf.Options{Limits: spf.Limits{ExplanationOctets: most}}}).Check(t.Context(), client)
		if r.Explanation != want {
			t.Errorf("limit %d: got %q", most, r.Explanation)
		}
	}
}
