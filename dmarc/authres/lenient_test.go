package authres

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// shown returns all that was read of a field, on one line.
func shown(f *Field) string {
	text := f.ID + ":"
	for _, r := range f.Results {
		text += " " + r.Method + "=" + r.Value
		if r.Reason != "" {
			text += " reason=" + r.Reason
		}
		for _, p := range r.Properties {
			text += " " + strings.TrimPrefix(p.Type+"."+p.Name, ".") + "=" + p.Value
		}
		text += ";"
	}
	for _, part := range f.Unread {
		text += " unread{" + part + "}"
	}
	return text
}

func TestParseLenientReadsWhatProvidersWrite(t *testing.T) {
	tests := []struct{ name, field, want string }{
		{
			"Microsoft: no authserv-id, action without a type",
			"spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=news.example; dkim=pass (signature was verified)\r\n header.d=news.example;dmarc=pass action=none\r\n header.from=news.example;compauth=pass reason=100",
			": spf=pass smtp.mailfrom=news.example; dkim=pass header.d=news.example; dmarc=pass action=none header.from=news.example; compauth=pass reason=100;",
		},
		{
			"Microsoft: oreject and a broken end",
			"spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=bank.example; dkim=none (message not signed) header.d=none;dmarc=fail action=oreject header.from=bank.example;",
			": spf=fail smtp.mailfrom=bank.example; dkim=none header.d=none; dmarc=fail action=oreject header.from=bank.example;",
		},
		{
			"Yahoo: an underscore, and a first part with more than the authserv-id",
			"mta1.mail.bf1.yahoo.example  from=news.example; domainkeys=neutral (no sig);  from=news.example; dkim=dkim_pass header.i=@news.example header.s=s1",
			"mta1.mail.bf1.yahoo.example: domainkeys=neutral; dkim=dkim_pass header.i=@news.example header.s=s1; unread{from=news.example} unread{from=news.example}",
		},
		{
			"Yahoo: perm_fail",
			"atlas.yahoo.example; dkim=perm_fail (no key)",
			"atlas.yahoo.example: dkim=perm_fail;",
		},
		{
			"IronPort: capitals, and d= without a type",
			"esa1.iphmx.example; spf=SoftFail smtp.mailfrom=a@news.example; spf=None smtp.helo=postmaster@mx.news.example; dkim=pass (signature verified) header.i=@news.example; dmarc=pass (p=none dis=none) d=news.example",
			"esa1.iphmx.example: spf=softfail smtp.mailfrom=a@news.example; spf=none smtp.helo=postmaster@mx.news.example; dkim=pass header.i=@news.example; dmarc=pass d=news.example;",
		},
		{
			"Fastmail: x-bits without a type",
			"mx1.messagingengine.example;\r\n arc=none (no signatures found);\r\n dkim=pass (2048-bit rsa key sha256) header.d=news.example header.i=@news.example header.b=AbCdEfGh header.a=rsa-sha256 header.s=s1 x-bits=2048;\r\n iprev=pass smtp.remote-ip=192.0.2.1 (mx.news.example)",
			"mx1.messagingengine.example: arc=none; dkim=pass header.d=news.example header.i=@news.example header.b=AbCdEfGh header.a=rsa-sha256 header.s=s1 x-bits=2048; iprev=pass smtp.remote-ip=192.0.2.1;",
		},
		{
			"SES: what belongs to a result stands behind a semicolon, and one is at the end",
			"amazonses.example;\n spf=pass (spfCheck: domain of news.example designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1; envelope-from=a@news.example; helo=mx.news.example;\n dkim=pass header.i=@news.example;\n dmarc=none header.from=news.example;\n",
			"amazonses.example: spf=pass client-ip=192.0.2.1; dkim=pass header.i=@news.example; dmarc=none header.from=news.example; unread{envelope-from=a@news.example} unread{helo=mx.news.example}",
		},
		{
			"Exim: an IPv6 address without quotes",
			"mx.example;\n\tiprev=pass (mx.news.example) smtp.remote-ip=2001:db8::1;\n\tspf=pass smtp.mailfrom=news.example",
			"mx.example: iprev=pass smtp.remote-ip=2001:db8::1; spf=pass smtp.mailfrom=news.example;",
		},
		{
			"Cloudflare: an IPv6 address without quotes",
			"mx.cloudflare.example; dkim=pass header.d=news.example header.s=s1 header.b=Ab/d+e=; dmarc=pass header.from=news.example policy.dmarc=none; spf=none (mx.cloudflare.example: no SPF records found for postmaster@mx.news.example) smtp.helo=mx.news.example; arc=none smtp.remote-ip=2001:db8::1",
			"mx.cloudflare.example: dkim=pass header.d=news.example header.s=s1 header.b=Ab/d+e=; dmarc=pass header.from=news.example policy.dmarc=none; spf=none smtp.helo=mx.news.example; arc=none smtp.remote-ip=2001:db8::1;",
		},
		{
			"Gmail: base64 without quotes",
			"mx.google.example;\r\n       dkim=pass header.i=@news.example header.s=s1 header.b=\"q/w+e=\";\r\n       dkim=pass header.i=@a.example header.s=s1 header.b=q/w+e=;\r\n       arc=pass (i=1 spf=pass spfdomain=a.example dkim=pass dkdomain=a.example)",
			"mx.google.example: dkim=pass header.i=@news.example header.s=s1 header.b=q/w+e=; dkim=pass header.i=@a.example header.s=s1 header.b=q/w+e=; arc=pass;",
		},
		{
			"a reason behind properties",
			"mx.example; spf=fail smtp.helo=a reason=\"not; dkim=pass\"",
			"mx.example: spf=fail reason=not; dkim=pass smtp.helo=a;",
		},
		{"nothing but a result", "dmarc=pass_all header.from=a", ": dmarc=pass_all header.from=a;"},
		{"no results", "mx.example; none;", "mx.example: unread{none}"},
		{"an authserv-id in its version", "mx.example 1; dkim=a_b", "mx.example: dkim=a_b;"},
		{"a version behind a slash", "mx.example/1; dkim=pass", "mx.example: dkim=pass; unread{/1}"},
		{"an empty part", "mx.example;; dkim=pass; (c) ;", "mx.example: dkim=pass;"},
		{"a second reason", "mx.example; spf=pass reason=a reason=b; dkim=pass", "mx.example: dkim=pass; unread{spf=pass reason=a reason=b}"},
		{"a result that cannot be read, folded", "mx.example; spf=pass\r\n\tsmtp; dkim=pass", "mx.example: dkim=pass; unread{spf=pass\tsmtp}"},
		{"text behind a quoted value", `mx.example; spf=pass smtp.helo="a"b; dkim=pass`, `mx.example: dkim=pass; unread{spf=pass smtp.helo="a"b}`},
		{"a method version", "mx.example; dkim/1=a_b", "mx.example: dkim=a_b;"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			field := "Authentication-Results: " + test.field
			if f, err := Parse(field); err == nil {
				t.Fatalf("Parse reads it too: %+v", f)
			}
			f, err := ParseLenient(field)
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(f); got != test.want || !f.Lenient || f.Version != 1 {
				t.Errorf("got\n%s, lenient %v\nwant\n%s", got, f.Lenient, test.want)
			}
			text, err := json.Marshal(f)
			if err != nil || !strings.Contains(string(text), `"lenient":true`) {
				t.Errorf("%s does not say that it was lenient (%v)", text, err)
			}
		})
	}
}

func TestParseLenientIsParseWhereTheFieldFollowsTheGrammar(t *testing.T) {
	f, err := ParseLenient("Authentication-Results: mx.example; spf=fail (; spf=pass) smtp.helo=a\n")
	if err != nil || f.Lenient || shown(f) != "mx.example: spf=fail smtp.helo=a;" {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestParseLenientNeverGuessesWhereACommentOrAQuoteEnds(t *testing.T) {
	for name, payload := range map[string]string{
		"a comment without its end":         "spf=fail (x; dkim=pass",
		"a comment that ends twice":         "spf=fail (x) y) ; dkim=pass",
		"a comment that a writer let end":   "spf=fail (helo x); dkim=pass (y) z)",
		"a quote without its end":           `spf=fail smtp.helo="x; dkim=pass`,
		"a quote within a word":             `spf=fail smtp.helo=x"y; dkim=pass; "z`,
		"a quote behind a word":             `spf=fail smtp.helo=x "; dkim=pass; "`,
		"a quote behind a comment":          `spf=fail smtp.helo=x (c) "; dkim=pass"`,
		"a backslash":                       `spf=fail smtp.helo=x\; dkim=pass`,
		"a control character":               "spf=fail smtp.helo=x\x00; dkim=pass",
		"a line end that is no fold":        "spf=fail smtp.helo=x\r\ndkim=pass",
		"a bare CR":                         "spf=fail smtp.helo=x\r; dkim=pass",
		"broken UTF-8":                      "spf=fail smtp.helo=\xff; dkim=pass",
		"comments that are nested too deep": "spf=a_b " + strings.Repeat("(", 101) + strings.Repeat(")", 101),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := ParseLenient("Authentication-Results: " + payload)
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit) || f != nil {
				t.Errorf("got %+v, %v", f, err)
			}
		})
	}
}

func TestParseLenientRefuses(t *testing.T) {
	for _, test := range []struct {
		name, field string
		want        error
	}{
		{"another field", "Received-SPF: pass", ErrName},
		{"another version", "Authentication-Results: mx 2; dkim=a_b", ErrVersion},
		{"a field that is too long", "Authentication-Results: mx; dkim=a_b (" + strings.Repeat("c", 64<<10) + ")", ErrLimit},
	} {
		if f, err := ParseLenient(test.field); !errors.Is(err, test.want) || f != nil && len(f.Results) > 0 {
			t.Errorf("%s: got %+v, %v; want %v", test.name, f, err, test.want)
		}
	}
}

// No result comes out of a comment or a quoted string, and there are no more than the text
// has parts.
func FuzzParseLenient(f *testing.F) {
	f.Add("spf=pass (x) a=b; dkim=a_b; x")
	f.Add(`mx 1; spf=pass reason="; dkim=pass" (; dmarc=pass (\)) ) smtp.x=2001:db8::1`)
	for _, s := range hostile {
		f.Add("mx; spf=pass (" + s + ") smtp.helo=\"" + s + "\" x=" + s)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		field, err := ParseLenient("Authentication-Results:" + payload)
		if err != nil {
			if field != nil && (!errors.Is(err, ErrVersion) || len(field.Results) > 0) {
				t.Fatal("a field and an error")
			}
			return
		}
		parts := strings.Split(bareStructure(payload), ";")
		if len(field.Results)+len(field.Unread) > len(parts) {
			t.Fatalf("%q has %d parts, and gave %+v", payload, len(parts), field)
		}
		for _, r := range field.Results {
			i := 0
			for i < len(parts) && !hasPrefixWords(parts[i], r.Method, r.Value) {
				i++
			}
			if i == len(parts) {
				t.Fatalf("%q gave %s=%s, which stands in no part of its own: %q", payload, r.Method, r.Value, parts)
			}
			parts = parts[i+1:]
		}
		if strict, err := Parse("Authentication-Results:" + payload); err == nil && shown(strict) != shown(field) {
			t.Fatalf("%q: strictly %s, leniently %s", payload, shown(strict), shown(field))
		}
	})
}

// bareStructure returns text with its comments gone, and nothing within its quotes.
func bareStructure(text string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && (depth > 0 || quoted):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
			b.WriteByte('"')
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hasPrefixWords reports whether a part begins with method=value, white space and a method
// version aside.
func hasPrefixWords(part, method, value string) bool {
	part = strings.ToLower(strings.Join(strings.Fields(part), ""))
	rest, ok := strings.CutPrefix(part, method)
	if rest != "" && rest[0] == '/' {
		rest = strings.TrimLeft(rest[1:], "0123456789")
	}
	return ok && strings.HasPrefix(rest, "="+value)
}
