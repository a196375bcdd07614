package receivedspf_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
	"github.com/mailverdict/mailverdict/spf/receivedspf"
)

var client = spf.Envelope{
	IP:       netip.MustParseAddr("192.0.2.1"),
	HELO:     "mail.example.com",
	MailFrom: "user@example.com",
}

func TestReceivedSPFIsWrittenForEveryResult(t *testing.T) {
	for _, test := range []struct{ record, want string }{
		{"v=spf1 ip4:192.0.2.1 -all", "Received-SPF: pass (mx.receiver.example: domain of example.com designates\r\n" +
			" 192.0.2.1 as permitted sender) receiver=mx.receiver.example;\r\n" +
			" identity=mailfrom; client-ip=192.0.2.1; envelope-from=\"user@example.com\";\r\n" +
			" helo=mail.example.com; mechanism=\"ip4:192.0.2.1\";"},
		{"v=spf1 -all", "Received-SPF: fail (mx.receiver.example: domain of example.com does not\r\n" +
			" designate 192.0.2.1 as permitted sender) receiver=mx.receiver.example;\r\n" +
			" identity=mailfrom; client-ip=192.0.2.1; envelope-from=\"user@example.com\";\r\n" +
			" helo=mail.example.com; mechanism=-all;"},
		{"v=spf1", "Received-SPF: neutral (mx.receiver.example: 192.0.2.1 is neither permitted nor\r\n" +
			" denied by domain of example.com) receiver=mx.receiver.example;\r\n" +
			" identity=mailfrom; client-ip=192.0.2.1; envelope-from=\"user@example.com\";\r\n" +
			" helo=mail.example.com; mechanism=default;"},
		{"v=spf1 moo", "Received-SPF: permerror (mx.receiver.example: permanent error in processing\r\n" +
			" domain of example.com) receiver=mx.receiver.example; identity=mailfrom;\r\n" +
			" client-ip=192.0.2.1; envelope-from=\"user@example.com\"; helo=mail.example.com;\r\n" +
			" problem=\"the SPF record is malformed: \\\"moo\\\" at octet 7: want one of the mechanisms all, include, a, mx, ptr, ip4, ip6, exists\";"},
	} {
		zone := resolver.Zone{"example.com": {TXT: []string{test.record}}}
		got := receivedspf.New((&spf.Checker{Resolver: zone}).Check(t.Context(), client), client, "mx.receiver.example").String()
		if got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
}

func TestReceivedSPFIsWrittenForAResultWithoutAReason(t *testing.T) {
	for s := spf.StatusNone; s <= spf.StatusPermError; s++ {
		text := receivedspf.New(&spf.Result{Status: s}, spf.Envelope{}, "").String()
		if back, err := receivedspf.Parse(text); err != nil || back.Status != s || back.Problem != "" {
			t.Errorf("%v: got %v, %v from %q", s, back, err, text)
		}
	}
}

func TestReceivedSPFHoldsWhatIsHostileInItsPlace(t *testing.T) {
	for _, hostile := range []string{
		"a\r\nX-Injected: yes\r\n\r\nbody", "a\"; receiver=evil; x=\"", `a\`, "a(b", "a)b", "a;b", "\x00\x1b[31m",
		"\u202etxt", "\xff\xfe", strings.Repeat("a", 5000), strings.Repeat("(", 300), "a b  c", "=", ".", "",
	} {
		session := spf.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: hostile, MailFrom: hostile + "@example.com"}
		for _, record := range []string{"v=spf1 -all", "v=spf1 " + hostile, "v=spf1 a:%{l}.org exists:x.org ?all"} {
			checker := spf.Checker{Resolver: resolver.Zone{"example.com": {TXT: []string{record}}}}
			for _, r := range []*spf.Result{checker.Check(t.Context(), session), checker.CheckHELO(t.Context(), session)} {
				field := receivedspf.New(r, session, "mx.receiver.example")
				text := field.String()
				for i, line := range strings.Split(text, "\r\n") {
					if i > 0 && !strings.HasPrefix(line, " ") || len(line) > 998 || strings.ContainsAny(line, "\r\n\x00\x1b") {
						t.Errorf("%.40q: line %q", hostile, line)
					}
				}
				back, err := receivedspf.Parse(text)
				if err != nil {
					t.Errorf("%.40q: %v in\n%s", hostile, err, text)
					continue
				}
				if back.Receiver != "mx.receiver.example" || back.Status != r.Status || back.ClientIP != session.IP || len(back.Other) > 0 {
					t.Errorf("%.40q: came back as %+v", hostile, back)
				}
			}
		}
	}
}

func TestReceivedSPFOfOthersIsRead(t *testing.T) {
	for _, test := range []struct {
		name, field string
		want        receivedspf.Field
	}{
		{"the first example of RFC 7208, section 9.1", "Received-SPF: pass (mybox.example.org: domain of\r\n myname@example.com designates 192.0.2.1 as permitted sender)\r\n" +
			"    receiver=mybox.example.org; client-ip=192.0.2.1;\r\n    envelope-from=\"myname@example.com\"; helo=foo.example.com;",
			receivedspf.Field{Status: spf.StatusPass, Comment: "mybox.example.org: domain of myname@example.com designates 192.0.2.1 as permitted sender",
				Receiver: "mybox.example.org", ClientIP: netip.MustParseAddr("192.0.2.1"), EnvelopeFrom: "myname@example.com", HELO: "foo.example.com"}},
		{"the third, whose mechanism is not quoted", "Received-SPF: pass (x)\n mechanism=ip4:192.0.2.1; envelope-from=\"myname@example.com\"\r\n",
			receivedspf.Field{Status: spf.StatusPass, Comment: "x", Mechanism: "ip4:192.0.2.1", EnvelopeFrom: "myname@example.com"}},
		{"no list", "received-spf:SoftFail", receivedspf.Field{Status: spf.StatusSoftFail}},
		{"nested and escaped comments", `Received-SPF: fail (a (b; helo=evil) \) c) (again) helo (=) = (x) "a\"b;c" (end) ; X.y=z`,
			receivedspf.Field{Status: spf.StatusFail, Comment: "a (b; helo=evil) ) c", HELO: `a"b;c`, Other: []receivedspf.Pair{{Key: "X.y", Value: "z"}}}},
		{"IPv6", `Received-SPF: none client-ip=2001:db8::1; identity=pra`,
			receivedspf.Field{Status: spf.StatusNone, ClientIP: netip.MustParseAddr("2001:db8::1"), Identity: "pra"}},
	} {
		got, err := receivedspf.Parse(test.field)
		if err != nil || !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s: got %+v, %v", test.name, got, err)
		}
	}
	for _, field := range []string{
		"", "Received: pass", "Received-SPF:", "Received-SPF: passed", "Received-SPF: pass (open", "Received-SPF: pass helo", "Received-SPF: pass helo=\"open",
		"Received-SPF: pass helo=a helo=b", "Received-SPF: pass helo=a; HELO=b", "Received-SPF: pass x=a; X=b", "Received-SPF: pass client-ip=x",
		"Received-SPF: pass\r\nhelo=a", "Received-SPF: pass\rhelo=a", "Received-SPF: pass ;;", "Received-SPF: pass " + strings.Repeat("(", 70000),
	} {
		if got, err := receivedspf.Parse(field); err == nil || !errors.Is(err, receivedspf.ErrMalformed) {
			t.Errorf("%.60q: got %+v, %v", field, got, err)
		}
	}
}

func TestAKeyThatStandsTwiceInReceivedSPFIsAnErrorThoughTheFirstIsEmpty(t *testing.T) {
	for _, key := range []string{"receiver", "identity", "envelope-from", "helo", "mechanism", "problem", "x"} {
		for _, pairs := range []string{"%=\"\"; %=b", "%=; %=b", "%=b; %=", "%=\"\"; %=\"\""} {
			field := "Received-SPF: pass " + strings.ReplaceAll(pairs, "%", key)
			if got, err := receivedspf.Parse(field); !errors.Is(err, receivedspf.ErrMalformed) {
				t.Errorf("%q: got %+v, %v", field, got, err)
			}
		}
	}
}

func FuzzReceivedSPF(f *testing.F) {
	f.Add("Received-SPF: pass (a (b) \\) c) receiver=x; client-ip=192.0.2.1; envelope-from=\"a@b\"; helo=c; x=\"\\\"\"")
	f.Fuzz(func(t *testing.T, field string) {
		first, err := receivedspf.Parse(field)
		if err != nil {
			return
		}
		text := first.String()
		second, err := receivedspf.Parse(text)
		if err != nil {
			t.Fatalf("%q became %q: %v", field, text, err)
		}
		if again := second.String(); second.Status != first.Status || len(text) < 300 && again != text {
			t.Fatalf("%q became %q", text, again)
		}
	})
}
