package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var ctx = context.Background()

func TestZoneAnswers(t *testing.T) {
	z := Zone{
		"example.com": {
			TXT:  []string{"v=spf1 -all", "\xff\x00"},
			A:    []string{"192.0.2.1", "192.0.2.2"},
			AAAA: []string{"2001:db8::1", "::ffff:192.0.2.1"},
			MX:   []string{"10 MX.example.com.", "0 ."},
			TTL:  time.Minute,
		},
		"1.2.0.192.in-addr.arpa": {PTR: []string{"Host.example.com."}},
		"alias.example.com":      {CNAME: "Alias2.example.com.", TTL: time.Second, Authentic: AuthenticYes},
		"alias2.example.com":     {CNAME: "example.com", Authentic: AuthenticYes},
		"signed.example.com":     {TXT: []string{"x"}, Authentic: AuthenticYes},
		"broken.example.com":     {A: []string{"192.0.2.300"}, AAAA: []string{"192.0.2.1"}, MX: []string{"10"}},
		"other.example.com":      {A: []string{"2001:db8::1"}, AAAA: []string{"fe80::1%eth0"}, MX: []string{"65536 mx.example"}},
		"loop.example.com":       {CNAME: "loop2.example.com"},
		"loop2.example.com":      {CNAME: "loop.example.com"},
		"dangling.example.com":   {CNAME: "nowhere.example.org"},
		"a.deep.example.com":     {TXT: []string{"deep"}},

		"*.wild.example.com":          {TXT: []string{"wild"}},
		"known.wild.example.com":      {A: []string{"192.0.2.3"}},
		"x.ent.wild.example.com":      {A: []string{"192.0.2.4"}},
		"*.aliases.example.com":       {CNAME: "signed.example.com"},
		"planted.example.com":         {Fault: Fault{Err: ErrServFail}, Faults: map[Type]Fault{TypeA: {}}, A: []string{"192.0.2.5"}},
		"to-planted.example.com":      {CNAME: "planted.example.com"},
		"a+b=c \"d\\.(e).example.com": {TXT: []string{"odd"}},
		"to-odd.example.com":          {CNAME: "A+b=c \"d\\.(e).example.com."},
		"moved.example.com":           {DNAME: "New.example.org.", TXT: []string{"apex"}, TTL: time.Minute},
		"host.new.example.org":        {A: []string{"192.0.2.6"}},
		"a.b.new.example.org":         {TXT: []string{"ab"}},
		"circle.example":              {DNAME: "circle.example"},
		"s.example":                   {DNAME: "a.longer.example"},
		"root.example":                {DNAME: "."},
		"old.example.com":             {SPF: []string{"v=spf1 mx -all"}},
		"planted-absent.example.com":  {TXT: []string{"x"}, Fault: Fault{Err: ErrNXDomain}},
	}
	addrs := func(s ...string) (a []netip.Addr) {
		for _, s := range s {
			a = append(a, netip.MustParseAddr(s))
		}
		return a
	}
	for _, tt := range []struct {
		name string
		q    Question
		want Answer
		err  error
	}{
		{"TXT records keep their octets", Question{"example.com", TypeTXT}, Answer{TXT: []string{"v=spf1 -all", "\xff\x00"}, TTL: time.Minute}, nil},
		{"A", Question{"example.com", TypeA}, Answer{Addrs: addrs("192.0.2.1", "192.0.2.2"), TTL: time.Minute}, nil},
		{"AAAA keeps an IPv4-mapped address", Question{"example.com", TypeAAAA}, Answer{Addrs: addrs("2001:db8::1", "::ffff:192.0.2.1"), TTL: time.Minute}, nil},
		{"MX in canonical form, the null MX as an empty host", Question{"example.com", TypeMX}, Answer{MX: []MX{{10, "mx.example.com"}, {0, ""}}, TTL: time.Minute}, nil},
		{"PTR in canonical form", Question{"1.2.0.192.in-addr.arpa", TypePTR}, Answer{PTR: []string{"host.example.com"}}, nil},
		{"CNAMEs are followed and the lowest TTL is kept", Question{"alias.example.com", TypeA}, Answer{Addrs: addrs("192.0.2.1", "192.0.2.2"), TTL: time.Second}, nil},
		{"an authentic answer says so", Question{"signed.example.com", TypeTXT}, Answer{TXT: []string{"x"}, Authentic: AuthenticYes}, nil},
		{"an existing name without the type is no data", Question{"example.com", TypePTR}, Answer{}, ErrNoData},
		{"an absent name does not exist", Question{"absent.example.com", TypeA}, Answer{}, ErrNXDomain},
		{"a name that another ends in without a dot does not exist", Question{"ample.com", TypeA}, Answer{}, ErrNXDomain},
		{"an empty non-terminal has no data", Question{"deep.example.com", TypeTXT}, Answer{}, ErrNoData},
		{"a top label with names below it has no data", Question{"com", TypeTXT}, Answer{}, ErrNoData},
		{"a name below an existing one does not exist", Question{"x.example.com", TypeTXT}, Answer{}, ErrNXDomain},
		{"a CNAME to an absent name does not exist", Question{"dangling.example.com", TypeA}, Answer{}, ErrNXDomain},
		{"a CNAME loop is a failure", Question{"loop.example.com", TypeA}, Answer{}, ErrServFail},
		{"an IPv4 address that is none is malformed", Question{"broken.example.com", TypeA}, Answer{}, ErrMalformed},
		{"an IPv6 address that is none is malformed", Question{"broken.example.com", TypeAAAA}, Answer{}, ErrMalformed},
		{"an MX without a host is malformed", Question{"broken.example.com", TypeMX}, Answer{}, ErrMalformed},

		{"so is an IPv6 address as an A record", Question{"other.example.com", TypeA}, Answer{}, ErrMalformed},
		{"and an address with a zone", Question{"other.example.com", TypeAAAA}, Answer{}, ErrMalformed},
		{"and a preference of more than 16 bits", Question{"other.example.com", TypeMX}, Answer{}, ErrMalformed},

		{"a wildcard answers", Question{"x.wild.example.com", TypeTXT}, Answer{TXT: []string{"wild"}}, nil},
		{"a wildcard answers several labels down", Question{"z.y.x.wild.example.com", TypeTXT}, Answer{TXT: []string{"wild"}}, nil},
		{"a wildcard without the type has no data", Question{"x.wild.example.com", TypeA}, Answer{}, ErrNoData},
		{"a wildcard does not stand for its parent", Question{"wild.example.com", TypeTXT}, Answer{}, ErrNoData},
		{"a wildcard does not stand for an existing name", Question{"known.wild.example.com", TypeTXT}, Answer{}, ErrNoData},
		{"a wildcard does not apply below an existing name", Question{"y.known.wild.example.com", TypeTXT}, Answer{}, ErrNXDomain},
		{"a wildcard does not stand for an empty non-terminal", Question{"ent.wild.example.com", TypeTXT}, Answer{}, ErrNoData},
		{"a wildcard does not apply below an empty non-terminal", Question{"y.ent.wild.example.com", TypeTXT}, Answer{}, ErrNXDomain},
		{"a wildcard CNAME is followed", Question{"x.aliases.example.com", TypeTXT}, Answer{TXT: []string{"x"}}, nil},

		{"a fault takes the answer's place", Question{"planted.example.com", TypeTXT}, Answer{}, ErrServFail},
		{"a fault of one type leaves the others", Question{"planted.example.com", TypeA}, Answer{Addrs: addrs("192.0.2.5")}, nil},
		{"a fault is met behind a CNAME", Question{"to-planted.example.com", TypeMX}, Answer{}, ErrServFail},
		{"a fault can be absence", Question{"planted-absent.example.com", TypeTXT}, Answer{}, ErrNXDomain},

		{"an empty name is not asked", Question{"", TypeA}, Answer{}, ErrName},
		{"an empty label is not asked", Question{"a..example.com", TypeA}, Answer{}, ErrName},
		{"a trailing dot is not asked", Question{"example.com.", TypeA}, Answer{}, ErrName},
		{"upper case is not asked", Question{"Example.com", TypeA}, Answer{}, ErrName},
		{"a NUL is not asked", Question{"a\x00.example.com", TypeA}, Answer{}, ErrName},
		{"a control is not asked", Question{"a\x1f.example.com", TypeA}, Answer{}, ErrName},
		{"DEL is not asked", Question{"a\x7f.example.com", TypeA}, Answer{}, ErrName},
		{"octets beyond ASCII are not asked", Question{"b\xfccher.example.com", TypeA}, Answer{}, ErrName},
		{"a label of 64 octets is not asked", Question{strings.Repeat("+", 64) + ".example.com", TypeA}, Answer{}, ErrName},
		{"a name of 254 octets is not asked", Question{strings.Repeat("+.", 126) + "ab", TypeA}, Answer{}, ErrName},
		{"a wildcard is a name as others", Question{"*.wild.example.com", TypeTXT}, Answer{TXT: []string{"wild"}}, nil},
		{"a name of any printable octets", Question{"a+b=c \"d\\.(e).example.com", TypeTXT}, Answer{TXT: []string{"odd"}}, nil},
		{"a wildcard answers for one", Question{"ann+x=y@z.wild.example.com", TypeTXT}, Answer{TXT: []string{"wild"}}, nil},
		{"an alias leads to one", Question{"to-odd.example.com", TypeTXT}, Answer{TXT: []string{"odd"}}, nil},

		{"a DNAME makes aliases of the names below", Question{"host.moved.example.com", TypeA}, Answer{Addrs: addrs("192.0.2.6"), TTL: time.Minute}, nil},
		{"several labels down", Question{"a.b.moved.example.com", TypeTXT}, Answer{TXT: []string{"ab"}, TTL: time.Minute}, nil},
		{"its own name is none", Question{"moved.example.com", TypeTXT}, Answer{TXT: []string{"apex"}, TTL: time.Minute}, nil},
		{"nor is a name that only ends like it", Question{"removed.example.com", TypeTXT}, Answer{}, ErrNXDomain},
		{"a DNAME to nowhere", Question{"x.moved.example.com", TypeTXT}, Answer{}, ErrNXDomain},
		{"a DNAME that makes the name too long is a failure", Question{strings.Repeat("a.", 120) + "s.example", TypeTXT}, Answer{}, ErrServFail},
		{"a DNAME loop is a failure", Question{"x.circle.example", TypeTXT}, Answer{}, ErrServFail},
		{"a DNAME to the root", Question{"x.example.com.root.example", TypeTXT}, Answer{}, ErrNXDomain},
		{"another type is not asked", Question{"example.com", 6}, Answer{}, ErrType},
		{"an alias itself", Question{"alias.example.com", TypeCNAME}, Answer{CNAME: "alias2.example.com", TTL: time.Second, Authentic: AuthenticYes}, nil},
		{"an alias to nothing is one all the same", Question{"dangling.example.com", TypeCNAME}, Answer{CNAME: "nowhere.example.org"}, nil},
		{"a name that is no alias", Question{"example.com", TypeCNAME}, Answer{}, ErrNoData},
		{"an alias by a wildcard", Question{"x.aliases.example.com", TypeCNAME}, Answer{CNAME: "signed.example.com"}, nil},
		{"SPF records of type 99", Question{"old.example.com", TypeSPF}, Answer{TXT: []string{"v=spf1 mx -all"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil && tt.want.TTL == 0 {
				tt.want.TTL = time.Hour // as in a zone file that says nothing
			}
			got, err := z.Resolve(ctx, tt.q)
			if !errors.Is(err, tt.err) || !equalAnswers(got, tt.want) {
				t.Errorf("Resolve(%v) = %+v, %v; want %+v, %v", tt.q, got, err, tt.want, tt.err)
			}
			if failure, ok := errors.AsType[*Error](err); err != nil && (!ok || failure.Question != tt.q) {
				t.Errorf("error %v does not name the question %v", err, tt.q)
			}
			if errors.Is(err, ErrNotFound) && Temporary(err) {
				t.Errorf("%v is both absence and temporary", err)
			}
		})
	}
}

func equalAnswers(a, b Answer) bool {
	return slices.Equal(a.TXT, b.TXT) && slices.Equal(a.Addrs, b.Addrs) && slices.Equal(a.MX, b.MX) &&
		slices.Equal(a.PTR, b.PTR) && a.TTL == b.TTL && a.Authentic == b.Authentic
}

func TestZoneOfNothingHasNoNames(t *testing.T) {
	if _, err := Zone(nil).Resolve(ctx, Question{"example.com", TypeA}); !errors.Is(err, ErrNXDomain) {
		t.Error(err)
	}
}

func TestZoneWildcardOfTheRootAnswersForEveryName(t *testing.T) {
	z := Zone{"*": {TXT: []string{"x"}}}
	if a, err := z.Resolve(ctx, Question{"a.b.c", TypeTXT}); err != nil || a.Count() != 1 {
		t.Error(a, err)
	}
}

func TestZoneDelayPassesBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: time.Minute}}}
		start := time.Now()
		_, err := z.Resolve(t.Context(), Question{"example.com", TypeTXT})
		if err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestZoneDelayEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := Zone{"example.com": {TXT: []string{"x"}, Fault: Fault{Delay: time.Minute}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := z.Resolve(ctx, Question{"example.com", TypeTXT})
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || !Temporary(err) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestACancelledContextIsNeverAbsence(t *testing.T) {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(ErrNotFound) // as an errgroup does with the first error of its functions
	_, err := Zone{"example.com": {TXT: []string{"x"}}}.Resolve(ctx, Question{"example.com", TypeTXT})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotFound) || !Temporary(err) {
		t.Errorf("error is %v", err)
	}
}

func TestZoneAnswersTXTWithoutAllocating(t *testing.T) {
	z := Zone{"example.com": {TXT: []string{"v=spf1 -all"}}}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := z.Resolve(ctx, Question{"example.com", TypeTXT}); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestZoneFaultsOfAnAbsentNameDoNotMakeItExist(t *testing.T) {
	servfail := map[Type]Fault{TypeTXT: {Err: ErrServFail}}
	z := Zone{
		"*.w.example":        {A: []string{"192.0.2.1"}, Faults: map[Type]Fault{TypeMX: {Err: ErrRefused}}},
		"y.w.example":        {Absent: true, Faults: servfail},
		"y.example":          {Absent: true, Faults: servfail},
		"a.b.example":        {Absent: true, Fault: Fault{Err: ErrTimeout}},
		"with.example":       {Absent: true, Faults: servfail, A: []string{"192.0.2.2"}},
		"alias.example":      {Absent: true, CNAME: "with.example"},
		"parent.example":     {Absent: true, Faults: servfail},
		"sub.parent.example": {TXT: []string{"x"}},
		"*.none.example":     {Absent: true, Fault: Fault{Err: ErrTimeout}},
	}
	for _, tt := range []struct {
		name string
		q    Question
		want error
	}{
		{"the fault is there", Question{"y.w.example", TypeTXT}, ErrServFail},
		{"a wildcard answers for other types", Question{"y.w.example", TypeA}, nil},
		{"with its own faults", Question{"y.w.example", TypeMX}, ErrRefused},
		{"and for names below", Question{"x.y.w.example", TypeA}, nil},
		{"the fault is there without a wildcard", Question{"y.example", TypeTXT}, ErrServFail},
		{"other types have no such name", Question{"y.example", TypeA}, ErrNXDomain},
		{"nor is there a name below", Question{"x.y.example", TypeTXT}, ErrNXDomain},
		{"a fault of every type", Question{"a.b.example", TypePTR}, ErrTimeout},
		{"makes no name of its parent", Question{"b.example", TypePTR}, ErrNXDomain},
		{"a name with records exists all the same", Question{"with.example", TypeA}, nil},
		{"for other types too", Question{"with.example", TypeMX}, ErrNoData},
		{"and so does an alias", Question{"alias.example", TypeA}, nil},
		{"which leads to faults", Question{"alias.example", TypeTXT}, ErrServFail},
		{"a name with names below exists", Question{"parent.example", TypeA}, ErrNoData},
		{"and has its faults", Question{"parent.example", TypeTXT}, ErrServFail},
		{"an absent wildcard is none", Question{"a.none.example", TypeA}, ErrNXDomain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := z.Resolve(ctx, tt.q); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestZoneAddKeepsANameAbsentOnlyWhereBothDo(t *testing.T) {
	planted := Records{Absent: true, Faults: map[Type]Fault{TypeTXT: {Err: ErrServFail}}}
	for _, tt := range []struct {
		name string
		z    Zone
		more Records
		want error
	}{
		{"not there before", Zone{}, planted, ErrNXDomain},
		{"absent in both", Zone{"a.example": planted}, planted, ErrNXDomain},
		{"absent before", Zone{"a.example": planted}, Records{}, ErrNoData},
		{"absent after", Zone{"a.example": {}}, planted, ErrNoData},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.z.Add(Zone{"a.example": tt.more})
			if _, err := tt.z.Resolve(ctx, Question{"a.example", TypeA}); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if _, err := tt.z.Resolve(ctx, Question{"a.example", TypeTXT}); !errors.Is(err, ErrServFail) {
				t.Errorf("%v, want %v", err, ErrServFail)
			}
		})
	}
}

func TestParseZone(t *testing.T) {
	z, err := ParseZone(strings.NewReader(`
$ORIGIN example.com.
$TTL 300
@	IN SOA ns hostmaster 1 2 3 4 5
	NS ns
	60 MX 10 Mail
	TXT "v=spf1 " "include:other.example" " -all"
	TXT "octets \000\255 quote \" backslash \\ letter \065"
	A 192.0.2.1
	AAAA 2001:db8::1
	AAAA ::ffff:192.0.2.1
ns	TYPE65400 \# 2 ABCD
*.wild CNAME @
$ORIGIN 2.0.192.in-addr.arpa.
1 PTR mail.example.com.
`), "zone")
	if err != nil {
		t.Fatal(err)
	}
	apex := z["example.com"]
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"strings are joined and escapes are octets", apex.TXT, []string{"v=spf1 include:other.example -all", "octets \x00\xff quote \" backslash \\ letter A"}},
		{"A", apex.A, []string{"192.0.2.1"}},
		{"AAAA keeps an IPv4-mapped address", apex.AAAA, []string{"2001:db8::1", "::ffff:192.0.2.1"}},
		{"MX", apex.MX, []string{"10 mail.example.com"}},
		{"the lowest TTL of the name", apex.TTL, time.Minute},
		{"wildcard CNAME", z["*.wild.example.com"].CNAME, "example.com"},
		{"PTR", z["1.2.0.192.in-addr.arpa"].PTR, []string{"mail.example.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if fmt.Sprintf("%q", tt.got) != fmt.Sprintf("%q", tt.want) {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
	if _, err := z.Resolve(ctx, Question{"ns.example.com", TypeA}); !errors.Is(err, ErrNoData) {
		t.Errorf("a name with records of other types only: %v, want no data", err)
	}
}

func TestParseZoneKeepsALongString(t *testing.T) {
	long := strings.Repeat(`\065`, 250)
	z, err := ParseZone(strings.NewReader(`a.example. TXT "`+long+`"`), "zone")
	if err != nil || len(z["a.example"].TXT) != 1 || z["a.example"].TXT[0] != strings.Repeat("A", 250) {
		t.Errorf("%q, %v", z["a.example"].TXT, err)
	}
}

func TestParseZoneNamesFileAndLine(t *testing.T) {
	for _, tt := range []struct {
		name, zone, line string
	}{
		{"a record that does not parse", "a.example. A 192.0.2.1\nb.example. A 192.0.2.300\n", "line: 2"},
		{"an include", "a.example. A 192.0.2.1\n$INCLUDE other\n", "line: 2"},
		{"a name that needs escapes", "a.example. A 192.0.2.1\n\nbücher.example. A 192.0.2.1\nc.example. A 192.0.2.1\n", "line 3"},
		{"a name that needs escapes at the end of the file", "a.example. A 192.0.2.1\nbücher.example. A 192.0.2.1", "line 2"},
		{"a CNAME beside another record", "a.example. A 192.0.2.1\na.example. CNAME b.example.\n", "line 2"},
		{"another record beside a CNAME", "a.example. CNAME b.example.\na.example. A 192.0.2.1\n", "line 2"},
		{"a record without data", "a.example. A\n", "line 1"},
		{"more records than memory is for", strings.Repeat("$GENERATE 0-65535 $.example. A 192.0.2.1\n", 3), "line 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseZone(strings.NewReader(tt.zone), "my.zone")
			if err == nil || !strings.Contains(err.Error(), "my.zone: ") || !strings.Contains(err.Error(), tt.line) {
				t.Errorf("error is %v, want one with the file and %q", err, tt.line)
			}
		})
	}
}

func TestZoneAddMergesFiles(t *testing.T) {
	a := Zone{"example.com": {TXT: []string{"one"}, TTL: time.Hour, Faults: map[Type]Fault{TypeA: {Err: ErrTimeout}}}}
	b := Zone{
		"example.com": {TXT: []string{"two"}, TTL: time.Minute, Authentic: AuthenticYes, Fault: Fault{Delay: 1}, Faults: map[Type]Fault{TypeMX: {Err: ErrServFail}}},
		"example.org": {CNAME: "example.com"},
		"example.net": {DNAME: "example.com", TTL: 2 * time.Hour},
	}
	a.Add(b)
	if a["example.net"].TTL != 2*time.Hour || a["example.net"].DNAME != "example.com" {
		t.Errorf("a name that was not there: %+v", a["example.net"])
	}
	got, err := a.Resolve(ctx, Question{"example.org", TypeTXT})
	if err != nil || !slices.Equal(got.TXT, []string{"one", "two"}) || got.TTL != time.Minute || a["example.com"].Authentic != AuthenticYes {
		t.Errorf("%+v, %v", got, err)
	}
	for q, want := range map[Question]error{{"example.com", TypeA}: ErrTimeout, {"example.com", TypeMX}: ErrServFail} {
		if _, err := a.Resolve(ctx, q); !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", q, err, want)
		}
	}
	if len(b["example.com"].TXT) != 1 || len(b["example.com"].Faults) != 1 {
		t.Errorf("Add changed its argument: %+v", b)
	}
}

func FuzzParseZone(f *testing.F) {
	f.Add("$ORIGIN example.com.\n@ TXT \"a\" \"\\065\"\n MX 10 mx\n* CNAME @\n1 PTR a.\n A 192.0.2.1\n AAAA ::1\n")
	f.Add("$GENERATE 0-3 $ A 192.0.2.$\n")
	f.Add("a.example. 300 IN TXT \"x\" ( y\n z ) ; c\n\tSRV 0 0 0 \\032\n")
	f.Add("$ORIGIN a.\n$TTL 1h\n@ DNAME b.\n$GENERATE 1-3 x$ NS y$\n")
	f.Add("a\\032b TYPE65534 \\# 1 00\n")
	f.Fuzz(func(t *testing.T, s string) {
		z, err := ParseZone(strings.NewReader(s), "zone")
		if err != nil {
			return
		}
		for name := range z {
			if err := checkName(name); err != nil {
				t.Errorf("%q is no name: %v", name, err)
			}
			for _, qt := range []Type{TypeA, TypeAAAA, TypeMX, TypePTR, TypeTXT} {
				if a, err := z.Resolve(ctx, Question{name, qt}); errors.Is(err, ErrMalformed) || err == nil && a.Count() == 0 {
					t.Errorf("%s %v: %+v, %v", name, qt, a, err)
				}
			}
		}
	})
}

func FuzzClosestEncloser(f *testing.F) {
	f.Add("a.b.example", "b.example", "x.b.example")
	f.Add("a.b.con", "b.coo", "x.b.com")
	f.Add("a.b.example", "x.bb.example", "")
	f.Fuzz(func(t *testing.T, key1, key2, name string) {
		z := Zone{key1: {}, key2: {}}
		want := name
		for ; want != ""; _, want, _ = strings.Cut(want, ".") {
			if exists := slices.ContainsFunc([]string{key1, key2}, func(key string) bool {
				return key == want || strings.HasSuffix(key, "."+want)
			}); exists {
				break
			}
		}
		if got := z.closestEncloser(name); got != want {
			t.Errorf("closest encloser of %q among %q, %q is %q, want %q", name, key1, key2, got, want)
		}
	})
}
