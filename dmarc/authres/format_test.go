package authres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/authres"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/spf"
)

// signed returns a result for a signature.
func signed(status dkim.Status, name, selector, value string) *dkim.Result {
	return &dkim.Result{
		Status:    status,
		Domain:    name,
		Selector:  selector,
		Algorithm: "rsa-sha256",
		Signature: &dkim.Signature{Value: []byte(value), AUID: "@" + name, Domain: name, Selector: selector},
		KeyBits:   2048,
	}
}

// shop is a shop that mails through a provider: SPF passes for the provider, and the
// signature is the shop's.
func shop() *dmarc.Result {
	return &dmarc.Result{
		Envelope: dmarc.Envelope{HELO: "out.provider.example", MailFrom: "bounces+42@mail.provider.example"},
		SPF:      &spf.Result{Status: spf.StatusPass, Domain: "mail.provider.example"},
		HELO:     &spf.Result{Identity: spf.IdentityHELO, Status: spf.StatusPass, Domain: "out.provider.example"},
		DKIM: []*dkim.Result{
			signed(dkim.StatusPass, "shop.example", "s1", "\xff\xef\xbe123456789"),
			signed(dkim.StatusPass, "provider.example", "p1", "abcdefghijkl"),
		},
		DMARC: dmarc.Verdict{
			Status:       dmarc.StatusPass,
			AuthorDomain: "shop.example",
			PolicyDomain: "shop.example",
			Policy:       record.PolicyReject,
			DKIMAligned:  true,
		},
	}
}

// withoutRecord makes a result one without signatures, for an Author Domain without a record.
func withoutRecord(r *dmarc.Result) {
	r.DKIM = nil
	r.DMARC = dmarc.Verdict{AuthorDomain: "shop.example", Err: dmarc.ErrNoRecord}
}

func TestFormat(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *dmarc.Result)
		want   string
	}{
		{"a pass", func(r *dmarc.Result) {}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.mailfrom=mail.provider.example;
	dkim=pass (2048-bit key) header.a=rsa-sha256 header.d=shop.example
	header.i=@shop.example header.s=s1 header.b="/+++MTIz";
	dkim=pass (2048-bit key) header.a=rsa-sha256 header.d=provider.example
	header.i=@provider.example header.s=p1 header.b=YWJjZGVm;
	dmarc=pass header.from=shop.example policy.applied-disposition=none
	policy.dmarc=reject policy.published-domain-policy=reject`},

		{"a failure of what passed without being aligned", func(r *dmarc.Result) {
			r.DKIM = nil
			r.DMARC.Status, r.DMARC.Err, r.DMARC.DKIMAligned = dmarc.StatusFail, dmarc.ErrNotAligned, false
			r.DMARC.Disposition = dmarc.DispositionReject
			r.DMARC.Identifiers = []dmarc.Identifier{{Domain: "mail.provider.example", Authenticated: true}}
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass (not aligned) smtp.mailfrom=mail.provider.example;
	dkim=none;
	dmarc=fail (not aligned: mail.provider.example)
	header.from=shop.example policy.applied-disposition=reject
	policy.dmarc=reject policy.published-domain-policy=reject`},

		{"a policy in test mode is one level lower", func(r *dmarc.Result) {
			r.DKIM = nil
			r.DMARC.Applied = record.PolicyQuarantine
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.mailfrom=mail.provider.example;
	dkim=none;
	dmarc=pass header.from=shop.example policy.applied-disposition=none
	policy.dmarc=quarantine policy.published-domain-policy=reject`},

		{"the null sender is HELO, once", func(r *dmarc.Result) {
			r.Envelope.MailFrom = ""
			r.SPF.Domain = "out.provider.example"
			withoutRecord(r)
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.helo=out.provider.example;
	dkim=none;
	dmarc=none reason="no DMARC record is published for the Author Domain"
	header.from=shop.example`},

		{"a MAIL FROM that only its own result knows is no HELO", func(r *dmarc.Result) {
			r.Envelope.MailFrom = ""
			r.SPF.Sender = "bounces@mail.provider.example"
			r.HELO.Status = spf.StatusFail
			withoutRecord(r)
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.mailfrom=mail.provider.example;
	spf=fail smtp.helo=out.provider.example;
	dkim=none;
	dmarc=none reason="no DMARC record is published for the Author Domain"
	header.from=shop.example`},

		{"a MAIL FROM at the HELO name that only its own result knows is no HELO", func(r *dmarc.Result) {
			r.Envelope.MailFrom = ""
			r.SPF.Domain, r.SPF.Sender = "out.provider.example", "bounces@out.provider.example"
			withoutRecord(r)
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.mailfrom=out.provider.example;
	dkim=none;
	dmarc=none reason="no DMARC record is published for the Author Domain"
	header.from=shop.example`},

		{"the null sender of a HELO in capitals is HELO", func(r *dmarc.Result) {
			r.Envelope.MailFrom, r.Envelope.HELO = "", "Out.Provider.EXAMPLE."
			r.SPF.Domain, r.SPF.Sender = "out.provider.example", "postmaster@Out.Provider.EXAMPLE."
			withoutRecord(r)
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.helo=out.provider.example;
	dkim=none;
	dmarc=none reason="no DMARC record is published for the Author Domain"
	header.from=shop.example`},

		{"a HELO that fails is a result of its own", func(r *dmarc.Result) {
			r.HELO.Status = spf.StatusFail
			r.DKIM = nil
			r.DMARC = dmarc.Verdict{Status: dmarc.StatusPermError, Disposition: dmarc.DispositionReject,
				Err: cause.Wrap(dmarc.ErrFromSyntax, `"; dmarc=pass"`, nil)}
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.mailfrom=mail.provider.example;
	spf=fail smtp.helo=out.provider.example;
	dkim=none;
	dmarc=permerror reason="the From field cannot be read without doubt"
	policy.applied-disposition=reject`},

		{"a signature says why it is no pass, and what is odd", func(r *dmarc.Result) {
			d := signed(dkim.StatusPolicy, "shop.example", "s1", "")
			d.BodyUnsigned = 12
			d.Err = fmt.Errorf("%w: %w", dkim.ErrBodyUnsigned, errors.New("text\r\nof: others"))
			d.Key = &dkim.Key{Testing: true, Record: "v=DKIM1; n=\"; dmarc=pass"}
			d.Signature.AUID = "joe.doe+x@news.shop.example"
			r.DKIM = []*dkim.Result{d}
		}, `
Authentication-Results: mx.receiver.example;
	spf=pass smtp.mailfrom=mail.provider.example;
	dkim=policy (2048-bit key) (test key) (12 octets unsigned)
	reason="octets of the body are not signed (l=)" header.a=rsa-sha256
	header.d=shop.example header.i=joe.doe+x@news.shop.example
	header.s=s1;
	dmarc=pass header.from=shop.example policy.applied-disposition=none
	policy.dmarc=reject policy.published-domain-policy=reject`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := shop()
			test.change(r)
			field := Format(ours, r)
			if want := strings.ReplaceAll(strings.TrimPrefix(test.want, "\n"), "\n", "\r\n"); field != want {
				t.Errorf("got\n%s\nwant\n%s", field, want)
			}
			checkField(t, field, r)
			value := Formatter{}.Value(ours, r)
			checkField(t, fieldName+": "+value, r)
		})
	}
}

// checkField reports what no field may be, whatever is in the result.
func checkField(t *testing.T, field string, r *dmarc.Result) {
	t.Helper()
	plain := strings.NewReplacer("\r\n\t", " ", "\r\n ", " ").Replace(field)
	for i := range len(plain) {
		if plain[i] < ' ' || plain[i] == 0x7f {
			t.Fatalf("a control character in %q", field)
		}
	}
	for line := range strings.SplitSeq(field, "\r\n") {
		if len(line) > 900 && line != field {
			t.Errorf("a line of %d octets", len(line))
		}
	}
	if len(field) > maxField {
		t.Errorf("a field of %d octets", len(field))
	}
	f, err := Parse(field)
	if err != nil {
		t.Fatalf("%q: %v", field, err)
	}
	passes, want := map[string]int{}, map[string]int{}
	for _, result := range f.Results {
		passes[result.Method+"="+result.Value]++
	}
	if r.SPF != nil {
		want["spf="+r.SPF.Status.String()]++
	}
	want["dmarc="+r.DMARC.Status.String()]++
	for _, d := range r.DKIM {
		want["dkim="+d.Status.String()]++
	}
	for _, method := range []string{"spf=pass", "dkim=pass", "dmarc=pass"} {
		if passes[method] > want[method] {
			t.Errorf("%d of %s, want %d, in %q", passes[method], method, want[method], field)
		}
	}
	for _, method := range []string{"dmarc=fail", "dmarc=none", "dmarc=permerror", "dmarc=temperror", "dmarc=pass"} {
		if passes[method] != want[method] {
			t.Errorf("%d of %s, want %d, in %q", passes[method], method, want[method], field)
		}
	}
	// A reader that knows neither comments nor quotes.
	_, simple, err := msgauth.Parse(strings.TrimPrefix(plain, fieldName+":"))
	if err != nil || len(simple) != len(f.Results) {
		t.Errorf("go-msgauth reads %d results (%v), want %d, in %q", len(simple), err, len(f.Results), field)
	}
}

// hostile are values that would break out of wherever they are put.
var hostile = []string{
	"x\r\nAuthentication-Results: mx.receiver.example; dmarc=pass header.from=victim.example",
	"x\r\n y; dkim=pass header.d=victim.example",
	"x\nX-Forged: y", "x\rX-Forged: y", "\r\n\r\nbody",
	"x) ; dkim=pass header.d=victim.example (",
	`"; dmarc=pass header.from=victim.example; x="`,
	`x\"; dmarc=pass`, `x\`, `"`, `(`, `)`, `\)`,
	"victim.example(.attacker.example", "victim.example;.attacker.example",
	"attacker.example\x00.victim.example", "victim.example .attacker.example",
	"\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u009b31m", "\u202egnp.exe", "\u2028", "\xff\xfe",
	"bücher.example", "ｖictim.example", "=?utf-8?q?victim.example?=",
	strings.Repeat("a", 5000), strings.Repeat("a.", 2000), strings.Repeat("(", 5000), "",
	"a@b@victim.example", "-", ".", "..", "victim.example.",
}

func TestNoHostileValueLeavesItsSlot(t *testing.T) {
	slots := map[string]func(r *dmarc.Result, s string){
		"MAIL FROM": func(r *dmarc.Result, s string) { r.Envelope.MailFrom = s },
		"HELO": func(r *dmarc.Result, s string) {
			r.Envelope.HELO = s
			r.HELO.Domain = s
			r.HELO.Status = spf.StatusFail
		},
		"the null sender":     func(r *dmarc.Result, s string) { r.Envelope.MailFrom = ""; r.SPF.Domain = s },
		"the SPF domain":      func(r *dmarc.Result, s string) { r.SPF.Domain = s },
		"the SPF sender":      func(r *dmarc.Result, s string) { r.SPF.Sender = s },
		"the SPF mechanism":   func(r *dmarc.Result, s string) { r.SPF.Mechanism = s; r.SPF.Record = s },
		"the SPF explanation": func(r *dmarc.Result, s string) { r.SPF.Status = spf.StatusFail; r.SPF.Explanation = s },
		"the SPF error": func(r *dmarc.Result, s string) {
			r.SPF.Status, r.SPF.Err = spf.StatusPermError, cause.Wrap(spf.ErrSyntax, s, nil)
		},
		"d=": func(r *dmarc.Result, s string) { r.DKIM[0].Domain = s },
		"s=": func(r *dmarc.Result, s string) { r.DKIM[0].Selector = s },
		"a=": func(r *dmarc.Result, s string) { r.DKIM[0].Algorithm = s },
		"i=": func(r *dmarc.Result, s string) { r.DKIM[0].Signature.AUID = s },
		"the local part of i=": func(r *dmarc.Result, s string) {
			r.DKIM[0].Signature.AUID = s + "@shop.example"
		},
		"b=":             func(r *dmarc.Result, s string) { r.DKIM[0].Signature.Value = []byte(s) },
		"h=":             func(r *dmarc.Result, s string) { r.DKIM[0].Signed = []string{s} },
		"the key":        func(r *dmarc.Result, s string) { r.DKIM[0].Key = &dkim.Key{Name: s, Record: s, Type: s, Notes: s} },
		"the DKIM error": func(r *dmarc.Result, s string) { r.DKIM[0].Err = cause.Wrap(dkim.ErrKeyMalformed, s, errors.New(s)) },
		"the From field": func(r *dmarc.Result, s string) { r.Author.From = s; r.Author.Domains = []string{s} },
		"the Author Domain": func(r *dmarc.Result, s string) {
			r.DMARC.AuthorDomain, r.DMARC.OrganizationalDomain, r.DMARC.PolicyDomain = s, s, s
		},
		"the DMARC record": func(r *dmarc.Result, s string) { r.DMARC.Record = s; r.DMARC.PolicyTag = s },
		"the override": func(r *dmarc.Result, s string) {
			r.DMARC.Override = &dmarc.Override{Type: s, Comment: s}
		},
		"an identifier": func(r *dmarc.Result, s string) {
			r.DMARC.Status = dmarc.StatusFail
			r.DMARC.Identifiers = []dmarc.Identifier{{Domain: s, Authenticated: true}}
		},
		"the verdict's error": func(r *dmarc.Result, s string) {
			r.DMARC.Status, r.DMARC.Err = dmarc.StatusPermError, cause.Wrap(dmarc.ErrFromDomain, s, nil)
		},
	}
	for name, put := range slots {
		t.Run(name, func(t *testing.T) {
			for _, value := range hostile {
				r := shop()
				r.HELO.Status = spf.StatusNone
				put(r, value)
				checkField(t, Format(ours, r), r)
				checkField(t, fieldName+": "+Formatter{}.Value(ours, r), r)
				checkUTF8(t, r)
			}
		})
	}
}

// checkUTF8 checks the field of an SMTPUTF8 session, which must be US-ASCII but for what
// comments hold.
func checkUTF8(t *testing.T, r *dmarc.Result) {
	t.Helper()
	field := Formatter{SMTPUTF8: true}.Format(ours, r)
	checkField(t, field, r)
	for _, c := range withoutComments(field) {
		if c > 0x7e {
			t.Errorf("%q has more than ASCII outside of comments", field)
		}
	}
}

func TestAnIDThatIsNoDomainIsMadeAWord(t *testing.T) {
	for _, id := range hostile {
		field := Format(id, shop())
		checkField(t, field, shop())
	}
	for id, want := range map[string]string{
		"MX.Receiver.Example": "mx.receiver.example",
		"bücher.example":      "xn--bcher-kva.example",
		"my host":             "my_host",
		"host!1":              "host!1",
		"":                    "unknown",
	} {
		if got, _, _ := strings.Cut(Formatter{}.Value(id, shop()), "; "); got != want {
			t.Errorf("%q is written as %s, want %s", id, got, want)
		}
	}
}

func TestULabelsStandInACommentWhereTheSessionIsSMTPUTF8(t *testing.T) {
	r := shop()
	r.DMARC.AuthorDomain = "xn--bcher-kva.example"
	r.DKIM = []*dkim.Result{signed(dkim.StatusPass, "xn--bcher-kva.example", "s1", "123456789")}
	utf8 := Formatter{SMTPUTF8: true}.Value(ours, r)
	for _, want := range []string{
		"dkim=pass (2048-bit key) (bücher.example) header.a=rsa-sha256 header.d=xn--bcher-kva.example",
		"dmarc=pass (bücher.example) header.from=xn--bcher-kva.example",
	} {
		if !strings.Contains(utf8, want) {
			t.Errorf("%q is not in %q", want, utf8)
		}
	}
	if ascii := (Formatter{}).Value(ours, r); strings.Contains(ascii, "ü") {
		t.Errorf("a U-label in %q", ascii)
	}
}

func TestHeaderBIsLongEnoughToTellSignaturesApart(t *testing.T) {
	r := shop()
	prefix := strings.Repeat("s", 30)
	r.DKIM = []*dkim.Result{
		signed(dkim.StatusFail, "shop.example", "s1", prefix+"one"),
		signed(dkim.StatusFail, "shop.example", "s1", prefix+"two"),
		signed(dkim.StatusFail, "shop.example", "s1", "another signature"),
		signed(dkim.StatusFail, "shop.example", "s1", "four"),
		signed(dkim.StatusFail, "shop.example", "s1", strings.Repeat("x", 1000)+"1"),
		signed(dkim.StatusFail, "shop.example", "s1", strings.Repeat("x", 1000)+"2"),
	}
	f, err := Parse(Format(ours, r))
	if err != nil {
		t.Fatal(err)
	}
	var lengths []int
	for _, result := range f.Results[1:7] {
		lengths = append(lengths, len(result.Property("header", "b")))
	}
	if got := fmt.Sprint(lengths); got != "[41 41 8 8 512 512]" {
		t.Errorf("lengths of header.b are %s", got)
	}
}

func TestSignaturesThatPassAreKeptWhereThereIsNoRoomForAll(t *testing.T) {
	r := shop()
	r.DKIM = nil
	for i := range 1000 {
		r.DKIM = append(r.DKIM, signed(dkim.StatusFail, "junk.example", "s1", fmt.Sprint("junk number ", i)))
	}
	r.DKIM[700] = signed(dkim.StatusPass, "shop.example", "s1", "good")
	field := Format(ours, r)
	checkField(t, field, r)
	if !strings.Contains(field, "dkim=pass") || !strings.Contains(field, "more signatures)") {
		t.Errorf("the passing signature, or the number of the others, is missing from %q", field)
	}
}

func TestAnAUIDOutsideOfTheSDIDIsNotPrinted(t *testing.T) {
	r := shop()
	r.DKIM = []*dkim.Result{signed(dkim.StatusPermError, "attacker.example", "a1", "123")}
	r.DKIM[0].Signature.AUID, r.DKIM[0].Err = "admin@victim.example", dkim.ErrIdentity
	if field := Format(ours, r); strings.Contains(field, "header.i") {
		t.Errorf("%s names whom the signature does not speak for", field)
	}
}
