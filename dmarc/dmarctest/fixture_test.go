package dmarctest

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// Our own fixtures are tested as anybody's are.
func TestTheFixturesOfThisModule(t *testing.T) {
	Run(t, "../../testdata")
}

// shop is a message that is aligned in both ways.
func shop(t testing.TB) *Fixture {
	t.Helper()
	zone := resolver.Zone{
		"shop.example":        {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}},
	}
	message := Message{From: "Shop <orders@shop.example>", Subject: "Your order"}.Bytes(t)
	return &Fixture{
		Message:  Sign(t, zone, message, Signature{Domain: "shop.example"}),
		Envelope: dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mail.shop.example", MailFrom: "bounces@shop.example"},
		Zone:     zone,
	}
}

func TestASignedMessagePasses(t *testing.T) {
	r := shop(t).Verify(t)
	WantVerdict(t, r, dmarc.StatusPass)
	WantDisposition(t, r, dmarc.DispositionNone)
	WantSPF(t, r, spf.StatusPass)
	WantDKIM(t, r, dkim.StatusPass)
	WantAligned(t, r, dmarc.MethodSPF, dmarc.MethodDKIM)
}

func TestAMessageThatWasChangedFails(t *testing.T) {
	f := shop(t)
	f.Envelope.IP = netip.MustParseAddr("198.51.100.7")
	f.Message = bytes.Replace(f.Message, []byte("Hello."), []byte("Hello!"), 1)
	r := f.Verify(t)
	WantVerdict(t, r, dmarc.StatusFail)
	WantDisposition(t, r, dmarc.DispositionReject)
	WantSPF(t, r, spf.StatusFail)
	WantDKIM(t, r, dkim.StatusFail)
	WantAligned(t, r)
	if !errors.Is(r.DKIM[0].Err, dkim.ErrBodyHashMismatch) {
		t.Error(r.DKIM[0].Err)
	}
}

func TestASignedMessageMayBeKeptWithLF(t *testing.T) {
	f := shop(t)
	f.Message = bytes.ReplaceAll(f.Message, []byte("\r\n"), []byte("\n"))
	WantDKIM(t, f.Verify(t), dkim.StatusPass)
}

func TestTheClockOfAFixtureIsTheClockOfItsSignatures(t *testing.T) {
	f := shop(t)
	f.Message = Sign(t, f.Zone, Message{From: "orders@shop.example"}.Bytes(t), Signature{
		Domain: "shop.example", Expires: time.Now().Add(time.Hour),
	})
	WantDKIM(t, f.Verify(t), dkim.StatusPass)
	f.Now = time.Now().Add(2 * time.Hour)
	r := f.Verify(t)
	if !errors.Is(r.DKIM[0].Err, dkim.ErrExpired) || !r.Time.Equal(f.Now) {
		t.Errorf("%v at %v", r.DKIM[0].Err, r.Time)
	}
}

func TestTheVerifierCanBeConfigured(t *testing.T) {
	f := shop(t)
	f.Envelope.IP = netip.MustParseAddr("198.51.100.7")
	f.Message = Message{From: "orders@shop.example"}.Bytes(t)
	f.Zone["_dmarc.shop.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject; pct=50"}}
	f.Configure = func(v *dmarc.Verifier) { v.Discovery.Mode = discovery.PublicSuffix }
	WantDisposition(t, f.Verify(t), dmarc.DispositionReject)
	f.Configure = func(v *dmarc.Verifier) {
		v.Discovery.Mode = discovery.PublicSuffix
		v.Draw = func() float64 { return 0.7 }
	}
	WantDisposition(t, f.Verify(t), dmarc.DispositionQuarantine)
	f.Configure = func(v *dmarc.Verifier) { v.Resolver = resolver.Zone{} }
	WantVerdict(t, f.Verify(t), dmarc.StatusNone)
}

func TestAFaultLeavesTheVerdictOpen(t *testing.T) {
	f := shop(t)
	Plant(t, f.Zone, "_dmarc.shop.example TXT", resolver.Fault{Err: resolver.ErrTimeout})
	r := f.Verify(t)
	WantVerdict(t, r, dmarc.StatusTempError)
	WantDisposition(t, r, dmarc.DispositionTempFail)
}

func TestEveryQuestionThatIsKnownIsAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := shop(t)
		const roundTrip = 100 * time.Millisecond
		f.Configure = func(v *dmarc.Verifier) { v.Resolver = Slow(v.Resolver, roundTrip) }
		start := time.Now()
		WantVerdict(t, f.Verify(t), dmarc.StatusPass)
		if took := time.Since(start); took != roundTrip {
			t.Errorf("SPF, the key and the policy took %v, want one round trip of %v", took, roundTrip)
		}
	})
}

func TestFixturesAreVerifiedSideBySide(t *testing.T) {
	f := shop(t)
	for range 8 {
		t.Run("fixture", func(t *testing.T) {
			t.Parallel()
			WantVerdict(t, f.Verify(t), dmarc.StatusPass)
		})
	}
}

func TestAContextThatEndedFailsTheTest(t *testing.T) {
	f := shop(t)
	f.Name = "shop"
	ended := t.Context()
	t.Run("within", func(t *testing.T) { ended = t.Context() })
	wantText(t, failure(t, func(t testing.TB) { f.Verify(ofContext{t, ended}) }), "verifying shop: context canceled")
}

const spoofedEML = "From: Shop <orders@shop.example>\nSubject: Your order\n\nClick here.\n"
const spoofedZone = "shop.example. TXT \"v=spf1 -all\"\n_dmarc.shop.example. TXT \"v=DMARC1; p=reject\"\n"

func TestAnExpectationThatIsNotMetIsExplained(t *testing.T) {
	dir := files(t, map[string]string{
		"spoofed.eml": spoofedEML, "spoofed.zone": spoofedZone,
		"spoofed.json": `{"ip": "198.51.100.7", "helo": "x.example", "mail_from": "x@shop.example", "want": {"verdict": "pass", "spf": "fail"}}`,
	})
	t.Setenv(updateVariable, "0")
	got := failure(t, func(t testing.TB) { Load(t, dir)[0].Check(t) })
	wantText(t, got, "spoofed.json expects something else",
		"verdict      fail             pass             <--", "spf          fail             fail\n", "shop.example")
}

func TestAFixtureThatExpectsNothingFails(t *testing.T) {
	f := shop(t)
	got := failure(t, func(t testing.TB) { f.Check(t) })
	wantText(t, got, "the fixture expects nothing", `"verdict": "pass",`)
	f.Want = Want{DKIM: []string{"pass"}}
	if got := failure(t, func(t testing.TB) { f.Check(t) }); got != "" {
		t.Error(got)
	}
}

func TestExpectationsAreRewrittenAndThenMet(t *testing.T) {
	const before = `{"ip": "198.51.100.7", "helo": "x.example", "mail_from": "x@shop.example", "want": `
	dir := files(t, map[string]string{
		"spoofed.eml": spoofedEML, "spoofed.zone": spoofedZone,
		"spoofed.json": before + `{"verdict": "pass"}}`,
	})
	t.Setenv(updateVariable, "1")
	for range 2 {
		if got := failure(t, func(t testing.TB) { Load(t, dir)[0].Check(t) }); got != "" {
			t.Fatal(got)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "spoofed.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := before + Want{Verdict: "fail", Disposition: "reject", SPF: "fail", DKIM: []string{}}.text() + "}"
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	t.Setenv(updateVariable, "0")
	Load(t, dir)[0].Check(t)
}

func TestAnExpectationThatIsMetIsNotRewritten(t *testing.T) {
	const sidecar = `{"ip":"198.51.100.7","mail_from":"x@shop.example","want":{"verdict":"fail"}}`
	dir := files(t, map[string]string{"a.eml": spoofedEML, "a.zone": spoofedZone, "a.json": sidecar})
	t.Setenv(updateVariable, "1")
	Load(t, dir)[0].Check(t)
	if text, err := os.ReadFile(filepath.Join(dir, "a.json")); err != nil || string(text) != sidecar {
		t.Errorf("%s, %v", text, err)
	}
}

func TestAnAnswerThatIsMinutesAwayTakesNoTimeInRun(t *testing.T) {
	start := time.Now()
	dir := files(t, map[string]string{
		"slow.eml": spoofedEML, "slow.zone": spoofedZone,
		"slow.json": `{"ip": "198.51.100.7", "mail_from": "x@shop.example", "faults": {"_dmarc.shop.example TXT": "5m"},
			"want": {"verdict": "temperror", "disposition": "tempfail"}}`,
	})
	t.Run("fixtures", func(t *testing.T) { Run(t, dir) })
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestAFileWhoseExpectationsAreMetIsNotWritten(t *testing.T) {
	dir := files(t, map[string]string{
		"spoofed.eml": spoofedEML, "spoofed.zone": spoofedZone,
		"spoofed.json": `{"ip": "198.51.100.7", "mail_from": "x@shop.example", "want": {"spf": "fail", "verdict": "fail"}}`,
	})
	path := filepath.Join(dir, "spoofed.json")
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	t.Setenv(updateVariable, "1")
	Load(t, dir)[0].Check(t)
	got, err := os.Stat(path)
	if err != nil || !got.ModTime().Equal(long) {
		t.Errorf("written at %v (%v)", got.ModTime(), err)
	}
	w := Want{Verdict: "pass"}
	if err := update(path, w); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	if err := update(path, w); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Stat(path); err != nil || !got.ModTime().Equal(long) {
		t.Errorf("written with the same text at %v (%v)", got.ModTime(), err)
	}
}

func TestAZoneWithANameThatNoQuestionHasFailsTheTest(t *testing.T) {
	for _, name := range []string{"_dmarc.shop.example.", "_dmarc.Shop.example"} {
		f := shop(t)
		f.Zone[name] = resolver.Records{TXT: []string{"v=DMARC1; p=none"}}
		wantText(t, failure(t, func(t testing.TB) { f.Verify(t) }), name, `write "_dmarc.shop.example"`)
	}
}

func TestOneBrokenFixtureFailsNoOther(t *testing.T) {
	const sidecar = `{"ip": "198.51.100.7", "mail_from": "x@shop.example", "want": {"verdict": "fail"}}`
	dir := files(t, map[string]string{
		"a.eml": spoofedEML, "a.zone": spoofedZone, "a.json": `{"mailfrom": ""}`,
		"b.eml": spoofedEML, "b.zone": spoofedZone, "b.json": sidecar,
	})
	list := Load(t, dir)
	wantText(t, failure(t, func(t testing.TB) { list[0].Verify(t) }), "a.json:1: unknown key")
	list[1].Check(t)
}
