package dmarc_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// A bill is what checking a message cost.
type bill struct {
	result    *dmarc.Result
	dns       *counting
	octets    uint64        // of memory, freed or not
	waited    time.Duration // for DNS
	processor time.Duration // roughly: what passed on the wall
}

// charge checks a message and counts. Answers take 20 ms, so that questions are also asked
// ahead.
func charge(t *testing.T, v *dmarc.Verifier, zone resolver.Resolver, e dmarc.Envelope, message io.Reader) bill {
	t.Helper()
	b := bill{dns: &counting{Resolver: zone, delay: 20 * time.Millisecond}}
	v.Resolver = b.dns
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		result, err := v.Verify(t.Context(), e, message)
		if err != nil {
			t.Fatal(err)
		}
		b.result, b.waited = result, time.Since(start)
	})
	runtime.ReadMemStats(&after)
	b.processor, b.octets = time.Since(start), after.TotalAlloc-before.TotalAlloc
	return b
}

// stranger is the envelope of a sender who has nothing in DNS.
var stranger = dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: "out.stranger.example", MailFrom: "x@stranger.example"}

// unsigned is a DKIM-Signature that has all tags and is valid for nothing.
func unsigned(name, selector, extra string) string {
	return "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" + name + "; s=" + selector + "; h=from;" + extra +
		" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
}

func signatures(n int, name string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(unsigned(name, fmt.Sprint("s", i), ""))
	}
	return b.String()
}

// Each message is bounded in questions and memory, and says which limit it met.
func TestWhatAMessageMayCost(t *testing.T) {
	const from = "From: a@shop.example\r\n"
	headerLimit := func(r *dmarc.Result) error { return r.DMARC.Err }
	first := func(r *dmarc.Result) error { return r.DKIM[0].Err }
	last := func(r *dmarc.Result) error { return r.DKIM[len(r.DKIM)-1].Err }
	for _, tt := range []struct {
		name      string
		message   io.Reader
		questions int // at most
		kilobytes uint64
		err       func(*dmarc.Result) error // where the limit is told
		want      error
	}{
		{"1 MB of folded lines in one field", text(from + "X: a\r\n" + strings.Repeat(" b\r\n", 1<<18)), 3, 2500, headerLimit, dmarc.ErrHeaderLimit},
		{"1 MB of folded lines in the From field", text("From: a@shop.example\r\n" + strings.Repeat(" \r\n", 1<<18)), 3, 2500, headerLimit, dmarc.ErrHeaderLimit},
		{"10,000 fields", text(from + strings.Repeat("X: 1\r\n", 10_000)), 3, 700, headerLimit, dmarc.ErrHeaderLimit},
		{"a header without an end", io.LimitReader(repeat("X: 1234567890 1234567890 1234567890 1234567890 1234567890\r\n"), 50<<20), 3, 1500, headerLimit, dmarc.ErrHeaderLimit},
		{"50 MB without a line end", io.LimitReader(repeat("a"), 50<<20), 3, 700, headerLimit, dmarc.ErrHeaderLimit},
		{"200 KB in one tag", text("DKIM-Signature: v=1; x=" + strings.Repeat("1", 200_000) + "\r\n" + from), 3, 700, headerLimit, dmarc.ErrHeaderLimit},
		{"60 KB in one tag", text(unsigned("shop.example", "s", " x="+strings.Repeat("1", 60_000)+";") + from), 5, 1000, first, dkim.ErrLimit},
		{"1000 signatures", text(signatures(990, "shop.example") + from), 15, 6000, last, dkim.ErrLimit},
		{"1000 signatures of as many strangers", text(strangers(990) + from), 15, 6000, last, dkim.ErrLimit},
		{"10,000 names in h=", text("DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=s; h=from" + strings.Repeat(":x", 10_000) +
			"; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n" + from), 5, 1000, first, dkim.ErrLimit},
		{"257 names in h=", text("DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=s; h=from" + strings.Repeat(":x", 256) +
			"; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n" + from), 5, 500, first, dkim.ErrLimit},
		{"bodies of ten lengths", text(lengths(10) + from), 8, 500, last, dkim.ErrLimit},
		{"21 mailboxes", text("From: " + strings.Repeat("a@shop.example, ", 21) + "b@shop.example\r\n"), 3, 500, headerLimit, dmarc.ErrTooManyMailboxes},
		{"comments that nest 30,000 deep", text("From: " + strings.Repeat("(", 30_000) + "\r\n"), 3, 700, headerLimit, dmarc.ErrFromSyntax},
		{"a From domain of 20,000 characters that are not ASCII", text("From: a@" + ideographs(20_000) + "\r\n"), 3, 1000, headerLimit, dmarc.ErrFromDomain},
		{"60 KB of domains that are not ASCII before the address", text("From: " + strings.Repeat("x@"+ideographs(200)+".a b ", 95) + "<a@shop.example>\r\n"), 3, 8000, headerLimit, dmarc.ErrFromSyntax},
		{"60 KB of dots", text("From: a@" + strings.Repeat(".", 60_000) + "\r\n"), 3, 16_000, headerLimit, dmarc.ErrFromDomain},
		{"60 KB of at-signs", text("From: " + strings.Repeat("@", 60_000) + "<a@shop.example>\r\n"), 3, 16_000, headerLimit, dmarc.ErrFromSyntax},
		{"a domain of 127 labels", text("From: a@" + strings.Repeat("a.", 119) + "shop.example\r\n"), 3 + 8, 500, headerLimit, dmarc.ErrNotAuthenticated},
		{"50 MB of CRLF in the body", io.MultiReader(text(signatures(1, "shop.example")+from+"\r\n"), io.LimitReader(repeat("\r\n"), 50<<20)), 6, 500, first, dkim.ErrKeyMissing},
		{"50 MB without a newline in the body", io.MultiReader(text(signatures(1, "shop.example")+from+"\r\n"), io.LimitReader(repeat("a"), 50<<20)), 6, 500, first, dkim.ErrKeyMissing},
		{"10 MB of spaces in the body", io.MultiReader(text(signatures(1, "shop.example")+from+"\r\n"), io.LimitReader(repeat(" "), 10<<20)), 6, 500, first, dkim.ErrKeyMissing},
		{"10 MB of a Unix file", io.MultiReader(text(strings.ReplaceAll(signatures(1, "shop.example")+from+"\r\n", "\r\n", "\n")), io.LimitReader(repeat("\n"), 10<<20)), 6, 500, first, dkim.ErrKeyMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}}, "shop.example": {A: []string{"192.0.2.1"}}}
			b := charge(t, &dmarc.Verifier{}, zone, stranger, tt.message)
			t.Logf("%d questions, %d KB, %s", len(b.dns.questions), b.octets>>10, b.processor.Round(time.Millisecond))
			if err := tt.err(b.result); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if len(b.dns.questions) > tt.questions {
				t.Errorf("%d questions, want at most %d: %v", len(b.dns.questions), tt.questions, b.dns.questions)
			}
			if b.octets>>10 > tt.kilobytes {
				t.Errorf("%d KB of memory, want at most %d", b.octets>>10, tt.kilobytes)
			}
			if b.result.DMARC.Disposition != dmarc.DispositionReject {
				t.Errorf("%s, %s (%v), want reject", b.result.DMARC.Status, b.result.DMARC.Disposition, b.result.DMARC.Err)
			}
			checkJSON(t, b.result)
		})
	}
}

func text(s string) io.Reader { return strings.NewReader(s) }

// repeat reads as its text without end.
func repeat(s string) io.Reader { return &endless{chunk: strings.Repeat(s, 32<<10/len(s))} }

type endless struct {
	chunk string
	at    int
}

func (r *endless) Read(p []byte) (int, error) {
	n := copy(p, r.chunk[r.at:])
	r.at = (r.at + n) % len(r.chunk)
	return n, nil
}

func strangers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(unsigned(fmt.Sprintf("d%d.example", i), "s", ""))
	}
	return b.String()
}

func lengths(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(unsigned("shop.example", "s", fmt.Sprintf(" l=%d;", i)))
	}
	return b.String()
}

// ideographs are so many different characters: a label for which punycode takes longest.
func ideographs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteRune(rune(0x4e00 + i*7919%20900))
	}
	return b.String()
}

// Each zone is bounded in questions and memory, and the result says which limit it met.
func TestWhatDNSMayCost(t *testing.T) {
	big := base64.StdEncoding.EncodeToString(make([]byte, 48<<10)) // 64 KiB of text
	strings500 := strings.Repeat(strings.Repeat("a", 127)+" ", 500)
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprintf("p%d.stranger.example", i)
	}
	keys := make([]string, 500)
	for i := range keys {
		keys[i] = fmt.Sprintf("v=DKIM1; n=%d; p=%s", i, attackKeys()["k_16384"].text())
	}
	spfErr := func(r *dmarc.Result) error { return r.SPF.Err }
	// Which questions were asked in vain, ahead of the reading, decides whether the limit of
	// the check is met first or that of the message.
	eitherLimit := func(r *dmarc.Result) error {
		if errors.Is(r.SPF.Err, resolver.ErrLimit) {
			return spf.ErrQuestionLimit
		}
		return r.SPF.Err
	}
	dkimErr := func(r *dmarc.Result) error { return r.DKIM[0].Err }
	const message = "From: a@shop.example\r\n\r\n"
	signed := unsigned("shop.example", "s", "") + message
	for _, tt := range []struct {
		name      string
		zone      resolver.Zone
		message   string
		questions int
		kilobytes uint64
		err       func(*dmarc.Result) error
		want      error
	}{
		{"a key record of 64 KB", resolver.Zone{"s._domainkey.shop.example": {TXT: []string{"v=DKIM1; p=" + big}}}, signed, 7, 500, dkimErr, dkim.ErrLimit},
		{"a key record of 500 strings", resolver.Zone{"s._domainkey.shop.example": {TXT: []string{"v=DKIM1; n=" + strings500}}}, signed, 7, 500, dkimErr, dkim.ErrLimit},
		{"a key of 16384 bits", resolver.Zone{"s._domainkey.shop.example": {TXT: keys[:1]}}, signed, 7, 500, dkimErr, dkim.ErrKeyTooLarge},
		{"500 keys of 16384 bits", resolver.Zone{"s._domainkey.shop.example": {TXT: keys}}, signed, 7, 1000, dkimErr, dkim.ErrKeyTooLarge},
		{"an SPF record of 64 KB", resolver.Zone{"stranger.example": {TXT: []string{"v=spf1 " + big}}}, message, 6, 500, spfErr, spf.ErrRecordLimit},
		{"an SPF record of 500 strings", resolver.Zone{"stranger.example": {TXT: []string{"v=spf1 " + strings500}}}, message, 6, 500, spfErr, spf.ErrRecordLimit},
		{"2000 terms", resolver.Zone{"stranger.example": {TXT: []string{"v=spf1" + strings.Repeat(" a", 2000)}}}, message, 6, 500, spfErr, spf.ErrRecordLimit},
		{"500 SPF records", resolver.Zone{"stranger.example": {TXT: many(500, "v=spf1 -all")}}, message, 6, 500, spfErr, spf.ErrMultipleRecords},
		{"records of ten includes each", explosive(10, "include:%c.%%{d}"), message, 2 + 2*21, 1000, spfErr, spf.ErrTermLimit},
		{"a chain of redirects", explosive(1, "redirect=%c.%%{d}"), message, 2 + 2*12, 1000, spfErr, spf.ErrTermLimit},
		{"hosts of ten mx terms each", hostsOfMX(10), message, 66 + 2, 1000, eitherLimit, spf.ErrQuestionLimit},
		{"mx with 5000 hosts", hostsOfMX(5000), message, 6 + 10, 3000, spfErr, spf.ErrMXLimit},
		{"5000 PTR names", resolver.Zone{
			"stranger.example":         {TXT: []string{"v=spf1 ptr -all"}},
			"5.113.0.203.in-addr.arpa": {PTR: names},
			"*.stranger.example":       {A: []string{"198.51.100.1"}},
		}, message, 6 + 12, 2000, spfErr, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.zone["_dmarc.shop.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject"}}
			b := charge(t, &dmarc.Verifier{}, tt.zone, stranger, text(tt.message))
			t.Logf("%d questions, %d KB, %s", len(b.dns.questions), b.octets>>10, b.processor.Round(time.Millisecond))
			if err := tt.err(b.result); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if len(b.dns.questions) > tt.questions {
				t.Errorf("%d questions, want at most %d: %v", len(b.dns.questions), tt.questions, b.dns.questions)
			}
			if b.octets>>10 > tt.kilobytes {
				t.Errorf("%d KB of memory, want at most %d", b.octets>>10, tt.kilobytes)
			}
			if b.result.DMARC.Status != dmarc.StatusFail || b.result.DMARC.Disposition != dmarc.DispositionReject {
				t.Errorf("%s, %s (%v), want fail, reject", b.result.DMARC.Status, b.result.DMARC.Disposition, b.result.DMARC.Err)
			}
		})
	}
}

func many(n int, s string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

// explosive is a zone in which every record has so many terms that lead to other such
// records, without end.
func explosive(n int, term string) resolver.Zone {
	record := "v=spf1"
	for c := range n {
		record += fmt.Sprintf(" "+term, 'a'+c)
	}
	records := resolver.Records{TXT: []string{record}}
	return resolver.Zone{"stranger.example": records, "*.stranger.example": records}
}

// hostsOfMX is a zone with ten mx terms of so many hosts each.
func hostsOfMX(n int) resolver.Zone {
	var b strings.Builder
	zone := resolver.Zone{"*.target.example": {A: []string{"198.51.100.1"}}}
	b.WriteString("v=spf1")
	for term := range 10 {
		name := fmt.Sprintf("m%d.stranger.example", term)
		fmt.Fprintf(&b, " mx:%s", name)
		hosts := make([]string, n)
		for i := range hosts {
			hosts[i] = fmt.Sprintf("10 h%d.m%d.target.example", i, term)
		}
		zone[name] = resolver.Records{MX: hosts}
	}
	zone["stranger.example"] = resolver.Records{TXT: []string{b.String() + " -all"}}
	return zone
}

// spfQuestions is what SPF may take: for MAIL FROM, what it may ask ahead in vain, and for HELO.
const spfQuestions = 50 + 10 + dmarc.DefaultHELOQuestions

// Everything that a sender can make expensive, at once.
func TestTheWorstMessageStaysWithinTheQuestionsOfAMessage(t *testing.T) {
	zone := hostsOfMX(10)
	const label = "a.b.c.d.e.f.g.h."
	e := stranger
	zone["x."+label+"stranger.example"] = zone["stranger.example"]
	e.MailFrom, e.HELO = "x@x."+label+"stranger.example", "stranger.example"
	message := ""
	for i := range 50 {
		message += unsigned(fmt.Sprintf("d%d.%sstranger.example", i, label), "s", "")
	}
	zone["_dmarc.y."+label+"stranger.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject"}}
	message += "From: a@y." + label + "stranger.example\r\n\r\n"
	b := charge(t, &dmarc.Verifier{}, zone, e, text(message))
	policy := len(b.dns.asked("_dmarc."))
	t.Logf("%d questions, %d of them for policy, at most %d at once, %d KB, waited %s", len(b.dns.questions), policy, b.dns.most, b.octets>>10, b.waited)
	keys := len(b.dns.asked("_domainkey."))
	if rest := len(b.dns.questions) - policy - keys; rest > spfQuestions || keys > 10 || policy > discovery.DefaultQuestions {
		t.Errorf("%d questions of SPF, %d for keys, %d for policy", rest, keys, policy)
	}
	if b.result.DMARC.Status == dmarc.StatusPass {
		t.Error("a pass")
	}
}

// A tarPit answers only for some names, and keeps waiting who asks for another.
type tarPit struct{ resolver.Zone }

func (p tarPit) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	if _, ok := p.Zone[q.Name]; ok {
		return p.Zone.Resolve(ctx, q)
	}
	<-ctx.Done()
	return resolver.Answer{}, ctx.Err()
}

func TestATarPitHoldsAMessageNoLongerThanItsTime(t *testing.T) {
	const label = "a.b.c.d.e.f.g.h."
	e := stranger
	e.MailFrom, e.HELO = "x@x."+label+"stranger.example", "stranger.example"
	fields := ""
	for i := range 50 {
		fields += unsigned(fmt.Sprintf("d%d.%sstranger.example", i, label), "s", "")
	}
	policy := resolver.Records{TXT: []string{"v=DMARC1; p=reject"}}
	own := "y." + label + "stranger.example"
	for _, tt := range []struct {
		name   string
		author string
		zone   resolver.Zone
		want   dmarc.Status
	}{
		{"nothing is answered", own, nil, dmarc.StatusTempError},
		{"only the policy of the Author Domain is", own, resolver.Zone{"_dmarc." + own: policy}, dmarc.StatusTempError},
		{"only that of the Organizational Domain is", own, resolver.Zone{"_dmarc.stranger.example": policy}, dmarc.StatusTempError},
		{"only another's policy is", "shop.example", resolver.Zone{"_dmarc.shop.example": policy}, dmarc.StatusFail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := charge(t, &dmarc.Verifier{}, tarPit{tt.zone}, e, text(fields+"From: a@"+tt.author+"\r\n\r\n"))
			t.Logf("waited %s, %d questions, %s", b.waited, len(b.dns.questions), b.processor.Round(time.Millisecond))
			if b.waited > dmarc.DefaultTime {
				t.Errorf("waited %s, want at most %s", b.waited, dmarc.DefaultTime)
			}
			if b.result.DMARC.Status != tt.want {
				t.Errorf("%s (%v), want %s", b.result.DMARC.Status, b.result.DMARC.Err, tt.want)
			}
		})
	}
}

// A sender must not be able to use up the questions that find out that it lies, and so turn
// a reject into a tempfail: SPF is asked long before the message comes.
func TestASenderCannotUseUpTheQuestionsThatMatter(t *testing.T) {
	policy := resolver.Records{TXT: []string{"v=DMARC1; p=reject"}}
	for _, tt := range []struct {
		name      string
		explosive string // the domain whose record asks for more than is allowed
		mailFrom  string
	}{
		{"those for keys, by its own SPF record", "stranger.example", "x@stranger.example"},
		{"those for keys, by the SPF record of its HELO name", "out.stranger.example", "x@stranger.example"},
		{"those for the SPF record of another, by that of its HELO name", "out.stranger.example", "x@shop.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := hostsOfMX(10)
			zone[tt.explosive] = zone["stranger.example"]
			zone["_dmarc.shop.example"] = policy
			zone["shop.example"] = resolver.Records{TXT: []string{"v=spf1 include:a.shop.example -all"}}
			zone["a.shop.example"] = resolver.Records{TXT: []string{"v=spf1 include:b.shop.example -all"}}
			zone["b.shop.example"] = resolver.Records{TXT: []string{"v=spf1 a:c.shop.example -all"}}
			zone["c.shop.example"] = resolver.Records{A: []string{"192.0.2.1"}}
			e := stranger
			e.MailFrom = tt.mailFrom
			message := &late{wait: time.Minute, Reader: text(unsigned("shop.example", "s", "") + "From: a@shop.example\r\n\r\n")}
			b := charge(t, &dmarc.Verifier{}, zone, e, message)
			t.Logf("%d questions: spf %s, helo %s, dkim %s", len(b.dns.questions), b.result.SPF.Status, b.result.HELO.Status, b.result.DKIM[0].Status)
			if v := b.result.DMARC; v.Status != dmarc.StatusFail || v.Disposition != dmarc.DispositionReject {
				t.Errorf("%s, %s (%v), want fail, reject", v.Status, v.Disposition, v.Err)
			}
			if len(b.dns.questions) > spfQuestions+discovery.DefaultQuestions+10 {
				t.Errorf("%d questions", len(b.dns.questions))
			}
		})
	}
}

// late is a client that keeps the server waiting before the message.
type late struct {
	wait time.Duration
	io.Reader
}

func (l *late) Read(p []byte) (int, error) {
	time.Sleep(l.wait) // of the bubble
	l.wait = 0
	return l.Reader.Read(p)
}
