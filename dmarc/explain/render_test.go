package explain

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/author"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/layout"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// everything returns a result with the text of a sender in every slot that there is.
func everything(s string) *dmarc.Result {
	err := cause.Wrap(errors.New(s), s, errors.New(s))
	step := spf.Step{
		Term: s, Expanded: s + "x", Err: err,
		Answers: []spf.Answer{{Question: resolver.Question{Name: s}, Records: []string{s}}, {Err: err}},
	}
	step.Nested = &spf.Evaluation{Domain: s, Record: s, Steps: []spf.Step{step}}
	check := &spf.Result{
		Status: spf.StatusFail, Domain: s, Sender: s, Mechanism: s, Record: s, RecordDomain: s + "x",
		Explanation: s, Err: err, Evaluation: &spf.Evaluation{Domain: s, Record: s, Steps: []spf.Step{step}},
	}
	names := []string{s, s + "x", "From"}
	signature := &dkim.Result{
		Status: dkim.StatusFail, Domain: s, Selector: s, Algorithm: s, BodyHash: []byte(s),
		Signature: &dkim.Signature{Algorithm: s, Domain: s, AUID: s + "x", Selector: s, Value: []byte(s), Expires: time.Unix(1, 0)},
		Key:       &dkim.Key{Name: s, Record: s, Type: s, Notes: s, Bits: 1},
		Signed:    names, Absent: names, OverSigned: names, NotSigned: names,
		Warnings: []dkim.Warning{dkim.Warning(s)}, Err: err,
	}
	published := &record.Record{
		Tags:     []record.Tag{{Name: s, Value: s, Kind: record.TagUnknown}, {Name: s, Value: s, Kind: record.TagRemoved}},
		Problems: []record.Problem{{Tag: s, Text: s, Assumed: s}},
	}
	query := &discovery.Query{Domain: s, Record: published, Text: s, PublicSuffix: true, Discarded: []discovery.Discarded{{Text: s}}}
	identifiers := []dmarc.Identifier{
		{Method: dmarc.MethodSPF, Domain: s, Authenticated: true, Organizational: s},
		{Method: dmarc.MethodDKIM, Domain: s + "x", Alignment: discovery.Aligned},
	}
	return &dmarc.Result{
		Envelope: dmarc.Envelope{IP: netip.MustParseAddr("192.0.2.1"), HELO: s, MailFrom: s},
		Time:     time.Unix(2, 0),
		Author:   author.Author{From: s, Fields: 2, Mailboxes: 2, Domains: []string{s}, Err: err},
		SPF:      check,
		HELO:     check,
		DKIM:     []*dkim.Result{signature},
		DMARC: dmarc.Verdict{
			Status: dmarc.StatusFail, Disposition: dmarc.DispositionReject, Policy: record.PolicyReject, PolicyTag: s,
			AuthorDomain: s, OrganizationalDomain: s, PolicyDomain: s, Record: s, Err: err,
			Override:    &dmarc.Override{Type: dmarc.OverrideLocal, Comment: s},
			Identifiers: identifiers,
			Discovery: &discovery.Result{
				AuthorDomain: s, PolicyDomain: s, Source: discovery.SourceOrganizational,
				Queries:       []*discovery.Query{query, {Domain: s + "x", Err: err}},
				Organizations: []discovery.Organization{{Domain: s, Organizational: s + "x"}},
			},
		},
		Others: []dmarc.Verdict{{AuthorDomain: s}},
	}
}

var hostile = []string{
	"x\r\nVerdict pass", "x\rPASS", "x\n\n\n", "\x1b[2J\x1b[1;1H\x1b[32mpass\x1b[0m", "\x1b]0;title\x07",
	"\x1b]8;;https://attacker.example\x1b\\link", "\u009b32m", "\x9b32m", "\x7f\x08\x08\x08\x08", "\x00",
	"\u202egnp.exe", "\u2066\u2067", "\u200b\u200d\ufeff", "\u2028\u2029", "\u00a0\u3000", "\U000e0041", "\u3164\u034f\ufe0f\u2800",
	"<script>alert(1)</script>", `" onmouseover="alert(1)`, "</dd></dl><h1>", "&lt;", "javascript:alert(1)",
	"\xff\xfe", strings.Repeat("a", 5000), strings.Repeat("a ", 5000), strings.Repeat("\u0301", 5000),
	strings.Repeat("\u6f22", 500), "bücher.example", "%s%n%d", "{{.}}", "", "..", "(", "a\u0301",
}

func TestNothingHostileLeaves(t *testing.T) {
	for _, s := range hostile {
		checkSafe(t, everything(s))
	}
}

func TestWhatShowsNothingIsEscaped(t *testing.T) {
	for _, r := range []rune{
		'\u034f', '\u115f', '\u1160', '\u17b4', '\u180b', '\u180f', '\u2800', '\u3164', '\ufe00', '\ufe0f', '\uffa0',
		'\u00ad', '\u200b', '\u2060', '\u061c', '\u180e', '\U000e0100', '\U00016fe4', '\U0001d159', '\U00013441', '\U0001d173',
	} {
		got := visible.Line("a" + string(r) + "b")
		if want := "a" + strings.Trim(strconv.QuoteRuneToASCII(r), "'") + "b"; got != want {
			t.Errorf("%U is shown as %q, want %q", r, got, want)
		}
	}
	for _, text := range []string{"bücher", "a\u0301", "漢字", "한글", "हिन्दी", "\U0001f600"} {
		if got := visible.Line(text); got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkSafe(t, everything(s)) })
}

// checkSafe explains a result in every way, and reports what may never be in it.
func checkSafe(t *testing.T, r *dmarc.Result) {
	t.Helper()
	e := Explain(r)
	everyText(e, func(text string) { checkLine(t, text) })
	for _, text := range append([]string{e.Answer.Verdict, e.Answer.Asked, e.Answer.Unless}, e.Answer.Sentences...) {
		for i := range len(text) {
			if text[i] > '~' {
				t.Fatalf("more than ASCII in %q", text)
			}
		}
	}
	for _, o := range []TextOptions{{}, {Width: 40, Brief: true}, {Width: 1}, {Width: 120}} {
		var b strings.Builder
		if err := e.Text(&b, o); err != nil {
			t.Fatal(err)
		}
		values := make(map[string]bool) // which may be wider than a line
		for _, f := range append(e.Answer.Fixes, e.Answer.Advice...) {
			for _, c := range f.Changes {
				values[c.Value] = true
			}
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			checkLine(t, line)
			if limit := max(o.Width, 40); o.Width > 0 && layout.Columns(line) > limit && !values[line] {
				t.Fatalf("%d columns: %q", layout.Columns(line), line)
			}
		}
	}
	var b strings.Builder
	if err := e.HTML(&b); err != nil {
		t.Fatal(err)
	}
	checkHTML(t, b.String())
	raw := &Explanation{Answer: everyAnswer(r.DMARC.AuthorDomain), Reasons: []string{r.DMARC.AuthorDomain}}
	b.Reset()
	if err := raw.HTML(&b); err != nil {
		t.Fatal(err)
	}
	checkHTML(t, b.String())
	b.Reset()
	if err := raw.Text(&b, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		checkLine(t, line)
	}
}

// everyAnswer returns an answer with a text in every slot that there is, as a program may have
// put it there.
func everyAnswer(s string) Answer {
	fix := Fix{
		Text: s, Note: s, Provider: s,
		Broken: &Broken{Name: s, Type: "TXT", Parts: []Part{{Text: s, Wrong: true}, {Text: s}, {Text: "", Wrong: true}}, Faults: []string{s}},
		Changes: []Change{{
			Action: ActionAdd, Name: s, Host: s, Zone: s, Type: "TXT", Value: s + "<" + s + ">", Old: s, Placeholders: []string{"<" + s + ">", ""},
		}},
	}
	return Answer{Verdict: "x" + s, Sentences: []string{s}, Asked: s, Unless: s, Fixes: []Fix{fix}, Advice: []Fix{fix}}
}

// everyText calls f with each text of an explanation.
func everyText(e *Explanation, f func(text string)) {
	for _, list := range [][]string{{e.Answer.Verdict, e.Answer.Asked, e.Answer.Unless}, e.Answer.Sentences, e.Reasons} {
		for _, text := range list {
			f(text)
		}
	}
	for _, fix := range append(slices.Clone(e.Answer.Fixes), e.Answer.Advice...) {
		f(fix.Text)
		f(fix.Note)
		for _, c := range fix.Changes {
			for _, text := range []string{c.Name, c.Host, c.Zone, c.Value, c.Old} {
				f(text)
			}
		}
		if b := fix.Broken; b != nil {
			f(b.Name)
			for _, part := range b.Parts {
				f(part.Text)
			}
			for _, fault := range b.Faults {
				f(fault)
			}
		}
	}
	everyStep(e.Steps, f)
}

func everyStep(steps []Step, f func(text string)) {
	for _, s := range steps {
		for _, text := range []string{s.Title, s.Input, s.Outcome, s.Rule, s.Section, s.Consequence} {
			f(text)
		}
		for _, e := range s.Evidence {
			f(e.Label)
			f(e.Text)
		}
		everyStep(s.Steps, f)
	}
}

func checkLine(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Fatalf("not UTF-8: %q", text)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) || visible.Blank(r) {
			t.Fatalf("%U in %q", r, text)
		}
	}
}

// checkHTML reports elements and attributes that the template does not have.
func checkHTML(t *testing.T, text string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(text))
	depth := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			if depth != 0 {
				t.Fatalf("%d elements are not closed in %q", depth, text)
			}
			return
		case html.StartTagToken:
			depth++
			token := z.Token()
			if !strings.Contains(" section h2 h3 p pre dl dt dd ul ol li span code mark ", " "+token.Data+" ") {
				t.Fatalf("an element %s in %q", token.Data, text)
			}
			for _, a := range token.Attr {
				if a.Key != "class" {
					t.Fatalf("an attribute %s in %q", a.Key, text)
				}
			}
		case html.EndTagToken:
			depth--
		case html.TextToken:
			for _, r := range string(z.Text()) {
				if (!unicode.IsPrint(r) || visible.Blank(r)) && r != '\n' {
					t.Fatalf("%U in %q", r, text)
				}
			}
		}
	}
}

func TestTextIsShownAsItIs(t *testing.T) {
	for text, want := range map[string]string{
		"plain text":                             "plain text",
		"Bücher 漢字":                              "Bücher 漢字",
		"a\tb\r\nc":                              `a\u0009b\u000d\u000ac`,
		"\x1b[2J":                                `\u001b[2J`,
		"\u202egnp.exe":                          `\u202egnp.exe`,
		"\U000e0041":                             `\U000e0041`,
		"a\xffb":                                 "a\uFFFDb",
		strings.Repeat("x", 401):                 strings.Repeat("x", 397) + "...",
		visible.Line(strings.Repeat("\x00", 99)): visible.Line(strings.Repeat("\x00", 99)),
	} {
		got := visible.Line(text)
		if got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestLinesBreakAtSpacesWhereTheyCan(t *testing.T) {
	for _, test := range []struct {
		text string
		want string
	}{
		{"", ""},
		{"one two three four", "one two/three four"},
		{"  one   two  ", "one two"},
		{"abcdefghijklmno pq", "abcdefghij/klmno pq"},
		{"漢字漢字漢字漢字", "漢字漢字漢/字漢字"},
		{"a\u0301b\u0301c\u0301d\u0301e\u0301 fghij", "a\u0301b\u0301c\u0301d\u0301e\u0301/fghij"},
	} {
		if got := strings.Join(layout.Wrap(test.text, 10), "/"); got != test.want {
			t.Errorf("%q breaks as %q, want %q", test.text, got, test.want)
		}
	}
}

func TestColoursAreThereOnlyIfAskedFor(t *testing.T) {
	e := &Explanation{
		Answer: Answer{
			Verdict: "FAIL: it does.", Tone: ToneBad,
			Fixes: []Fix{{Text: "Do it.", Broken: &Broken{Parts: []Part{{Text: "a"}, {Text: "b", Wrong: true}}}, Changes: []Change{{Value: "c"}}}},
		},
		Reasons: []string{"so"},
		Steps: []Step{
			{Kind: KindDKIM, Title: "DKIM", Outcome: "fail", Tone: ToneBad, Consequence: "It does not match."},
			{Kind: KindVerdict, Title: "Verdict", Outcome: "pass", Tone: ToneGood, Consequence: "All is well."},
		},
	}
	var without, with, brief strings.Builder
	e.Text(&without, TextOptions{})
	e.Text(&with, TextOptions{Color: true})
	e.Text(&brief, TextOptions{Color: true, Brief: true})
	if strings.Contains(without.String(), "\x1b") {
		t.Errorf("colours in %q", without.String())
	}
	for _, want := range []string{"\x1b[31mfail" + layout.Plain, "\x1b[32mpass" + layout.Plain, "\x1b[31m ^" + layout.Plain} {
		if !strings.Contains(with.String(), want) {
			t.Errorf("no %q in %q", want, with.String())
		}
	}
	if text := brief.String(); !strings.Contains(text, "\x1b[31mFAIL: it does."+layout.Plain) || strings.Contains(text, "DKIM") {
		t.Errorf("the brief form is %q", text)
	}
	shown := with.String()
	for _, code := range []string{layout.Bold, layout.Dim, layout.Plain, ToneGood.color(), ToneBad.color()} {
		shown = strings.ReplaceAll(shown, code, "")
	}
	if shown != without.String() {
		t.Errorf("with colours the text is %q, without %q", shown, without.String())
	}
}

func TestTextAndHTMLReturnTheErrorOfTheWriter(t *testing.T) {
	broken := errors.New("broken")
	e := Explain(everything("a"))
	if err := e.Text(failing{broken}, TextOptions{}); !errors.Is(err, broken) {
		t.Errorf("Text: %v", err)
	}
	if err := e.HTML(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("HTML: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWritingDoesNotChangeAnExplanation(t *testing.T) {
	e := &Explanation{
		Answer: everyAnswer("\x00"), Reasons: []string{"\x00"},
		Steps: []Step{{Evidence: []Fact{{"a", "\x00"}}, Steps: []Step{{Title: "\x00"}}}},
	}
	before := fmt.Sprintf("%q %v", e, e.Answer.Fixes[0].Broken.Parts)
	if err := e.HTML(io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := e.Text(io.Discard, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprintf("%q %v", e, e.Answer.Fixes[0].Broken.Parts); after != before {
		t.Errorf("%s became %s", before, after)
	}
}
