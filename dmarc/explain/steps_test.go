package explain_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/dmarctest"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/resolver"
)

// A story is a message in the name of shop.example, and what somebody wants to know of it.
type story struct {
	name     string
	records  resolver.Zone         // beside those of world
	mailFrom string                // default bounces@mail.provider.example
	sign     []dmarctest.Signature // in order, the last on top
	after    func(message []byte) []byte
	fail     []string // questions that DNS fails to answer
	from     string   // default orders@shop.example

	// byList asks for discovery by the public suffix list, and draw is for pct.
	byList bool
	draw   float64

	helo    string              // default out.provider.example
	unknown bool                // nobody knows the address of the client
	key     func(string) string // what becomes of the key of the last signature
	refuse  []string            // questions that the DNS server refuses

	summary, fix, advice string   // parts of the answer and of its fixes; "-" means none
	reason               string   // a part of the reasons
	facts                []string // "kind label: text", parts of what there is
}

// world is what DNS says unless a story says otherwise.
func world() resolver.Zone {
	return resolver.Zone{
		"_dmarc.shop.example":   {TXT: []string{"v=DMARC1; p=reject"}},
		"shop.example":          {TXT: []string{"v=spf1 ip4:198.51.100.1 -all"}},
		"mail.provider.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}},
	}
}

func stories() []story {
	provider := dmarctest.Signature{Domain: "provider.example"}
	shop := dmarctest.Signature{Domain: "shop.example"}
	record := func(text string) resolver.Zone {
		return resolver.Zone{"_dmarc.shop.example": {TXT: []string{text}}}
	}
	return []story{
		{
			name: "a message that passes both ways needs nothing", mailFrom: "b@bounce.shop.example", sign: []dmarctest.Signature{shop},
			records: resolver.Zone{"bounce.shop.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}}},
			summary: "PASS: this message is from shop.example. Its server and its signature both prove it.", fix: "-",
			facts: []string{"spf-alignment names: bounce.shop.example belongs to shop.example: the highest name with a DMARC record"},
		},
		{
			name: "the alignment of a provider's MAIL FROM is named beside the signature that passes", sign: []dmarctest.Signature{shop},
			summary: "It is signed in the name of shop.example", fix: "-",
			facts: []string{
				"spf-alignment : not aligned",
				"spf-alignment names: mail.provider.example is not below shop.example",
				"dkim-alignment : aligned",
				"verdict proof: DKIM signature 1 passes for shop.example",
			},
		},
		{
			name: "an owner who sends through a provider learns what to set there", sign: []dmarctest.Signature{provider},
			summary: "mail.provider.example sent it, and nothing proves that shop.example asked for that. shop.example asks to refuse such mail. If shop.example does not send through mail.provider.example, this is a forgery",
			fix:     "Ask mail.provider.example, which sent this, to sign your mail in the name of shop.example (DKIM). It says which records to publish. \nLet bounces go to an address below shop.example, such as bounce.shop.example, and allow the server there (SPF). [add TXT bounce.shop.example: v=spf1 ip4:192.0.2.25 ~all]",
			facts:   []string{"verdict do: reject: refuse the message", "verdict answer: 550 5.7.1"},
		},
		{
			name:    "a failure under p=none says what stricter policies would have done",
			records: record("v=DMARC1; p=none"),
			summary: "shop.example asks to do nothing about such mail (p=none).",
			fix:     "Ask mail.provider.example, which sent this, to sign",
			facts:   []string{"verdict what if: with p=quarantine this message would have been set aside as suspicious, with p=reject it would have been rejected"},
		},
		{
			name: "a pass under p=none says that stricter policies would change nothing", sign: []dmarctest.Signature{shop},
			records: record("v=DMARC1; p=none"), fix: "-",
			facts: []string{"verdict what if: p=quarantine or p=reject would have changed nothing"},
		},
		{
			name:    "a quarantine says what reject would have done",
			records: record("v=DMARC1; p=quarantine"),
			summary: "shop.example asks to treat such mail as suspicious",
			facts:   []string{"verdict what if: with p=reject this message would have been rejected"},
		},
		{
			name:    "test mode is said to be the reason for the milder treatment",
			records: record("v=DMARC1; p=quarantine; t=y"),
			summary: "shop.example only tests its policy (t=y)",
			facts: []string{
				"policy t=y: only testing",
				"verdict because: the record says t=y",
				"verdict what if: without t=y this message would have been set aside as suspicious",
			},
		},
		{
			name: "a spoofed MAIL FROM is no proof, and a forgery has no fix", mailFrom: "orders@shop.example",
			summary: "Neither its server nor a signature proves that. shop.example asks to refuse such mail. If shop.example did not send this, it is a forgery, and there is nothing to fix.",
			fix:     "If 192.0.2.25 is a server of yours, add it to the SPF record of shop.example. [replace TXT shop.example: v=spf1 ip4:198.51.100.1 ip4:192.0.2.25 -all]",
			facts:   []string{"spf decided by: -all", "spf : fail"},
		},
		{
			name: "a body that was changed does not count, though the header is good", sign: []dmarctest.Signature{shop},
			after:   func(m []byte) []byte { return append(m, "-- \r\nFree virus scan\r\n"...) },
			summary: "This message was signed in the name of shop.example. But its text was changed afterwards",
			fix:     "Let nothing change the text after it is signed",
			facts:   []string{"dkim body: the hash does not match", "dkim header: the signature matches", "dkim reason: the body was changed"},
		},
		{
			name: "a key that is missing is to be published where it was looked for", sign: []dmarctest.Signature{shop},
			records: resolver.Zone{"test._domainkey.shop.example": {}},
			fix:     "Publish the key of the signature (DKIM) at test._domainkey.shop.example. [add TXT test._domainkey.shop.example: v=DKIM1; k=rsa; p=<the public key of the server that signs>] If you did: some panels add the domain by themselves, and it now stands at test._domainkey.shop.example.shop.example.",
		},
		{
			name: "a key that is revoked is named", sign: []dmarctest.Signature{shop},
			records: resolver.Zone{"test._domainkey.shop.example": {TXT: []string{"v=DKIM1; p="}}},
			fix:     "The one at test._domainkey.shop.example was withdrawn",
		},
		{
			name: "a domain without a record is told to publish one, at its Organizational Domain",
			from: "orders@news.other.example", sign: nil,
			summary: "NO POLICY: news.other.example does not say how to tell its mail and forgeries apart.",
			fix:     "Publish a DMARC record for news.other.example. It says what to do with mail that nothing proves. [add TXT _dmarc.news.other.example: v=DMARC1; p=none]",
			facts:   []string{"discovery no record: _dmarc.news.other.example, _dmarc.other.example"},
		},
		{
			name:    "two records count as none, and why",
			records: resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject", "v=DMARC1; p=none", "unrelated"}}},
			fix:     "Keep one DMARC record for shop.example and delete the others. Several count as none. [delete TXT _dmarc.shop.example: v=DMARC1; p=reject] Here the mildest of them stays.",
			facts:   []string{"discovery ignored: it is one of several DMARC records", `discovery ignored: unrelated (it does not begin with "v=DMARC1")`},
		},
		{
			name:    "a record without a policy is to be corrected",
			records: record("v=DMARC1; p=rejct"),
			summary: "The DMARC record of shop.example cannot be read",
			fix:     "Correct the DMARC record of shop.example. {v=DMARC1; »p=rejct«} [replace TXT _dmarc.shop.example: v=DMARC1; p=reject]",
			facts:   []string{"policy fault: p: "},
		},
		{
			name:    "DNS that fails leaves the verdict open",
			fail:    []string{"_dmarc.shop.example"},
			summary: "NOT KNOWN YET: whether this message is from shop.example. The name servers of shop.example did not answer",
			fix:     "see that the name servers of shop.example answer",
			facts:   []string{"discovery no answer: _dmarc.shop.example: no answer in time", "verdict do: tempfail"},
		},
		{
			name: "a signature whose key DNS does not tell leaves the verdict open", sign: []dmarctest.Signature{shop},
			fail:    []string{"test._domainkey.shop.example"},
			summary: "NOT KNOWN YET",
			facts:   []string{"dkim : temperror", "dkim-alignment so: It would count, but DNS left open whether the signature passes."},
		},
		{
			name: "a From field with two domains has no single author",
			from: "a@shop.example, b@other.example", summary: "REFUSED: this message does not say clearly whom it is from. Its From line has addresses of more than one domain.",
			fix:   "Write one From line",
			facts: []string{"author : refused", "author addresses: 2", "verdict do: reject"},
		},
		{
			name: "strict alignment is named as what stands in the way", mailFrom: "b@bounce.shop.example",
			records: resolver.Zone{
				"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject; aspf=s"}},
				"bounce.shop.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}},
			},
			fix:   "Sign with shop.example itself (DKIM, d=shop.example). \nLet bounces go to an address at shop.example itself, and allow the server there (SPF). \nLet names below shop.example count: take adkim=s and aspf=s out of its DMARC record. [replace TXT _dmarc.shop.example: v=DMARC1; p=reject]",
			facts: []string{"spf-alignment mode: strict (aspf=s): the same name", "spf-alignment names: not the same"},
		},
		{
			name: "an SPF record with an error is to be corrected", mailFrom: "orders@shop.example",
			records: resolver.Zone{"shop.example": {TXT: []string{"v=spf1 ipv4:192.0.2.25 -all"}}},
			fix:     "Correct the SPF record of shop.example: a part of it cannot be read. {v=spf1 »ipv4:192.0.2.25« -all} [replace TXT shop.example: v=spf1 ip4:192.0.2.25 -all]",
			facts:   []string{"spf : permerror"},
		},
		{
			name: "a domain without an SPF record may publish one", mailFrom: "b@bounce.shop.example",
			fix: "If 192.0.2.25 is a server of yours, add it to the SPF record of bounce.shop.example. [add TXT bounce.shop.example: v=spf1 ip4:192.0.2.25 ~all]",
		},
	}
}

func (s story) result(t *testing.T) *dmarc.Result {
	zone := world()
	message := dmarctest.Message{From: or(s.from, "orders@shop.example"), Date: time.Now()}.Bytes(t)
	for _, signature := range s.sign {
		message = dmarctest.Sign(t, zone, message, signature)
	}
	if s.after != nil {
		message = s.after(message)
	}
	for name, records := range s.records {
		zone[name] = records
	}
	if n := len(s.sign); n > 0 && s.key != nil {
		name := or(s.sign[n-1].Selector, "test") + "._domainkey." + s.sign[n-1].Domain
		zone[name] = resolver.Records{TXT: []string{s.key(zone[name].TXT[0])}}
	}
	for _, question := range s.refuse {
		dmarctest.Plant(t, zone, question, resolver.Fault{Err: resolver.ErrRefused})
	}
	for _, question := range s.fail {
		dmarctest.Plant(t, zone, question, resolver.Fault{Err: resolver.ErrTimeout})
	}
	f := dmarctest.Fixture{Message: message, Zone: zone, Envelope: dmarc.Envelope{
		IP:       netip.MustParseAddr("192.0.2.25"),
		HELO:     or(s.helo, "out.provider.example"),
		MailFrom: or(s.mailFrom, "bounces@mail.provider.example"),
	}}
	if s.unknown {
		f.Envelope.IP = netip.Addr{}
	}
	f.Configure = func(v *dmarc.Verifier) {
		if s.byList {
			v.Discovery.Mode = discovery.PublicSuffix
		}
		v.Draw = func() float64 { return s.draw }
	}
	return f.Verify(t)
}

func or(text, standard string) string {
	if text == "" {
		return standard
	}
	return text
}

func TestWhatIsExplained(t *testing.T) {
	for _, s := range slices.Concat(stories(), recordStories(), openStories(), answerStories(), providerStories()) {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := s.result(t)
				e := explain.Explain(r)
				if got := answerText(&e.Answer); !strings.Contains(got, s.summary) {
					t.Errorf("the answer is\n%s\nwant\n%s", got, s.summary)
				}
				switch got := fixText(e.Answer.Fixes); {
				case s.fix == "-" && got != "":
					t.Errorf("there is something to fix:\n%s", got)
				case s.fix != "-" && !strings.Contains(got, s.fix):
					t.Errorf("the fix is\n%s\nwant\n%s", got, s.fix)
				}
				switch got := fixText(e.Answer.Advice); {
				case s.advice == "-" && got != "":
					t.Errorf("there is advice:\n%s", got)
				case s.advice != "-" && !strings.Contains(got, s.advice):
					t.Errorf("the advice is\n%s\nwant\n%s", got, s.advice)
				}
				if got := strings.Join(e.Reasons, "\n"); !strings.Contains(got, s.reason) {
					t.Errorf("the reasons are\n%s\nwant\n%s", got, s.reason)
				}
				lines := facts(e.Steps)
				for _, want := range s.facts {
					if !contains(lines, want) {
						t.Errorf("no %q in\n%s", want, strings.Join(lines, "\n"))
					}
				}
				checkPlain(t, e)
				if last := e.Steps[len(e.Steps)-1]; last.Kind != explain.KindVerdict || last.Outcome != r.DMARC.Status.String() {
					t.Errorf("the last step is %+v", last)
				}
			})
		})
	}
}

// answerText returns what is above the fixes, on one line.
func answerText(a *explain.Answer) string {
	return strings.Join(append(append([]string{a.Verdict}, a.Sentences...), a.Asked, a.Unless), " ")
}

// fixText returns fixes, a line each: "Text [action TYPE name: value] Note".
func fixText(fixes []explain.Fix) string {
	var b strings.Builder
	for _, f := range fixes {
		b.WriteString(f.Text)
		if f.Broken != nil {
			b.WriteString(" {")
			for _, part := range f.Broken.Parts {
				if part.Wrong {
					b.WriteString("»" + part.Text + "«")
				} else {
					b.WriteString(part.Text)
				}
			}
			b.WriteString("}")
		}
		for _, c := range f.Changes {
			b.WriteString(" [" + c.Action.String() + " " + c.Type + " " + c.Name + ": " + c.Value + "]")
		}
		b.WriteString(" " + f.Note + "\n")
	}
	return b.String()
}

// facts writes steps as lines "kind label: text", with the outcome under an empty label, the
// consequence under "so" and the section under "in".
func facts(steps []explain.Step) []string {
	var lines []string
	for _, s := range steps {
		kind := string(s.Kind)
		lines = append(lines, kind+" : "+s.Outcome, kind+" so: "+s.Consequence, kind+" in: "+s.Section)
		for _, f := range s.Evidence {
			lines = append(lines, kind+" "+f.Label+": "+f.Text)
		}
		lines = append(lines, facts(s.Steps)...)
	}
	return lines
}

// contains reports whether a line begins as want does, up to the colon, and has the rest of
// want in it.
func contains(lines []string, want string) bool {
	label, text, _ := strings.Cut(want, ": ")
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, label+": "); ok && strings.Contains(rest, text) {
			return true
		}
	}
	return false
}

func TestTheTermsOfIncludedRecordsStandBelowTheirInclude(t *testing.T) {
	s := story{records: resolver.Zone{
		"mail.provider.example": {TXT: []string{"v=spf1 include:_spf.provider.example exists:%{d}.void.example mx -all"}, MX: []string{"10 mx.provider.example"}},
		"mx.provider.example":   {A: []string{"192.0.2.25"}},
		"_spf.provider.example": {TXT: []string{"v=spf1 ip4:198.51.100.0/24 ?all"}},
	}}
	for _, step := range explain.Explain(s.result(t)).Steps {
		if step.Kind != explain.KindSPF {
			continue
		}
		if len(step.Steps) != 3 || len(step.Steps[0].Steps) != 2 || step.Steps[0].Steps[1].Title != "?all" {
			t.Fatalf("the terms are %+v", step.Steps)
		}
		lines := facts(step.Steps)
		for _, want := range []string{
			"spf-term record: v=spf1 ip4:198.51.100.0/24 ?all",
			"spf-term asks about: mail.provider.example.void.example",
			"spf-term A: mail.provider.example.void.example: no such domain name",
			"spf-term MX: mail.provider.example: 10 mx.provider.example",
			"spf-term A: mx.provider.example: 192.0.2.25",
		} {
			if !contains(lines, want) {
				t.Errorf("no %q in\n%s", want, strings.Join(lines, "\n"))
			}
		}
		return
	}
	t.Fatal("there is no step for SPF")
}

func TestSignaturesThatPassAreShownBeforeOthers(t *testing.T) {
	r := story{sign: []dmarctest.Signature{{Domain: "shop.example"}}}.result(t)
	good := r.DKIM[0]
	for range 30 {
		bad := *good
		bad.Status, bad.Err = 0, nil
		r.DKIM = append(r.DKIM[:len(r.DKIM)-1], &bad, good)
	}
	n := 0
	for _, s := range explain.Explain(r).Steps {
		if s.Kind == explain.KindDKIM {
			n++
			if n == 10 && (s.Title != "DKIM signature 31 of 31" || s.Outcome != "pass") {
				t.Errorf("the last signature shown is %q, %s", s.Title, s.Outcome)
			}
			if n == 11 && s.Input != "21 more signatures, not shown here." {
				t.Errorf("after the signatures comes %q", s.Input)
			}
		}
	}
	if n != 11 {
		t.Errorf("%d steps for signatures", n)
	}
}

func TestAMAILFROMThatIsNotKnownIsNotTheNullSender(t *testing.T) {
	f := dmarctest.Fixture{
		Message:  dmarctest.Message{From: "orders@shop.example"}.Bytes(t),
		Envelope: dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.25"), HELO: "out.provider.example", MailFromUnknown: true},
		Zone:     world(),
	}
	e := explain.Explain(f.Verify(t))
	got := facts(e.Steps)
	for _, want := range []string{"session MAIL FROM: (not known)", "spf identity: MAIL FROM, which is not known"} {
		if !contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if want := "SPF: not checked, since the address that bounces go to (MAIL FROM) is not known."; e.Reasons[0] != want {
		t.Errorf("the first reason is %q, want %q", e.Reasons[0], want)
	}
}

func TestAResultWithoutAnythingIsExplained(t *testing.T) {
	steps := explain.Explain(&dmarc.Result{}).Steps
	if len(steps) < 3 || steps[len(steps)-1].Kind != explain.KindVerdict {
		t.Errorf("got %+v", steps)
	}
}
