package authres

import (
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres/rfc8601"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/spf"
)

// line returns the results of a field that begin with a method, on one line.
func line(r *dmarc.Result, method string) string {
	var list []string
	for _, result := range (Formatter{}).Results(r) {
		if result.Method == method {
			list = append(list, result.String())
		}
	}
	return strings.Join(list, "; ")
}

func TestWhichIdentityAnSPFResultIsAbout(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(r *dmarc.Result)
		want   string
	}{
		{"HELO alone, which fails", func(r *dmarc.Result) { r.SPF, r.HELO.Status = nil, spf.StatusFail }, "spf=fail smtp.helo=out.provider.example"},
		{"a result for HELO in the place of the other", func(r *dmarc.Result) {
			r.SPF.Identity, r.SPF.Domain = spf.IdentityHELO, "elsewhere.example"
		}, "spf=pass smtp.helo=elsewhere.example"},
		{"the null sender, by a name in capitals", func(r *dmarc.Result) {
			r.Envelope.MailFrom, r.SPF.Domain = "", "OUT.provider.example"
		}, "spf=pass smtp.helo=out.provider.example"},
		{"an unknown MAIL FROM is no null sender", func(r *dmarc.Result) {
			r.Envelope.MailFrom, r.Envelope.MailFromUnknown = "", true
			r.SPF = &spf.Result{Domain: "out.provider.example", Err: spf.ErrNoMailFrom}
		}, `spf=none reason="MAIL FROM is not known" smtp.mailfrom=out.provider.example`},
		{"a sender of another name is no null sender", func(r *dmarc.Result) {
			r.Envelope.MailFrom, r.SPF.Sender, r.SPF.Domain = "", "postmaster2@out.provider.example", "out.provider.example"
		}, "spf=pass smtp.mailfrom=out.provider.example"},
		{"a domain that could not be checked", func(r *dmarc.Result) {
			r.SPF = &spf.Result{Domain: "looks.example", Err: spf.ErrBadDomain}
		}, `spf=none reason="the domain of the identity is not one that can have a record"`},
		{"an identity without a domain", func(r *dmarc.Result) {
			r.SPF = &spf.Result{Domain: "looks.example", Err: spf.ErrNoDomain}
		}, `spf=none reason="the identity has no domain"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := shop()
			test.change(r)
			if got := line(r, "spf"); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatIsNotAlignedIsSaidWhereItPasses(t *testing.T) {
	r := shop()
	r.DMARC.Identifiers = []dmarc.Identifier{
		{Method: dmarc.MethodSPF, Domain: "mail.provider.example", Authenticated: true},
		{Method: dmarc.MethodDKIM, Signature: 0, Domain: "shop.example", Authenticated: true, Alignment: discovery.Aligned},
		{Method: dmarc.MethodDKIM, Signature: 1, Domain: "provider.example", Authenticated: true},
	}
	const both = "spf=pass (not aligned) smtp.mailfrom=mail.provider.example|" +
		"dkim=pass (2048-bit key) header.a=rsa-sha256 header.d=shop.example header.i=@shop.example header.s=s1 header.b=\"/+++MTIz\"; " +
		"dkim=pass (not aligned) (2048-bit key) header.a=rsa-sha256 header.d=provider.example header.i=@provider.example header.s=p1 header.b=YWJjZGVm"
	if got := line(r, "spf") + "|" + line(r, "dkim"); got != both {
		t.Errorf("got\n%s\nwant\n%s", got, both)
	}
	r.DKIM[1].Status, r.SPF.Status = dkim.StatusFail, spf.StatusFail
	if got := line(r, "spf") + line(r, "dkim"); strings.Contains(got, "not aligned") {
		t.Errorf("what fails is said not to be aligned: %s", got)
	}
	r = shop()
	r.DMARC = dmarc.Verdict{AuthorDomain: "shop.example", Identifiers: r.DMARC.Identifiers, Err: dmarc.ErrNoRecord}
	if got := line(r, "spf") + line(r, "dkim"); strings.Contains(got, "not aligned") {
		t.Errorf("without a policy nothing is known of alignment: %s", got)
	}
}

func TestAFailureNamesThreeDomainsThatPassedEachOnce(t *testing.T) {
	r := shop()
	r.DMARC.Status, r.DMARC.Err = dmarc.StatusFail, dmarc.ErrNotAligned
	for _, name := range []string{"a.example", "a.example", "x y", "b.example", "c.example", "d.example"} {
		r.DMARC.Identifiers = append(r.DMARC.Identifiers, dmarc.Identifier{Method: dmarc.MethodDKIM, Signature: 9, Domain: name, Authenticated: true})
	}
	r.DMARC.Identifiers = append(r.DMARC.Identifiers[:1:1], append([]dmarc.Identifier{
		{Domain: "failed.example"}, {Domain: "aligned.example", Authenticated: true, Alignment: discovery.Aligned},
	}, r.DMARC.Identifiers[1:]...)...)
	want := "dmarc=fail (not aligned: a.example) (not aligned: b.example) (not aligned: c.example) header.from=shop.example"
	if got := line(r, "dmarc"); !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestASignatureSaysOnlyWhatIsKnownOfIt(t *testing.T) {
	for _, test := range []struct {
		name string
		d    *dkim.Result
		want string
	}{
		{"nothing", &dkim.Result{Status: dkim.StatusPermError, Err: dkim.ErrSyntax}, `dkim=permerror reason="the field is not a list of tags"`},
		{"no AUID that it does not speak for", &dkim.Result{
			Status: dkim.StatusPermError, Err: dkim.ErrIdentity, Domain: "a.example", Signature: &dkim.Signature{AUID: "x@b.example"},
		}, `dkim=permerror reason="the AUID (i=) is not within the SDID (d=)" header.d=a.example`},
		{"a key that is no test key", &dkim.Result{Status: dkim.StatusPass, Domain: "a.example", Key: &dkim.Key{}}, "dkim=pass header.d=a.example"},
	} {
		r := shop()
		r.DKIM = []*dkim.Result{test.d}
		if got := line(r, "dkim"); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	r := shop()
	r.DKIM = []*dkim.Result{nil}
	if got := line(r, "dkim"); got != "dkim=none" {
		t.Errorf("no result: got %s", got)
	}
}

func TestWhichAUIDsArePrinted(t *testing.T) {
	long := strings.Repeat("a", 64)
	for address, want := range map[string]string{
		"@A.example": "@a.example", "joe@a.example": "joe@a.example", "j-o_e+1.x@a.example": "j-o_e+1.x@a.example",
		long + "@a.example": long + "@a.example", long + "a@a.example": "",
		"a.example": "", ".joe@a.example": "", "joe.@a.example": "", "jo..e@a.example": "", `"joe"@a.example`: "", "jo e@a.example": "",
		"joe@": "", "joe@a b": "", "joe/x@a.example": "", "a@b@a.example": "",
	} {
		if got := safeAddress(address); got != want {
			t.Errorf("%q is printed as %q, want %q", address, got, want)
		}
	}
	for word, want := range map[string]string{
		"rsa-sha256": "rsa-sha256", strings.Repeat("a", 63): strings.Repeat("a", 63), strings.Repeat("a", 64): "", "a b": "", "a;": "",
	} {
		if got := safeWord(word); got != want {
			t.Errorf("%q is printed as %q, want %q", word, got, want)
		}
	}
}

func TestWhichCharactersOfAFurtherResultArePrinted(t *testing.T) {
	for text, want := range map[string]string{
		"a ~!": "a ~!", "a\x1fb": "a?b", "a\x7fb": "a?b", "b\u00fccher 1\u0661": "b\u00fccher 1\u0661", "a\u00a0b": "a?b", "\u202e": "?", "a;b\"c\\d(e)": "a?b?c?d?e?",
	} {
		if got := rfc8601.SafeText(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
	more := Result{
		Method: "x", Value: strings.Repeat("v", 100), MethodVersion: 3, Comments: []string{strings.Repeat("c", 300)},
		Properties: []Property{
			{Name: "a", Value: "b"}, {Type: "a", Value: "b"},
			{Type: "smtp", Name: "auth", Value: strings.Repeat("p", 300)}, {Type: "smtp", Name: "q", Value: "\u00fc"},
		},
	}
	got := Formatter{More: []Result{more}}.Results(shop())
	want := "x/3=" + strings.Repeat("v", 63) + " (" + strings.Repeat("c", 255) + ") smtp.auth=" + strings.Repeat("p", 255) + ` smtp.q=?`
	if last := got[len(got)-1].String(); last != strings.Replace(want, "=?", `="?"`, 1) {
		t.Errorf("got %s, want %s", last, want)
	}
}
