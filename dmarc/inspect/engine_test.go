package inspect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// verified is what the verifier and package explain make of a message from good.example that comes
// from a host which its SPF record does not list, signed or not. The signature, by the selector dkim,
// is none.
func verified(t *testing.T, z resolver.Resolver, signed bool) (*dmarc.Result, explain.Answer) {
	t.Helper()
	message := "From: a@good.example\r\nSubject: x\r\n\r\nx\r\n"
	if signed {
		message = "DKIM-Signature: v=1; a=rsa-sha256; d=good.example; s=dkim; h=from:to:subject; bh=" +
			strings.Repeat("A", 43) + "=; b=" + strings.Repeat("A", 340) + "\r\n" + message
	}
	v := dmarc.Verifier{Resolver: z}
	v.SPF.Trace = true
	r, err := v.Verify(context.Background(), dmarc.Envelope{IP: netip.MustParseAddr("203.0.113.99"), HELO: "h.good.example", MailFrom: "a@good.example"}, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return r, explain.Explain(r).Answer
}

// told are the findings on which the verifier has something to say too.
var told = map[string]bool{
	"spf-multiple": true, "spf-syntax": true, "spf-almost": true, "spf-typo": true, "spf-too-many-lookups": true, "spf-void-lookups": true,
	"spf-over-limit": true, "spf-loop": true, "spf-include-without-record": true, "spf-pass-all": true,
	"dkim-malformed": true, "dkim-too-small": true, "dkim-revoked": true,
	"dmarc-missing": true, "dmarc-multiple": true, "dmarc-syntax": true, "dmarc-almost": true,
}

func TestTheVerifierAndTheInspectorSayTheSameOfTheSameZone(t *testing.T) {
	said := map[string]bool{}
	for _, f := range fixtures {
		if !told[f.id] || f.name != "" {
			continue
		}
		found := findingOf(inspected(t, f.has, "good.example", f.selectors...), f.id)
		if found == nil || found.Fix == nil {
			t.Errorf("%s: no fix", f.id)
			continue
		}
		_, answer := verified(t, f.has, strings.HasPrefix(f.id, "dkim"))
		for _, fix := range append(answer.Fixes, answer.Advice...) {
			if fix.Text != found.Fix.Text {
				continue
			}
			said[f.id] = true
			if f.id != "dmarc-missing" && !reflect.DeepEqual(fix.Changes, found.Fix.Changes) {
				t.Errorf("%s: the verifier publishes\n%+v\nthe inspector\n%+v", f.id, fix.Changes, found.Fix.Changes)
			}
		}
	}
	for id := range told {
		if !said[id] {
			t.Errorf("%s: the verifier never says the same", id)
		}
	}
}

func TestWhatThePackageSPFRefusesIsAnErrorHere(t *testing.T) {
	for _, f := range fixtures {
		result, _ := verified(t, f.has, false)
		report := inspected(t, f.has, "good.example", f.selectors...)
		if report.SPF == nil {
			continue
		}
		if refused := result.SPF.Status == spf.StatusPermError; refused != (report.SPF.Status == "permerror") {
			t.Errorf("%s: SPF is %v for the verifier, %s for the inspector", f.id, result.SPF.Status, report.SPF.Status)
		} else if refused && !hasError(report, "spf-") {
			t.Errorf("%s: the verifier says %v, and the inspector has no error: %s", f.id, result.SPF, ids(report))
		}
		if asks := result.DMARC.Policy.String(); asks != report.DMARC.Policy {
			t.Errorf("%s: the policy is %q for the verifier, %q for the inspector", f.id, asks, report.DMARC.Policy)
		}
	}
}

func hasError(r *Report, prefix string) bool {
	for _, f := range r.Findings {
		if f.Severity == SeverityError && strings.HasPrefix(f.ID, prefix) {
			return true
		}
	}
	return false
}

// unlimited is a check without the limits on look-ups.
func unlimited(z resolver.Resolver, report *Report) *spf.Result {
	c := spf.Checker{Resolver: z}
	c.Limits = spf.Limits{Terms: -1, VoidLookups: -1, Questions: -1}
	return c.Check(context.Background(), spf.Envelope{IP: stranger(report.SPF.Networks), MailFrom: "postmaster@good.example", HELO: "good.example"})
}

func TestATreeCostsWhatACheckCosts(t *testing.T) {
	compare := func(name string, z resolver.Zone) {
		t.Helper()
		report := inspected(t, z, "good.example")
		if report.SPF == nil {
			return
		}
		result := unlimited(z, report)
		if result.Status == spf.StatusPermError || errors.Is(result.Err, spf.ErrNoRecord) || len(report.SPF.Unknown) > 0 {
			return
		}
		if result.Lookups != report.SPF.Lookups || result.VoidLookups != report.SPF.VoidLookups {
			t.Errorf("%s: %s costs %d/%d, and a check %d/%d (%v)", name, report.SPF.Record, report.SPF.Lookups, report.SPF.VoidLookups, result.Lookups, result.VoidLookups, result)
		}
	}
	for _, f := range fixtures {
		compare(f.id, f.has)
	}
	random := rand.New(rand.NewPCG(7, 22))
	for range 100 {
		compare("a random zone", randomZone(random))
	}
}

// randomZone is a zone whose SPF records include one another, without loops.
func randomZone(random *rand.Rand) resolver.Zone {
	z := goodZone()
	const records = 8
	name := func(i int) string {
		if i == 0 {
			return "good.example"
		}
		return fmt.Sprintf("n%d.good.example", i)
	}
	for i := range records {
		text := "v=spf1"
		for range random.IntN(5) {
			switch random.IntN(7) {
			case 0:
				text += " a:mx.good.example"
			case 1:
				text += " a:none.good.example"
			case 2:
				text += " mx:mailer.example"
			case 3:
				text += " mx:none.example"
			case 4:
				text += " exists:none.example"
			default:
				if next := i + 1 + random.IntN(records); next < records {
					text += " include:" + name(next)
				}
			}
		}
		switch next := i + 1 + random.IntN(records); {
		case next < records && random.IntN(4) == 0:
			text += " redirect=" + name(next)
		case random.IntN(3) > 0:
			text += " -all"
		}
		r := z[name(i)]
		r.TXT = []string{text}
		z[name(i)] = r
	}
	return z
}
