package dmarc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"weak"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

const letter = "From: Shop <news@shop.example>\r\n" +
	"To: bob@receiver.example\r\n" +
	"Subject: Your order\r\n" +
	"Date: Mon, 01 Jun 2026 11:59:00 +0000\r\n" +
	"Message-ID: <1@shop.example>\r\n" +
	"\r\n" +
	"Dear customer,\r\n\r\nit is on its way.\r\n"

// sign signs a message for a domain and adds the key to the zone.
func sign(t testing.TB, zone resolver.Zone, message, name string) string {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	var b bytes.Buffer
	err := msgauth.Sign(&b, strings.NewReader(message), &msgauth.SignOptions{
		Domain: name, Selector: "s", Signer: key,
		HeaderCanonicalization: msgauth.CanonicalizationRelaxed, BodyCanonicalization: msgauth.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"},
	})
	if err != nil {
		t.Fatal(err)
	}
	zone["s._domainkey."+name] = resolver.Records{
		TXT: []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))},
	}
	return b.String()
}

// shop is a zone in which mail of shop.example from 192.0.2.1 passes everything.
func shop() resolver.Zone {
	return resolver.Zone{
		"shop.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}, A: []string{"192.0.2.1"}},
		"mail.shop.example":   {TXT: []string{"v=spf1 a -all"}, A: []string{"192.0.2.1"}},
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}},
	}
}

var fromShop = dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mail.shop.example", MailFrom: "bounce@shop.example"}

func TestVerify(t *testing.T) {
	zone := shop()
	signed := sign(t, zone, letter, "shop.example")
	foreign := fromShop
	foreign.IP, foreign.MailFrom = netip.MustParseAddr("203.0.113.5"), "x@elsewhere.example"
	for _, tt := range []struct {
		name        string
		envelope    dmarc.Envelope
		message     string
		want        dmarc.Status
		disposition dmarc.Disposition
		spf, dkim   bool
		cause       error
	}{
		{"all aligned", fromShop, signed, dmarc.StatusPass, dmarc.DispositionNone, true, true, nil},
		{"not signed", fromShop, letter, dmarc.StatusPass, dmarc.DispositionNone, true, false, nil},
		{"forwarded", foreign, signed, dmarc.StatusPass, dmarc.DispositionNone, false, true, nil},
		{"forged", foreign, letter, dmarc.StatusFail, dmarc.DispositionReject, false, false, dmarc.ErrNotAuthenticated},
		{"the body altered", foreign, signed + "PS: pay here.\r\n", dmarc.StatusFail, dmarc.DispositionReject, false, false, dmarc.ErrNotAuthenticated},
		{"a Unix file", foreign, strings.ReplaceAll(signed, "\r\n", "\n"), dmarc.StatusPass, dmarc.DispositionNone, false, true, nil},
		{"two From", foreign, "From: x@attacker.example\r\n" + signed, dmarc.StatusPermError, dmarc.DispositionReject, false, false, dmarc.ErrSeveralFrom},
		{"no header", foreign, "hello\r\n", dmarc.StatusPermError, dmarc.DispositionReject, false, false, dmarc.ErrHeader},
		{"no octet", foreign, "", dmarc.StatusPermError, dmarc.DispositionReject, false, false, dmarc.ErrNoFrom},
		{"no end of header", foreign, "From: a@shop.example", dmarc.StatusFail, dmarc.DispositionReject, false, false, dmarc.ErrNotAuthenticated},
		{
			"a header over the limit", foreign, strings.Repeat("X: 1\r\n", 100_000) + letter,
			dmarc.StatusPermError, dmarc.DispositionReject, false, false, dmarc.ErrHeaderLimit,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &dmarc.Verifier{Resolver: zone}
			r, err := v.Verify(context.Background(), tt.envelope, strings.NewReader(tt.message))
			if err != nil {
				t.Fatal(err)
			}
			got := r.DMARC
			if got.Status != tt.want || got.Disposition != tt.disposition || got.SPFAligned != tt.spf || got.DKIMAligned != tt.dkim {
				t.Errorf("%s, %s (%v), aligned %v, %v; want %s, %s, %v, %v", got.Status, got.Disposition, got.Err,
					got.SPFAligned, got.DKIMAligned, tt.want, tt.disposition, tt.spf, tt.dkim)
			}
			if !errors.Is(got.Err, tt.cause) || (got.Err == nil) != (tt.cause == nil) {
				t.Errorf("because %v, want %v", got.Err, tt.cause)
			}
			if r.SPF == nil || r.HELO == nil || r.DKIM == nil {
				t.Error("a result is missing")
			}
			octets, err := v.Verify(context.Background(), tt.envelope, iotest.OneByteReader(strings.NewReader(tt.message)))
			if err != nil || octets.DMARC.Status != got.Status {
				t.Errorf("octet by octet: %s (%v), want %s", octets.DMARC.Status, err, got.Status)
			}
		})
	}
}

func TestSeveralDomainsCanAllBeEvaluated(t *testing.T) {
	zone := shop()
	zone["_dmarc.other.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=quarantine"}}
	for _, tt := range []struct {
		name, from  string
		rule        dmarc.InvalidAuthor
		want        dmarc.Status
		disposition dmarc.Disposition
		others      int
	}{
		{"by default it is refused", "a@shop.example, b@other.example", dmarc.InvalidAuthorReject, dmarc.StatusPermError, dmarc.DispositionReject, 0},
		{"quarantine instead", "a@shop.example, b@other.example", dmarc.InvalidAuthorQuarantine, dmarc.StatusPermError, dmarc.DispositionQuarantine, 0},
		{"none instead", "a@shop.example, b@other.example", dmarc.InvalidAuthorAccept, dmarc.StatusPermError, dmarc.DispositionNone, 0},
		{"the strictest stands", "a@shop.example, b@other.example", dmarc.InvalidAuthorEvaluateAll, dmarc.StatusFail, dmarc.DispositionQuarantine, 2},
		{"all pass", "a@shop.example, b@mail.shop.example", dmarc.InvalidAuthorEvaluateAll, dmarc.StatusPass, dmarc.DispositionNone, 2},
		{"one without a policy", "a@shop.example, b@nobody.example", dmarc.InvalidAuthorEvaluateAll, dmarc.StatusNone, dmarc.DispositionNone, 2},
		{"as many as may be", "a@a.example, b@b.example, c@c.example, d@shop.example", dmarc.InvalidAuthorEvaluateAll, dmarc.StatusNone, dmarc.DispositionNone, 4},
		{"too many", "a@a.example, b@b.example, c@c.example, d@d.example, e@e.example", dmarc.InvalidAuthorEvaluateAll, dmarc.StatusPermError, dmarc.DispositionReject, 0},
		{"none at all", "nobody:;", dmarc.InvalidAuthorEvaluateAll, dmarc.StatusPermError, dmarc.DispositionReject, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &dmarc.Verifier{Resolver: zone, InvalidAuthor: tt.rule}
			r, err := v.Verify(context.Background(), fromShop, strings.NewReader("From: "+tt.from+"\r\n\r\nhi\r\n"))
			if err != nil || r.DMARC.Status != tt.want || r.DMARC.Disposition != tt.disposition || len(r.Others) != tt.others {
				t.Errorf("%s, %s, %d verdicts (%v); want %s, %s, %d", r.DMARC.Status, r.DMARC.Disposition, len(r.Others), err,
					tt.want, tt.disposition, tt.others)
			}
		})
	}
}

func TestAnSPFResultOfAnUpstreamIsTaken(t *testing.T) {
	e := fromShop
	e.IP = netip.Addr{}
	given := &spf.Result{Status: spf.StatusPass, Domain: "shop.example"}
	s := (&dmarc.Verifier{Resolver: shop()}).Begin(context.Background(), e)
	defer s.Finish()
	if _, err := io.WriteString(s, letter); err != nil {
		t.Fatal(err)
	}
	s.UseSPF(given)
	r, err := s.Finish()
	if err != nil || r.DMARC.Status != dmarc.StatusPass || r.SPF != given {
		t.Errorf("%s (%v), want a pass by the given result", r.DMARC.Status, err)
	}
}

// slow answers after 20 ms, and counts.
type slow struct{ resolver.Resolver }

func (s slow) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	}
	return s.Resolver.Resolve(ctx, q)
}

// busy is a message with three signatures from three domains and SPF with five includes.
func busy(t testing.TB) (resolver.Zone, string) {
	zone := shop()
	zone["shop.example"] = resolver.Records{TXT: []string{
		"v=spf1 include:i1.example include:i2.example include:i3.example include:i4.example include:i5.example -all",
	}}
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		zone["i"+n+".example"] = resolver.Records{TXT: []string{"v=spf1 a:h" + n + ".example ip4:198.51.100." + n + " ~all"}}
		zone["h"+n+".example"] = resolver.Records{A: []string{"203.0.113." + n}}
	}
	zone["h5.example"] = resolver.Records{A: []string{"192.0.2.1"}}
	zone["mail.shop.example"] = resolver.Records{TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}}
	message := letter
	for _, name := range []string{"list.example", "news.shop.example", "provider.example"} {
		message = sign(t, zone, message, name)
	}
	return zone, message
}

func TestAVerdictTakesAtMostThreeRoundTrips(t *testing.T) {
	zone, message := busy(t)
	signed := time.Now() // by the clock outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		v := &dmarc.Verifier{Resolver: slow{zone}, Now: func() time.Time { return signed }}
		r, err := v.Verify(context.Background(), fromShop, strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		if r.DMARC.Status != dmarc.StatusPass || !r.DMARC.SPFAligned || !r.DMARC.DKIMAligned {
			t.Errorf("%s (%v), aligned %v, %v; want a pass by both", r.DMARC.Status, r.DMARC.Err, r.DMARC.SPFAligned, r.DMARC.DKIMAligned)
		}
		trips := time.Since(start) / (20 * time.Millisecond)
		sequence := r.SPF.Questions + r.HELO.Questions + len(r.DKIM) + len(r.DMARC.Discovery.Queries)
		t.Logf("%d round trips for %d questions", trips, sequence)
		if trips > 3 {
			t.Errorf("%d round trips, want at most 3", trips)
		}
	})
}

func TestAReaderThatFailsIsAnError(t *testing.T) {
	broken := errors.New("broken pipe")
	r := io.MultiReader(strings.NewReader(letter), iotest.ErrReader(broken))
	if _, err := (&dmarc.Verifier{Resolver: shop()}).Verify(context.Background(), fromShop, r); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the reader", err)
	}
}

func TestACancelledContextEndsEverything(t *testing.T) {
	zone, message := busy(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		start := time.Now()
		r, err := (&dmarc.Verifier{Resolver: slow{zone}}).Verify(ctx, fromShop, strings.NewReader(message))
		if err != nil {
			t.Errorf("error %v, although the message was read to its end", err)
		}
		if r.DMARC.Status == dmarc.StatusPass {
			t.Error("a pass without answers")
		}
		if d := time.Since(start); d > 40*time.Millisecond {
			t.Errorf("ended after %s", d)
		}
	})
}

func TestTimeForAMessageIsBounded(t *testing.T) {
	zone := shop()
	for _, name := range []string{"slow.example", "mail.shop.example"} {
		zone[name] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrTimeout, Delay: time.Hour}}
	}
	zone["_dmarc.shop.example"] = resolver.Records{Fault: resolver.Fault{Delay: time.Hour, Err: resolver.ErrTimeout}}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e := fromShop
		e.MailFrom = "x@slow.example"
		r, err := (&dmarc.Verifier{Resolver: zone}).Verify(t.Context(), e, strings.NewReader(letter))
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > dmarc.DefaultTime {
			t.Errorf("took %s", d)
		}
		if r.DMARC.Status != dmarc.StatusTempError || r.DMARC.Disposition != dmarc.DispositionTempFail || !errors.Is(r.DMARC.Err, resolver.ErrLimit) {
			t.Errorf("%s, %s (%v); want temperror that names the limit", r.DMARC.Status, r.DMARC.Disposition, r.DMARC.Err)
		}
	})
}

// panicking is a resolver with a defect.
type panicking struct{}

func (panicking) Resolve(context.Context, resolver.Question) (resolver.Answer, error) {
	panic("defect")
}

// gated answers after a while for some names, and counts all questions.
type gated struct {
	resolver.Zone
	delay map[string]time.Duration
	asked atomic.Int32
}

func (g *gated) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	g.asked.Add(1)
	delay, ok := g.delay[q.Name]
	if !ok {
		delay = time.Millisecond
	}
	select {
	case <-time.After(delay):
		return g.Zone.Resolve(ctx, q)
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	}
}

func TestAskingAheadChangesNoVerdict(t *testing.T) {
	zone := resolver.Zone{"_dmarc.a.example": {TXT: []string{"v=DMARC1; p=reject"}}}
	mx := func(name string) {
		var hosts []string
		for n := range 10 {
			host := fmt.Sprintf("h%d.%s", n, name)
			hosts = append(hosts, "10 "+host)
			zone[host] = resolver.Records{A: []string{"198.51.100.1"}}
		}
		zone[name] = resolver.Records{MX: hosts}
	}
	record := "v=spf1 include:i.example"
	for n := range 6 {
		mx(fmt.Sprintf("m%d.example", n))
		record += fmt.Sprintf(" mx:m%d.example", n)
	}
	zone["a.example"] = resolver.Records{TXT: []string{record + " -all"}}
	mx("n1.example")
	mx("n2.example")
	zone["h9.n2.example"] = resolver.Records{A: []string{"192.0.2.1"}}
	zone["i.example"] = resolver.Records{TXT: []string{"v=spf1 mx:n1.example mx:n2.example -all"}}

	for client, want := range map[string]dmarc.Status{"192.0.2.1": dmarc.StatusPass, "203.0.113.66": dmarc.StatusFail} {
		for _, sequential := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				dns := &gated{Zone: zone, delay: map[string]time.Duration{"i.example": 100 * time.Millisecond}}
				e := dmarc.Envelope{IP: netip.MustParseAddr(client), HELO: "x.example", MailFrom: "u@a.example"}
				v := &dmarc.Verifier{Resolver: dns, SPF: spf.Options{Sequential: sequential}}
				r, err := v.Verify(t.Context(), e, strings.NewReader("From: u@a.example\r\n\r\nhi\r\n"))
				if err != nil || r.DMARC.Status != want {
					t.Errorf("%s, sequential %v: dmarc %s, spf %s (%v), want %s", client, sequential, r.DMARC.Status, r.SPF.Status, r.SPF.Err, want)
				}
				if n := dns.asked.Load(); n > 80 {
					t.Errorf("%d questions", n)
				}
			})
		}
	}
}

// The policy beside a pass is right, and that np is the same as sp is known without DNS.
func TestAPassWaitsForTheExistenceOfTheAuthorDomainWhereThatDecidesThePolicy(t *testing.T) {
	message := strings.ReplaceAll(letter, "news@shop.example", "news@new.shop.example")
	for _, tt := range []struct {
		name, ip, np string
		slow         time.Duration // of the question whether the Author Domain exists
		status       dmarc.Status
		exists       discovery.Existence
		policy, tag  string
		trips        time.Duration
	}{
		{"a pass, np is another", "192.0.2.1", "none", 20 * time.Millisecond, dmarc.StatusPass, discovery.ExistenceYes, "reject", "p", 2},
		{"a pass, np is the same", "192.0.2.1", "reject", time.Hour, dmarc.StatusPass, discovery.ExistenceNotAsked, "reject", "p", 1},
		{"a fail, np is another", "203.0.113.5", "none", 20 * time.Millisecond, dmarc.StatusFail, discovery.ExistenceYes, "reject", "p", 2},
		{"a pass of a name that does not exist", "192.0.2.1", "none", 0, dmarc.StatusPass, discovery.ExistenceNo, "none", "np", 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			zone := resolver.Zone{
				"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject; np=" + tt.np}},
				"shop.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
			}
			delay := map[string]time.Duration{"_dmarc.shop.example": 20 * time.Millisecond, "shop.example": 20 * time.Millisecond}
			if tt.slow > 0 {
				zone["new.shop.example"], delay["new.shop.example"] = resolver.Records{TXT: []string{"x"}}, tt.slow
			}
			e := fromShop
			e.HELO, e.IP = "", netip.MustParseAddr(tt.ip)
			start := time.Now()
			r, err := (&dmarc.Verifier{Resolver: &gated{Zone: zone, delay: delay}}).Verify(t.Context(), e, strings.NewReader(message))
			if err != nil || r.DMARC.Status != tt.status || r.DMARC.Discovery.Exists != tt.exists {
				t.Errorf("%s: %s (%v), exists: %s; want %s, %s", tt.name, r.DMARC.Status, r.DMARC.Err, r.DMARC.Discovery.Exists, tt.status, tt.exists)
			}
			if r.DMARC.Policy.String() != tt.policy || r.DMARC.PolicyTag != tt.tag {
				t.Errorf("%s: policy %s=%s, want %s=%s", tt.name, r.DMARC.PolicyTag, r.DMARC.Policy, tt.tag, tt.policy)
			}
			if d := time.Since(start); d > tt.trips*20*time.Millisecond {
				t.Errorf("%s: took %s, want %d round trips", tt.name, d, tt.trips)
			}
		})
	}
}

// trickle is a message whose body never ends, written slowly.
type trickle struct {
	head io.Reader
	read int
}

func (e *trickle) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	time.Sleep(time.Millisecond)
	e.read += len(p)
	return len(p), nil
}

func TestAContextEndsAMessageThatNeverDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := (&dmarc.Verifier{Resolver: shop()}).Verify(ctx, fromShop, &trickle{head: strings.NewReader(letter)})
		if d := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || d > 300*time.Millisecond {
			t.Errorf("ended after %s with %v", d, err)
		}
	})
}

func TestNothingIsReadBehindAHeaderThatExceedsALimit(t *testing.T) {
	message := &trickle{head: strings.NewReader(strings.Repeat("X: 1\r\n", 2000))}
	r, err := (&dmarc.Verifier{Resolver: shop()}).Verify(context.Background(), fromShop, message)
	if err != nil || !errors.Is(r.DMARC.Err, dmarc.ErrHeaderLimit) || r.DMARC.Disposition != dmarc.DispositionReject {
		t.Errorf("%s (%v, %v), want permerror by the limit", r.DMARC.Status, r.DMARC.Err, err)
	}
}

func TestEvaluateOfWhatWasNotDiscoveredIsNoPass(t *testing.T) {
	if v := dmarc.Evaluate(dmarc.Input{}); v.Status != dmarc.StatusTempError || v.Disposition != dmarc.DispositionTempFail {
		t.Errorf("without a discovery: %s, %s", v.Status, v.Disposition)
	}
	verifier := &dmarc.Verifier{Resolver: shop()}
	signed := []*dkim.Result{{Status: dkim.StatusPass, Domain: "news.shop.example"}}
	d := verifier.Discover(context.Background(), "shop.example", nil, nil) // not told of it
	if v := dmarc.Evaluate(dmarc.Input{DKIM: signed, Discovery: d}); v.Status != dmarc.StatusTempError {
		t.Errorf("without the identifier: %s (%v), want temperror", v.Status, v.Err)
	}
	for _, author := range []string{"", "[192.0.2.1]", "192.0.2.1", "x\r\n250 ok"} {
		v := dmarc.Evaluate(dmarc.Input{Discovery: verifier.Discover(context.Background(), author, nil, nil)})
		if v.Status != dmarc.StatusPermError || v.Disposition != dmarc.DispositionReject || v.AuthorDomain != "" {
			t.Errorf("%q: %s, %s, Author Domain %q; want permerror, reject", author, v.Status, v.Disposition, v.AuthorDomain)
		}
	}
}

// vouched is a zone of which DNSSEC vouches for every answer, but those for one name.
type vouched struct {
	resolver.Zone
	but string
}

func (v vouched) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	authentic := resolver.AuthenticYes
	if q.Name == v.but {
		authentic = resolver.AuthenticNo
	}
	answer, err := v.Zone.Resolve(ctx, q)
	answer.Authentic = authentic
	if e, ok := errors.AsType[*resolver.Error](err); ok {
		e.Authentic = authentic
	}
	return answer, err
}

func TestDNSSECVouchesForAResultOnlyIfItDoesForEveryAnswer(t *testing.T) {
	zone := shop()
	zone["_dmarc.shop.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject; np=quarantine"}}
	signed := sign(t, resolver.Zone{}, letter, "shop.example") // its key is nowhere
	absent := strings.ReplaceAll(signed, "news@shop.example", "news@absent.shop.example")
	stranger := fromShop
	stranger.IP = netip.MustParseAddr("203.0.113.5")
	for _, tt := range []struct {
		but  string
		want resolver.Authentic
	}{
		{"", resolver.AuthenticYes},
		{"shop.example", resolver.AuthenticNo},
		{"mail.shop.example", resolver.AuthenticYes}, // HELO, which DMARC does not need
		{"s._domainkey.shop.example", resolver.AuthenticNo},
		{"_dmarc.shop.example", resolver.AuthenticNo},
		{"_dmarc.example", resolver.AuthenticNo},
		{"absent.shop.example", resolver.AuthenticNo},
	} {
		r, err := (&dmarc.Verifier{Resolver: vouched{zone, tt.but}}).Verify(context.Background(), stranger, strings.NewReader(absent))
		if err != nil || r.Authentic != tt.want || r.DMARC.PolicyTag != "np" {
			t.Errorf("but for %q: %s (%v, policy from %s), want %s", tt.but, r.Authentic, err, r.DMARC.PolicyTag, tt.want)
		}
	}
}

func TestDNSSECVouchesOnlyForWhatWasAsked(t *testing.T) {
	zone := shop()
	zone["_dmarc.other.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=none"}}
	for _, tt := range []struct {
		name, from, but string
		envelope        dmarc.Envelope
		want            resolver.Authentic
	}{
		{"nothing", "nobody:;", "", dmarc.Envelope{}, resolver.AuthenticUnknown},
		{"the policy alone", "a@shop.example", "", dmarc.Envelope{MailFrom: "x@shop.example"}, resolver.AuthenticYes},
		{"two policies", "a@shop.example, b@other.example", "", dmarc.Envelope{MailFrom: "x@shop.example"}, resolver.AuthenticYes},
		{"two policies, and one is not vouched for", "a@shop.example, b@other.example", "_dmarc.other.example", dmarc.Envelope{MailFrom: "x@shop.example"}, resolver.AuthenticNo},
		{"SPF alone", "nobody:;", "", fromShop, resolver.AuthenticYes},
		{"SPF alone, not vouched for", "nobody:;", "shop.example", fromShop, resolver.AuthenticNo},
	} {
		v := &dmarc.Verifier{Resolver: vouched{zone, tt.but}, InvalidAuthor: dmarc.InvalidAuthorEvaluateAll}
		r, err := v.Verify(t.Context(), tt.envelope, strings.NewReader("From: "+tt.from+"\r\n\r\nhi\r\n"))
		if err != nil || r.Authentic != tt.want {
			t.Errorf("%s: %s (%v), want %s", tt.name, r.Authentic, err, tt.want)
		}
	}
}

func TestFinishCanBeCalledAgain(t *testing.T) {
	zone := shop()
	signed := sign(t, zone, letter, "shop.example")
	s := (&dmarc.Verifier{Resolver: zone}).Begin(context.Background(), fromShop)
	io.WriteString(s, signed)
	first, err := s.Finish()
	if err != nil || first.DMARC.Status != dmarc.StatusPass {
		t.Fatalf("%s (%v), want pass", first.DMARC.Status, err)
	}
	io.WriteString(s, "more")
	if again, err := s.Finish(); again != first || err != nil {
		t.Errorf("called again: %v (%v), want the same result", again, err)
	}
}

func TestNothingOfTheCallersIsKept(t *testing.T) {
	zone := shop()
	message := sign(t, zone, letter, "shop.example")
	v := &dmarc.Verifier{Resolver: forgetful{zone}}
	var result *dmarc.Result
	value := func() weak.Pointer[[64]byte] {
		type key struct{}
		value := new([64]byte)
		var err error
		result, err = v.Verify(context.WithValue(context.Background(), key{}, value), fromShop, strings.NewReader(message))
		if err != nil || result.DMARC.Status != dmarc.StatusPass {
			t.Fatal(result.DMARC.Status, err)
		}
		return weak.Make(value)
	}()
	runtime.GC()
	if value.Value() != nil {
		t.Error("the context of a message lives on after it")
	}
	runtime.KeepAlive(v)
	runtime.KeepAlive(result)
}

func TestAPanickingResolverIsContained(t *testing.T) {
	zone := shop()
	signed := sign(t, zone, letter, "shop.example")
	r, err := (&dmarc.Verifier{Resolver: panicking{}}).Verify(context.Background(), fromShop, strings.NewReader(signed))
	if err != nil || r.DMARC.Status != dmarc.StatusTempError || r.SPF.Status != spf.StatusTempError || r.DKIM[0].Status != dkim.StatusTempError {
		t.Errorf("dmarc %s, spf %s, dkim %s (%v); want temperror", r.DMARC.Status, r.SPF.Status, r.DKIM[0].Status, err)
	}
}

func TestAResultSurvivesJSON(t *testing.T) {
	zone, message := busy(t)
	zone["_dmarc.shop.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject; sp-x; rua=mailto:a@shop.example,bogus"}}
	for _, e := range []dmarc.Envelope{fromShop, {IP: netip.MustParseAddr("2001:db8::1"), HELO: "x"}} {
		r, err := (&dmarc.Verifier{Resolver: zone, SPF: spf.Options{Trace: true}}).Verify(context.Background(), e, strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back dmarc.Result
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&back)
		if err != nil || !bytes.Equal(again, text) {
			t.Errorf("written again (%v):\n%s\nwant\n%s", err, again, text)
		}
		if r.DMARC.Err != nil && !errors.Is(back.DMARC.Err, dmarc.ErrNotAligned) && !errors.Is(back.DMARC.Err, dmarc.ErrNotAuthenticated) {
			t.Errorf("the error is %v after reading", back.DMARC.Err)
		}
	}
}
