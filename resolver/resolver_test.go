package resolver

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"
)

func TestAnswersMarshalToJSONWithStableNames(t *testing.T) {
	b, err := json.Marshal(Answer{
		TXT: []string{"x"}, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, MX: []MX{{10, "mx.example.com"}},
		PTR: []string{"host.example.com"}, TTL: time.Second, Authentic: AuthenticYes,
	})
	want := `{"txt":["x"],"addrs":["192.0.2.1"],"mx":[{"preference":10,"host":"mx.example.com"}],"ptr":["host.example.com"],` +
		`"ttl":1000000000,"authentic":"yes"}`
	if err != nil || string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestAnswersAreSafeToPrint(t *testing.T) {
	for _, tt := range []struct {
		a    Answer
		want string
	}{
		{Answer{TXT: []string{"v=spf1 -all", "a\"\r\n\x1b\xff"}, TTL: time.Minute}, `"v=spf1 -all", "a\"\r\n\x1b\xff", TTL 1m0s`},
		{Answer{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, TTL: TTLUnknown}, "192.0.2.1, 2001:db8::1"},
		{Answer{MX: []MX{{10, "mx 1.example"}, {0, ""}}, Authentic: AuthenticYes}, `10 mx\0321.example, 0 ., TTL 0s, authentic`},
		{Answer{PTR: []string{"a\x00.example"}, TTL: TTLUnknown, Authentic: AuthenticNo}, `a\000.example`},
		{Answer{}, "no records"},
	} {
		if got := tt.a.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestAuthenticOfTwoAnswersIsTheWeaker(t *testing.T) {
	for _, tt := range []struct{ a, b, want Authentic }{
		{AuthenticYes, AuthenticYes, AuthenticYes},
		{AuthenticYes, AuthenticUnknown, AuthenticUnknown},
		{AuthenticUnknown, AuthenticNo, AuthenticNo},
		{AuthenticYes, AuthenticNo, AuthenticNo},
	} {
		if got := tt.a.And(tt.b); got != tt.want || tt.b.And(tt.a) != tt.want {
			t.Errorf("%v and %v is %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestAuthenticIsWrittenAsAWord(t *testing.T) {
	for want, a := range map[string]Authentic{"unknown": AuthenticUnknown, "no": AuthenticNo, "yes": AuthenticYes} {
		var back Authentic
		text, err := a.MarshalText()
		if err != nil || string(text) != want || a.String() != want || back.UnmarshalText(text) != nil || back != a {
			t.Errorf("%v is %s, %v", a, text, err)
		}
	}
}

func TestTypeIsWrittenByItsMnemonic(t *testing.T) {
	for want, qt := range map[string]Type{"A": TypeA, "AAAA": TypeAAAA, "MX": TypeMX, "PTR": TypePTR, "TXT": TypeTXT, "TYPE0": 0, "TYPE65535": 65535} {
		if qt.String() != want {
			t.Errorf("%d is %v, want %s", qt, qt, want)
		}
	}
}

func TestEveryErrorIsAnswerAbsenceOrTemporary(t *testing.T) {
	for _, err := range []error{ErrServFail, ErrRefused, ErrFormat, ErrTimeout, ErrUnreachable, ErrMalformed, ErrLimit, ErrPanic, ErrQuestionLimit, ErrTimeLimit, errors.New("any other")} {
		if !Temporary(err) || errors.Is(err, ErrNotFound) || !Temporary(&Error{Err: err}) {
			t.Errorf("%v is not temporary", err)
		}
	}
	for _, err := range []error{ErrNotFound, ErrNXDomain, ErrNoData} {
		if Temporary(err) || !errors.Is(err, ErrNotFound) || !errors.Is(&Error{Err: err}, ErrNotFound) {
			t.Errorf("%v is not absence", err)
		}
	}
	for _, err := range []error{nil, ErrName, ErrType} {
		if Temporary(err) || errors.Is(err, ErrNotFound) {
			t.Errorf("%v is temporary or absence", err)
		}
	}
	if errors.Is(ErrNXDomain, ErrNoData) || errors.Is(ErrNotFound, ErrNXDomain) {
		t.Error("the kinds of absence are not told apart")
	}
}

func TestTypesKeepTheirNamesAsText(t *testing.T) {
	for typ, want := range map[Type]string{TypeA: "A", TypeAAAA: "AAAA", TypeMX: "MX", TypePTR: "PTR", TypeTXT: "TXT", 64: "TYPE64"} {
		text, err := typ.MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("%d is written %q (%v), want %q", typ, text, err, want)
		}
		var back Type
		if err := back.UnmarshalText(text); err != nil || back != typ {
			t.Errorf("%q is read as %d (%v), want %d", text, back, err, typ)
		}
	}
	for _, text := range []string{"", "a", "64", "TYPE", "TYPE65536", "TYPE-1"} {
		var typ Type
		if err := typ.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %d, want an error", text, typ)
		}
	}
}
