package dmarc_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

// An ended context, or a reader that failed, is a question that was not answered: it counts as
// any other.

// unread is what stands in a message behind the place where its reader ends.
const unread = "<<the reader ends here>>"

func TestWhatIsKnownWhenTheTimeIsOverDecides(t *testing.T) {
	attacker := dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: "out.attacker.example", MailFrom: "x@attacker.example"}
	owner := dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.5"), HELO: "out.attacker.example", MailFrom: "x@shop.example"}
	zone := shop()
	bySigner := func(name string) string { return sign(t, zone, letter, name) }
	byShop, byAttacker := bySigner("shop.example"), bySigner("attacker.example")
	cut := func(message, at string) string { return strings.Replace(message, at, unread+at, 1) }
	const keyOf = "s._domainkey."
	fail := func(d dmarc.Disposition) map[dmarc.TempErrorRule]dmarc.Disposition {
		return map[dmarc.TempErrorRule]dmarc.Disposition{dmarc.TempErrorByPolicy: d, dmarc.TempErrorTempFail: d, dmarc.TempErrorAccept: d}
	}
	open := map[dmarc.TempErrorRule]dmarc.Disposition{
		dmarc.TempErrorByPolicy: dmarc.DispositionTempFail, dmarc.TempErrorTempFail: dmarc.DispositionTempFail, dmarc.TempErrorAccept: dmarc.DispositionNone,
	}
	openByNone := map[dmarc.TempErrorRule]dmarc.Disposition{
		dmarc.TempErrorByPolicy: dmarc.DispositionNone, dmarc.TempErrorTempFail: dmarc.DispositionTempFail, dmarc.TempErrorAccept: dmarc.DispositionNone,
	}
	for _, tt := range []struct {
		name        string
		envelope    dmarc.Envelope
		message     string
		slow        []string // names that DNS does not answer for
		policy      string
		want        dmarc.Status
		disposition map[dmarc.TempErrorRule]dmarc.Disposition
		cause       error
	}{
		// The message is read to its end, and the sender's own names are open.
		{"the attacker's SPF is open", attacker, letter, []string{"attacker.example"}, "reject", dmarc.StatusFail, fail(dmarc.DispositionReject), dmarc.ErrNotAuthenticated},
		{"the attacker's HELO is open", attacker, letter, []string{"out.attacker.example"}, "reject", dmarc.StatusFail, fail(dmarc.DispositionReject), dmarc.ErrNotAuthenticated},
		{"the attacker's key is open", attacker, byAttacker, []string{keyOf + "attacker.example"}, "reject", dmarc.StatusFail, fail(dmarc.DispositionReject), dmarc.ErrNotAuthenticated},
		{
			"all of the attacker's names are open", attacker, byAttacker,
			[]string{keyOf + "attacker.example", "attacker.example", "out.attacker.example"}, "quarantine",
			dmarc.StatusFail, fail(dmarc.DispositionQuarantine), dmarc.ErrNotAuthenticated,
		},
		{"all of the attacker's names are open, and the owner's signature passes", attacker, byShop, []string{"attacker.example", "out.attacker.example"}, "reject", dmarc.StatusPass, fail(dmarc.DispositionNone), nil},
		{"two From fields, and all is open", attacker, "From: x@attacker.example\r\n" + letter, []string{"attacker.example", "_dmarc.shop.example"}, "reject", dmarc.StatusPermError, fail(dmarc.DispositionReject), dmarc.ErrSeveralFrom},

		// The message is read to its end, and what could have made a pass is open.
		{"the owner's key is open", attacker, byShop, []string{keyOf + "shop.example"}, "reject", dmarc.StatusTempError, open, dmarc.ErrResultUnknown},
		{"the owner's key is open under p=none", attacker, byShop, []string{keyOf + "shop.example"}, "none", dmarc.StatusTempError, openByNone, dmarc.ErrResultUnknown},
		{"the owner's SPF is open", owner, letter, []string{"shop.example"}, "reject", dmarc.StatusTempError, open, dmarc.ErrResultUnknown},
		{"the policy is open", attacker, byAttacker, []string{"_dmarc.shop.example"}, "reject", dmarc.StatusTempError, open, dmarc.ErrPolicyUnknown},

		// The body is cut short.
		{"the body is cut, and the owner signed", attacker, cut(byShop, "it is on"), nil, "reject", dmarc.StatusTempError, open, dmarc.ErrResultUnknown},
		{"the body is cut, and a stranger signed", attacker, cut(byAttacker, "it is on"), nil, "reject", dmarc.StatusFail, fail(dmarc.DispositionReject), dmarc.ErrNotAuthenticated},
		{"the body is cut, and nobody signed", attacker, cut(letter, "it is on"), nil, "reject", dmarc.StatusFail, fail(dmarc.DispositionReject), dmarc.ErrNotAuthenticated},
		{"the body is cut, and the owner's SPF passes", fromShop, cut(byShop, "it is on"), nil, "reject", dmarc.StatusPass, fail(dmarc.DispositionNone), nil},
		{"the body is cut, and there are two From fields", attacker, cut("From: x@attacker.example\r\n"+byShop, "it is on"), nil, "reject", dmarc.StatusPermError, fail(dmarc.DispositionReject), dmarc.ErrSeveralFrom},

		// The header is cut short.
		{"the header is cut", fromShop, cut(byShop, "Subject"), nil, "reject", dmarc.StatusTempError, open, dmarc.ErrInterrupted},
		{"the header is cut behind two From fields", attacker, cut("From: x@attacker.example\r\n"+letter, "Subject"), nil, "reject", dmarc.StatusTempError, open, dmarc.ErrInterrupted},
		{"nothing is read", fromShop, unread, nil, "reject", dmarc.StatusTempError, open, dmarc.ErrInterrupted},
	} {
		message, _, isCut := strings.Cut(tt.message, unread)
		for _, ending := range []string{"a deadline", "a reader that fails"} {
			if ending == "a reader that fails" && !isCut {
				continue
			}
			for rule, disposition := range tt.disposition {
				t.Run(tt.name+", "+ending+", "+rule.String(), func(t *testing.T) {
					signed := time.Now()
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						defer cancel()
						zone := maps.Clone(zone)
						zone["_dmarc.shop.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=" + tt.policy}}
						v := &dmarc.Verifier{Resolver: slowName(zone, time.Hour, tt.slow...), TempError: rule, Now: func() time.Time { return signed }}
						var reader io.Reader = strings.NewReader(message)
						broken := errors.New("broken pipe")
						switch {
						case isCut && ending == "a deadline":
							reader = io.MultiReader(reader, &late{2 * time.Second, strings.NewReader("more")})
						case isCut:
							reader = io.MultiReader(reader, iotest.ErrReader(broken))
						}
						r, err := v.Verify(ctx, tt.envelope, reader)
						want := map[bool]error{true: context.DeadlineExceeded, false: broken}[ending == "a deadline"]
						if !isCut {
							want = nil
						}
						if !errors.Is(err, want) {
							t.Errorf("error %v, want %v", err, want)
						}
						if r.DMARC.Status != tt.want || r.DMARC.Disposition != disposition || !errors.Is(r.DMARC.Err, tt.cause) {
							t.Errorf("%s (%v), want %s, %s", r, r.DMARC.Err, tt.want, disposition)
						}
						if isCut && errors.Is(tt.cause, dmarc.ErrResultUnknown) && !errors.Is(r.DMARC.Err, dkim.ErrInterrupted) {
							t.Errorf("%v does not say why", r.DMARC.Err)
						}
						checkInterruptedText(t, r)
					})
				})
			}
		}
	}
}

// checkInterruptedText checks that what is said of an open verdict names no empty domain.
func checkInterruptedText(t *testing.T, r *dmarc.Result) {
	t.Helper()
	reply, ok := r.SMTPReply()
	for _, text := range []string{r.String(), reply.Text, errorText(r.DMARC.Err)} {
		if strings.Contains(text, "  ") || strings.Contains(text, "for could") || strings.Contains(text, "=)") {
			t.Errorf("an empty name in %q", text)
		}
	}
	if ok && errors.Is(r.DMARC.Err, dmarc.ErrInterrupted) && reply.Text != "The message could not be checked because the message was not read to its end, try again later" {
		t.Errorf("reply %q", reply)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAContextThatEndsBeforeFinishLeavesWhatWasReadRead(t *testing.T) {
	zone := shop()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stranger := fromShop
		stranger.IP, stranger.MailFrom = netip.MustParseAddr("203.0.113.5"), "x@attacker.example"
		s := (&dmarc.Verifier{Resolver: zone}).Begin(ctx, stranger)
		defer s.Close()
		write(t, s, letter)
		synctest.Wait()
		cancel()
		r, err := s.Finish()
		if err != nil || r.DMARC.Status != dmarc.StatusFail || r.DMARC.Disposition != dmarc.DispositionReject {
			t.Errorf("%v, %v; want the verdict on the whole message", r, err)
		}
	})
}

// A pass of what was answered is kept, whatever is still open when the context ends.
func TestAPassIsKeptWhenTheContextEnds(t *testing.T) {
	zone := shop()
	signed := sign(t, zone, letter, "shop.example")
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		v := &dmarc.Verifier{Resolver: slowName(zone, time.Hour, "shop.example", "mail.shop.example"), Now: func() time.Time { return now }}
		r, err := v.Verify(ctx, fromShop, strings.NewReader(signed))
		if err != nil || r.DMARC.Status != dmarc.StatusPass || r.DMARC.SPFAligned || !r.DMARC.DKIMAligned {
			t.Errorf("%v, %v; want a pass by DKIM", r, err)
		}
	})
}
