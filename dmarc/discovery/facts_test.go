package discovery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/alignment"
	. "github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

const reject = "v=DMARC1; p=reject"

func signed(name string) Identifier {
	return Identifier{Domain: name, Tag: TagDKIM, Authenticated: true}
}

func TestWhatAFailedQuestionLeavesOpenIsNotReportedAsKnown(t *testing.T) {
	zone := suite.Policies(map[string]string{"a.shop.example": reject, "shop.example": "SERVFAIL"})
	id := signed("b.shop.example")
	r := Discover(t.Context(), zone, "a.shop.example", Options{}, id)
	o := r.Organization("a.shop.example")
	if !o.Open || o.Organizational != "" || o.Unanswered != "shop.example" || !slices.Equal(o.Possible, []string{"a.shop.example", "shop.example"}) {
		t.Errorf("%+v", o)
	}
	if _, a := r.Align(id); a != AlignmentOpen || r.Organization(id.Domain).Unanswered != "shop.example" {
		t.Errorf("aligned: %s, %+v", a, r.Organization(id.Domain))
	}
	if r.Err != nil || r.Unanswered != "" {
		t.Errorf("%v, unanswered %q", r.Err, r.Unanswered)
	}
	// One that does not count is what it may be.
	if _, a := r.Align(Identifier{Domain: "c.shop.example"}); a != AlignmentOpen {
		t.Errorf("aligned: %s", a)
	}
	if _, a := r.Align(signed("other.example")); a != NotAligned {
		t.Errorf("aligned: %s", a)
	}
}

func TestTheDomainThatLeftThePolicyOpenIsNamed(t *testing.T) {
	for _, tt := range []struct {
		zone       map[string]string
		author     string
		mode       Mode
		unanswered string
	}{
		{map[string]string{"a.shop.example": "SERVFAIL", "shop.example": "SERVFAIL"}, "a.shop.example", TreeWalk, "a.shop.example"},
		{map[string]string{"shop.example": "SERVFAIL", "example": "SERVFAIL"}, "a.shop.example", TreeWalk, "shop.example"},
		{map[string]string{"example": "SERVFAIL"}, "a.shop.example", TreeWalk, "example"},
		{map[string]string{"shop.example": "SERVFAIL"}, "b.a.shop.example", PublicSuffix, "shop.example"},
	} {
		r := Discover(t.Context(), suite.Policies(tt.zone), tt.author, Options{Mode: tt.mode})
		if !errors.Is(r.Err, ErrPolicyUnknown) || !errors.Is(r.Err, resolver.ErrServFail) || r.Unanswered != tt.unanswered {
			t.Errorf("%q: %v, unanswered %q, want %q", tt.zone, r.Err, r.Unanswered, tt.unanswered)
		}
	}
}

func TestThePolicyAndItsTag(t *testing.T) {
	for _, tt := range []struct {
		name, record, author string
		known                bool // whether the Author Domain exists
		failing              bool // or cannot be asked
		mode                 Mode
		policy               record.Policy
		tag                  string
		exists               Existence
	}{
		{"its own", "v=DMARC1; p=none; sp=reject; np=reject", "shop.example", true, false, TreeWalk, record.PolicyNone, "p", ExistenceNotAsked},
		{"sp", "v=DMARC1; p=none; sp=reject", "a.shop.example", true, false, TreeWalk, record.PolicyReject, "sp", ExistenceNotAsked},
		{"p for want of sp", "v=DMARC1; p=quarantine", "a.shop.example", true, false, TreeWalk, record.PolicyQuarantine, "p", ExistenceNotAsked},
		{"np", "v=DMARC1; p=none; sp=none; np=reject", "a.shop.example", false, false, TreeWalk, record.PolicyReject, "np", ExistenceNo},
		{"np of a name that exists", "v=DMARC1; p=none; sp=quarantine; np=reject", "a.shop.example", true, false, TreeWalk, record.PolicyQuarantine, "sp", ExistenceYes},
		{"sp or np", "v=DMARC1; p=none; sp=quarantine; np=reject", "a.shop.example", false, true, TreeWalk, record.PolicyUnset, "", ExistenceOpen},
		{"sp or np, which are the same", "v=DMARC1; p=none; sp=reject; np=reject", "a.shop.example", false, true, TreeWalk, record.PolicyReject, "sp", ExistenceOpen},
		{"np by RFC 7489", "v=DMARC1; p=none; np=reject", "a.shop.example", false, false, PublicSuffix, record.PolicyNone, "p", ExistenceNotAsked},
		{"a broken policy", "v=DMARC1; p=x; rua=mailto:a@shop.example", "a.shop.example", true, false, TreeWalk, record.PolicyNone, "p", ExistenceNotAsked},
		{"no policy", "v=DMARC1; p=x", "a.shop.example", true, false, TreeWalk, record.PolicyUnset, "", ExistenceNotAsked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := suite.Policies(map[string]string{"shop.example": tt.record})
			switch {
			case tt.failing:
				zone[tt.author] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
			case tt.known:
				zone[tt.author] = resolver.Records{TXT: []string{"x"}}
			}
			r := Discover(t.Context(), zone, tt.author, Options{Mode: tt.mode})
			if p, tag := r.Policy(); p != tt.policy || tag != tt.tag || r.Exists != tt.exists {
				t.Errorf("%s=%s, exists: %s; want %s=%s, %s", tag, p, r.Exists, tt.tag, tt.policy, tt.exists)
			}
		})
	}
}

func TestAPassIsWithoutExistenceWhereTheRecordTellsThePolicy(t *testing.T) {
	id := Identifier{Domain: "a.shop.example", Open: true}
	for _, tt := range []struct {
		record        string
		authenticated bool
		want          Existence
	}{
		{"v=DMARC1; p=reject; np=none", true, ExistenceNo},
		{"v=DMARC1; p=reject; np=reject", true, ExistenceNotAsked},
		{"v=DMARC1; p=reject; np=reject", false, ExistenceNo},
		{"v=DMARC1; p=reject", false, ExistenceNotAsked},
	} {
		id.Authenticated = tt.authenticated
		r := Discover(t.Context(), suite.Policies(map[string]string{"shop.example": tt.record}), "a.shop.example", Options{}, id)
		if r.Exists != tt.want {
			t.Errorf("%s, authenticated: %v: exists %q, want %q", tt.record, tt.authenticated, r.Exists, tt.want)
		}
	}
}

func TestTheQueryOfThePolicyIsNotThatOfAnotherRecord(t *testing.T) {
	r := Discover(t.Context(), suite.Policies(map[string]string{"b.shop.example": "v=DMARC1; p=none", "shop.example": reject}), "a.b.shop.example", Options{})
	if q := r.Query(); q == nil || q.Domain != "shop.example" || q.Text != reject {
		t.Errorf("%v", q)
	}
	if q := Discover(t.Context(), resolver.Zone{}, "shop.example", Options{}).Query(); q != nil {
		t.Errorf("%v", q)
	}
}

// RFC 7489 asks two names, and several records at the first one end it.
func TestByThePublicSuffixList(t *testing.T) {
	for _, tt := range []struct {
		name, author string
		zone         map[string]string
		mode         Mode
		domain       string
		source       Source
		asked, org   string
		suffix       string
	}{
		{"its own record", "a.shop.co.uk", map[string]string{"a.shop.co.uk": reject}, PublicSuffix, "a.shop.co.uk", SourceAuthor, "a.shop.co.uk shop.co.uk", "shop.co.uk", "co.uk"},
		{"that of the organization", "b.a.shop.co.uk", map[string]string{"shop.co.uk": reject, "a.shop.co.uk": reject}, PublicSuffix, "shop.co.uk", SourceOrganizational, "b.a.shop.co.uk shop.co.uk", "shop.co.uk", "co.uk"},
		{"several records end it", "a.shop.co.uk", map[string]string{"a.shop.co.uk": reject + "|" + reject, "shop.co.uk": reject}, PublicSuffix, "", SourceNone, "a.shop.co.uk shop.co.uk", "shop.co.uk", "co.uk"},
		{"the organization itself", "shop.co.uk", map[string]string{"shop.co.uk": reject, "co.uk": reject}, PublicSuffix, "shop.co.uk", SourceAuthor, "shop.co.uk", "shop.co.uk", "co.uk"},
		{"the private section", "a.alice.github.io", map[string]string{"github.io": reject}, PublicSuffix, "", SourceNone, "a.alice.github.io alice.github.io", "alice.github.io", "github.io"},
		{"without the private section", "a.alice.github.io", map[string]string{"github.io": reject}, PublicSuffixICANN, "github.io", SourceOrganizational, "a.alice.github.io github.io", "github.io", "io"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Discover(t.Context(), suite.Policies(tt.zone), tt.author, Options{Mode: tt.mode})
			if r.PolicyDomain != tt.domain || r.Source != tt.source || strings.Join(asked(r), " ") != tt.asked {
				t.Errorf("policy of %q (%s), asked %q; want %q (%s), %q", r.PolicyDomain, r.Source, asked(r), tt.domain, tt.source, tt.asked)
			}
			if o := r.Organizations[0]; o.Organizational != tt.org || o.Suffix != tt.suffix || o.Rule != RuleList {
				t.Errorf("%+v; want %q, %q", o, tt.org, tt.suffix)
			}
		})
	}
}

func TestWhatMayStandAtAName(t *testing.T) {
	zone := suite.Policies(map[string]string{
		"a.shop.example": reject + "|v=spf1 -all|v=DMARC1; p=none", "shop.example": "v=spf1 -all|" + reject, "example": "v=spf1 -all",
	})
	r := Discover(t.Context(), zone, "a.shop.example", Options{})
	if q := r.Queries[0]; !q.Several() || q.Record != nil || q.Text != "" || len(q.Discarded) != 3 ||
		q.Discarded[0].Reason != Several || q.Discarded[1].Reason != NotDMARC || q.Discarded[2].Reason != Several {
		t.Errorf("%+v", q)
	}
	if q := r.Queries[1]; q.Several() || q.Record == nil || q.Text != reject || len(q.Discarded) != 1 || q.Discarded[0].Text != "v=spf1 -all" {
		t.Errorf("%+v", q)
	}
	for i, want := range []string{
		"_dmarc.a.shop.example: several records", `_dmarc.shop.example: "v=DMARC1; p=reject"`, "_dmarc.example: no record",
	} {
		if got := r.Queries[i].String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if r.Query() != r.Queries[1] {
		t.Errorf("policy of %v", r.Query())
	}
	q := Query{Domain: "a.example", Err: errors.New("no\x1banswer")}
	if got := q.String(); got != `_dmarc.a.example: no\x1banswer` {
		t.Errorf("%s", got)
	}
}

func TestAQueryOfTheFloorIsMarked(t *testing.T) {
	for text, want := range map[string]bool{reject: true, reject + "; psd=u": true, reject + "; psd=y": false, reject + "; psd=n": false} {
		zone := suite.Policies(map[string]string{"co.uk": text, "shop.co.uk": reject})
		r := Discover(t.Context(), zone, "shop.co.uk", Options{})
		if r.Queries[1].PublicSuffix != want || r.Queries[0].PublicSuffix || r.Queries[2].PublicSuffix {
			t.Errorf("%s: %v", text, r.Queries)
		}
		r = Discover(t.Context(), zone, "shop.co.uk", Options{Mode: TreeWalkLiteral})
		if r.Queries[1].PublicSuffix {
			t.Errorf("%s, to the letter: %v", text, r.Queries)
		}
	}
}

func TestStrictAlignmentIsByItsOwnTag(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": reject + "; adkim=s"})
	ids := []Identifier{
		{Domain: "a.shop.example", Tag: TagDKIM, Authenticated: true},
		{Domain: "a.shop.example", Tag: TagSPF, Authenticated: true},
		{Domain: "shop.example", Tag: TagDKIM, Authenticated: true},
	}
	r := Discover(t.Context(), zone, "shop.example", Options{}, ids...)
	for i, want := range []struct {
		mode alignment.Mode
		a    Alignment
	}{{alignment.Strict, NotAligned}, {alignment.Relaxed, Aligned}, {alignment.Strict, Aligned}} {
		if mode, a := r.Align(ids[i]); mode != want.mode || a != want.a {
			t.Errorf("%v: %s, %s; want %s, %s", ids[i], mode, a, want.mode, want.a)
		}
	}
	// For one that is held to strict alignment nobody asks DNS.
	r = Discover(t.Context(), suite.Policies(map[string]string{"x.co.uk": reject + "; adkim=s"}), "x.co.uk", Options{Questions: 2}, signed("a.x.co.uk"))
	if got := asked(r); slices.Contains(got, "a.x.co.uk") {
		t.Errorf("asked %q", got)
	}
}

func TestAnIdentifierThatWasNotLookedForIsNotAligned(t *testing.T) {
	r := Discover(t.Context(), suite.Policies(map[string]string{"shop.example": reject}), "shop.example", Options{})
	for _, tt := range []struct {
		id   Identifier
		want Alignment
	}{
		{Identifier{Domain: "a.shop.example", Authenticated: true}, AlignmentOpen},
		{Identifier{Domain: "a.shop.example", Open: true}, AlignmentOpen},
		{Identifier{Domain: "a.shop.example"}, Aligned}, // as its name suggests
		{Identifier{Domain: "other.example", Authenticated: true}, NotAligned},
		{Identifier{Domain: "notshop.example", Authenticated: true}, NotAligned},
		{Identifier{Domain: "SHOP.example.", Authenticated: true}, Aligned},
		{Identifier{Domain: "A.Shop.Example", Authenticated: true}, AlignmentOpen},
		{Identifier{Domain: "a b", Authenticated: true}, NotAligned},
		{Identifier{Authenticated: true}, NotAligned},
	} {
		if _, got := r.Align(tt.id); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.id, got, tt.want)
		}
	}
}

func TestIdentifiersMayBeInAnyForm(t *testing.T) {
	id := signed("Bounce.SHOP.example.")
	r := Discover(t.Context(), suite.Policies(map[string]string{"shop.example": reject}), "Shop.Example.", Options{}, id, signed("a b"))
	if _, a := r.Align(id); a != Aligned || r.AuthorDomain != "shop.example" {
		t.Errorf("aligned: %s, Author Domain %s", a, r.AuthorDomain)
	}
}

func TestQuestionsAreLimited(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": reject})
	for _, tt := range []struct {
		questions int
		want      Alignment
		err       error
	}{{0, Aligned, nil}, {-1, Aligned, nil}, {3, Aligned, nil}, {2, AlignmentOpen, nil}, {1, NotAligned, nil}} {
		id := signed("a.shop.example")
		r := Discover(t.Context(), zone, "shop.example", Options{Questions: tt.questions}, id)
		if _, got := r.Align(id); got != tt.want && tt.questions != 1 || !errors.Is(r.Err, tt.err) {
			t.Errorf("%d questions: aligned %s (%v), want %s", tt.questions, got, r.Err, tt.want)
		}
	}
	r := Discover(t.Context(), zone, "a.shop.example", Options{Questions: 1})
	if !errors.Is(r.Err, ErrPolicyUnknown) || !errors.Is(r.Err, resolver.ErrLimit) {
		t.Errorf("%v", r.Err)
	}
}

// Half of the questions are kept for the identifiers that turn out to matter.
func TestExpectUsesAtMostHalfOfTheQuestions(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": reject})
	for _, tt := range []struct {
		expect []string
		want   string
	}{
		{nil, "shop.example example"},
		{[]string{"a.shop.example"}, "shop.example example a.shop.example"},
		{[]string{"A.Shop.Example."}, "shop.example example a.shop.example"},
		{[]string{"shop.example", "other.example", "other.com", "not a name", ""}, "shop.example example"},
		{[]string{"b.a.shop.example"}, "shop.example example b.a.shop.example a.shop.example"},
		{[]string{"c.b.a.shop.example"}, "shop.example example"}, // three more would be five of eight
		{[]string{"a.shop.example", "b.shop.example", "c.shop.example"}, "shop.example example a.shop.example b.shop.example"},
	} {
		var g ask.Group
		g.Begin(t.Context(), zone)
		var s Search
		s.Begin(&g, Options{Questions: 8}, nil, "shop.example")
		for _, name := range tt.expect {
			s.Expect(name)
		}
		if got := strings.Join(asked(s.Finish(nil)), " "); got != tt.want {
			t.Errorf("%q: asked %q, want %q", tt.expect, got, tt.want)
		}
		g.Close()
	}
}

func TestIdentifiersThatCannotMatterAreNotAskedFor(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": reject})
	for _, id := range []Identifier{
		{Domain: "a.shop.example", Tag: TagDKIM}, // neither passed nor open
		{Domain: "shop.example", Tag: TagDKIM, Authenticated: true},
		{Domain: "other.example", Tag: TagDKIM, Authenticated: true},
	} {
		r := Discover(t.Context(), zone, "shop.example", Options{}, id)
		if got := asked(r); len(got) != 2 || len(r.Organizations) != 1 {
			t.Errorf("%+v: asked %q, %v", id, got, r.Organizations)
		}
	}
	r := Discover(t.Context(), zone, "shop.example", Options{}, Identifier{Domain: "a.shop.example", Open: true}, Identifier{Domain: "a.shop.example", Tag: TagDKIM, Open: true})
	if got := asked(r); len(got) != 3 || len(r.Organizations) != 2 {
		t.Errorf("asked %q, %v", got, r.Organizations)
	}
}

func TestWhetherADomainExists(t *testing.T) {
	known := resolver.Records{TXT: []string{"x"}}
	for _, tt := range []struct {
		name  string
		zone  resolver.Zone
		vague bool // a resolver that cannot tell NXDOMAIN from an empty answer
		want  Existence
		asked string
	}{
		{"an address", resolver.Zone{"a.shop.example": {A: []string{"192.0.2.1"}}}, false, ExistenceYes, "A"},
		{"an empty answer", resolver.Zone{"a.shop.example": known}, false, ExistenceYes, "A"},
		{"a name below it", resolver.Zone{"x.a.shop.example": known}, false, ExistenceYes, "A"},
		{"no such name", nil, false, ExistenceNo, "A"},
		{"a failure", resolver.Zone{"a.shop.example": {Fault: resolver.Fault{Err: resolver.ErrServFail}}}, false, ExistenceOpen, "A"},
		{"vague, an IPv6 address", resolver.Zone{"a.shop.example": {AAAA: []string{"2001:db8::1"}}}, true, ExistenceYes, "A AAAA"},
		{"vague, MX", resolver.Zone{"a.shop.example": {MX: []string{"10 mx.shop.example"}}}, true, ExistenceYes, "A AAAA MX"},
		{"vague, TXT", resolver.Zone{"a.shop.example": known}, true, ExistenceYes, "A AAAA MX TXT"},
		{"vague, nothing", nil, true, ExistenceNo, "A AAAA MX TXT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := suite.Policies(map[string]string{"shop.example": "v=DMARC1; p=none; np=reject"})
			for name, records := range tt.zone {
				zone[name] = records
			}
			var types []string
			r := Discover(t.Context(), resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
				a, err := zone.Resolve(ctx, q)
				if q.Name == "a.shop.example" {
					types = append(types, q.Type.String())
				}
				if tt.vague && errors.Is(err, resolver.ErrNotFound) {
					err = resolver.ErrNotFound
				}
				return a, err
			}), "a.shop.example", Options{})
			if r.Exists != tt.want || strings.Join(types, " ") != tt.asked {
				t.Errorf("%s, asked %q; want %s, %q", r.Exists, types, tt.want, tt.asked)
			}
		})
	}
}

type resolverFunc func(ctx context.Context, q resolver.Question) (resolver.Answer, error)

func (f resolverFunc) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	return f(ctx, q)
}

// authentic answers with the AD bit, but for some names.
func authentic(zone resolver.Zone, not string) resolver.Resolver {
	return resolverFunc(func(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
		a, err := zone.Resolve(ctx, q)
		vouched := resolver.AuthenticYes
		if q.Name == not {
			vouched = resolver.AuthenticNo
		}
		a.Authentic = vouched
		var failed *resolver.Error
		if errors.As(err, &failed) {
			failed.Authentic = vouched
		}
		return a, err
	})
}

func TestAuthenticIsWhatHoldsForAllAnswers(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": "v=DMARC1; p=none; np=reject"})
	for not, want := range map[string]resolver.Authentic{
		"": resolver.AuthenticYes, "_dmarc.shop.example": resolver.AuthenticNo, "_dmarc.example": resolver.AuthenticNo, "a.shop.example": resolver.AuthenticNo,
		"_dmarc.b.shop.example": resolver.AuthenticNo, "other.example": resolver.AuthenticYes,
	} {
		r := Discover(t.Context(), authentic(zone, not), "a.shop.example", Options{}, Identifier{Domain: "b.shop.example", Open: true})
		if got := r.Authentic(); got != want {
			t.Errorf("all but %q: %s, want %s", not, got, want)
		}
	}
	zone["a.shop.example"] = resolver.Records{A: []string{"192.0.2.1"}}
	if r := Discover(t.Context(), authentic(zone, "a.shop.example"), "a.shop.example", Options{}); r.Authentic() != resolver.AuthenticNo || r.Exists != ExistenceYes {
		t.Errorf("%s, exists: %s", r.Authentic(), r.Exists)
	}
	if got := new(Result).Authentic(); got != resolver.AuthenticUnknown {
		t.Errorf("of nothing: %s", got)
	}
}

func TestRecordsAreParsedOnceForAllMessages(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": reject + "; np=none"})
	var records Records
	find := func(mode Mode) *record.Record {
		var g ask.Group
		g.Begin(t.Context(), zone)
		defer g.Close()
		var s Search
		s.Begin(&g, Options{Mode: mode}, &records, "shop.example")
		return s.Finish(nil).Query().Record
	}
	if first, second := find(TreeWalk), find(TreeWalk); first != second {
		t.Error("parsed again")
	}
	if old := find(PublicSuffix); old == find(TreeWalk) || old.Standard != record.RFC7489 {
		t.Error("the same record by both standards")
	}
}

func TestAResultComesBackFromJSON(t *testing.T) {
	zone := suite.Policies(map[string]string{"a.shop.example": reject + "|" + reject, "shop.example": "SERVFAIL", "example": reject})
	for _, r := range []*Result{
		Discover(t.Context(), zone, "a.shop.example", Options{}),
		Discover(t.Context(), zone, "b.a.shop.co.uk", Options{}),
		Discover(t.Context(), suite.Policies(map[string]string{"co.uk": "v=DMARC1; p=none; np=reject"}), "a.shop.co.uk", Options{}),
		Discover(t.Context(), zone, "a b", Options{}),
		Discover(t.Context(), suite.Policies(map[string]string{"shop.example": "v=DMARC1; p=x; x=" + strings.Repeat("x", 8<<10)}), "shop.example", Options{Mode: PublicSuffixICANN}),
	} {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		byValue, err := json.Marshal(*r)
		if err != nil || string(byValue) != string(text) {
			t.Errorf("by value %s, by pointer %s", byValue, text)
		}
		var back Result
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(text) {
			t.Errorf("%s\ncame back as\n%s (%v)", text, again, err)
		}
		for _, sentinel := range []error{ErrNoRecord, ErrPolicyUnknown, ErrAuthorDomain, record.ErrNoPolicy, record.ErrRecordLimit} {
			if errors.Is(r.Err, sentinel) != errors.Is(back.Err, sentinel) {
				t.Errorf("%v came back as %v", r.Err, back.Err)
			}
		}
		for i, q := range r.Queries {
			if errors.Is(q.Err, resolver.ErrServFail) != errors.Is(back.Queries[i].Err, resolver.ErrServFail) {
				t.Errorf("%v came back as %v", q.Err, back.Queries[i].Err)
			}
		}
	}
	var back Result
	if err := json.Unmarshal([]byte(`{"queries":[null,{"domain":"a.example"}]}`), &back); err != nil || len(back.Queries) != 1 {
		t.Errorf("%v, %v", back.Queries, err)
	}
}

func TestAResultIsOneLine(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": "v=DMARC1; p=reject; sp=quarantine; np=none", "broken.example": "SERVFAIL"})
	zone["b.shop.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	zone["a.shop.example"] = resolver.Records{TXT: []string{"x"}}
	for author, want := range map[string]string{
		"a.shop.example": "tree-walk for a.shop.example: sp=quarantine of shop.example",
		"b.shop.example": "tree-walk for b.shop.example: sp or np of shop.example",
		"other.example":  "tree-walk for other.example: no DMARC record is published for the Author Domain",
		"a b":            "tree-walk: the Author Domain is not a domain name: domain name has an octet other than a letter, digit, hyphen, underscore or dot",
	} {
		r := Discover(t.Context(), zone, author, Options{})
		if got := r.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	r := Discover(t.Context(), zone, "a.shop.example", Options{})
	want := "[method=tree-walk author_domain=a.shop.example organizational_domain=shop.example policy_domain=shop.example policy=sp=quarantine]"
	if got := slog.AnyValue(r).Resolve().String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r = Discover(t.Context(), zone, "other.example", Options{})
	if got := slog.AnyValue(r).Resolve().String(); !strings.HasSuffix(got, "policy= reason=no DMARC record is published for the Author Domain]") {
		t.Errorf("%s", got)
	}
}

func TestNoAuthorDomain(t *testing.T) {
	for _, name := range []string{"", "a..b", "[192.0.2.1]", "192.0.2.1", "a b", strings.Repeat("a.", 127) + "a"} {
		r := Discover(t.Context(), resolver.Zone{}, name, Options{Mode: PublicSuffix})
		if !errors.Is(r.Err, ErrAuthorDomain) || r.AuthorDomain != "" || r.Mode != PublicSuffix || len(r.Queries) != 0 {
			t.Errorf("%q: %+v", name, r)
		}
	}
}

func TestThePolicyAndIdentifiersAreAskedForSideBySide(t *testing.T) {
	slow := func(text string) resolver.Records {
		return resolver.Records{TXT: []string{text}, Fault: resolver.Fault{Delay: 20 * time.Millisecond}}
	}
	for _, id := range []Identifier{
		{Domain: "a.shop.example", Authenticated: true}, {Domain: "a.shop.example", Open: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			zone := resolver.Zone{"_dmarc.shop.example": slow(reject), "_dmarc.a.shop.example": slow("x")}
			r := Discover(t.Context(), zone, "shop.example", Options{}, id)
			if _, a := r.Align(id); a != Aligned || time.Since(start) != 20*time.Millisecond {
				t.Errorf("aligned: %s after %s", a, time.Since(start))
			}
		})
	}
}

// An identifier that nobody expected is asked for when the message has ended.
func TestFinishWaitsForWhatItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := suite.Policies(map[string]string{"shop.example": "v=DMARC1; p=reject; np=none"})
		zone["_dmarc.b.shop.example"] = resolver.Records{TXT: []string{reject + "; psd=n"}, Fault: resolver.Fault{Delay: time.Second}}
		exists := 0
		var g ask.Group
		g.Begin(t.Context(), resolver.Wrap(zone, func(_ context.Context, q resolver.Question, _ resolver.Answer, _ error) {
			if q.Type == resolver.TypeA {
				exists++
			}
		}))
		defer g.Close()
		var s Search
		s.Begin(&g, Options{}, nil, "a.shop.example")
		r := s.Finish([]Identifier{signed("c.b.shop.example")})
		if _, a := r.Align(signed("c.b.shop.example")); a != NotAligned || r.Organization("c.b.shop.example").Organizational != "b.shop.example" {
			t.Errorf("aligned: %s, %+v", a, r.Organizations)
		}
		if r.Organizations[0].Alignment != Aligned {
			t.Errorf("the Author Domain with itself: %s", r.Organizations[0].Alignment)
		}
		if exists != 1 {
			t.Errorf("asked %d times whether the Author Domain exists", exists)
		}
	})
}

func TestByDefaultTwentyFourQuestionsAreAsked(t *testing.T) {
	zone := suite.Policies(map[string]string{"shop.example": reject})
	var ids []Identifier
	for i := range 40 {
		ids = append(ids, signed(fmt.Sprintf("a%d.shop.example", i)))
	}
	n := 0
	count := resolver.Wrap(zone, func(context.Context, resolver.Question, resolver.Answer, error) { n++ })
	r := Discover(t.Context(), count, "shop.example", Options{}, ids...)
	if n != 24 || len(r.Queries) != 42 {
		t.Errorf("%d questions for %d names, want 24 for 42", n, len(r.Queries))
	}
	if _, a := r.Align(ids[39]); a != AlignmentOpen {
		t.Errorf("aligned: %s", a)
	}
}

func TestWhatIsNoNameIsAlignedWithNothing(t *testing.T) {
	for _, name := range []string{"", "a..b", "exa mple.com"} {
		r := &Result{AuthorDomain: name} // as one that is read from JSON may be
		if _, a := r.Align(signed(name)); a != NotAligned {
			t.Errorf("%q with itself: %s", name, a)
		}
	}
}
