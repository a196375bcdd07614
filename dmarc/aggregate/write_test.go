package aggregate_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/suite"
)

// full is a report that has everything that is written.
func full() *aggregate.Report {
	return &aggregate.Report{
		RFC9990: true, Version: "1.0",
		Org: "Receiver & Söhne", Email: "dmarc@receiver.example", Contact: "https://receiver.example/?a=b&c=d", ID: "k3j4h5",
		Generator: "mailverdict", Errors: []string{"the tag x is <unknown>"},
		Begin: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 1, 1, 23, 59, 59, 0, time.UTC),
		Policy: aggregate.Policy{Domain: "example.com", P: "reject", SP: "quarantine", NP: "none", DKIMAlignment: "s", SPFAlignment: "r",
			FailureOptions: "1:d", Testing: "y", Discovery: "treewalk"},
		Rows: []aggregate.Row{
			{Source: netip.MustParseAddr("192.0.2.1"), Count: 1 << 40, Disposition: "pass", DKIM: "pass", SPF: "fail",
				HeaderFrom: "example.com", EnvelopeFrom: "bounce.example.net",
				AuthDKIM: []aggregate.Auth{{Domain: "example.com", Selector: "s1", Result: "pass"}, {Domain: "x.example", Selector: "", Result: "temperror", Comment: "SERVFAIL"}},
				AuthSPF:  []aggregate.Auth{{Domain: "bounce.example.net", Scope: "mfrom", Result: "softfail"}}},
			{Source: netip.MustParseAddr("2001:db8::1"), Count: 2, Disposition: "quarantine", DKIM: "fail", SPF: "fail", HeaderFrom: "sub.example.com", EnvelopeTo: "receiver.example",
				Reasons: []aggregate.Reason{{Type: "policy_test_mode", Comment: "t=y"}, {Type: "local_policy"}}},
			{Source: netip.MustParseAddr("192.0.2.3"), Count: 0, Disposition: "none", DKIM: "fail", SPF: "pass", HeaderFrom: "example.com"},
		},
	}
}

func written(t testing.TB, r *aggregate.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteXML(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	want := full()
	got := read(t, written(t, want))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestWhatIsWrittenIsValid asks xmllint, which knows XML Schema.
func TestWhatIsWrittenIsValid(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not here (Debian: libxml2-utils)")
	}
	specs := filepath.Join(suite.Dir(t), "..", "specs")
	hostile := full()
	hostile.Org, hostile.Contact, hostile.Errors = "]]>\x00<&", strings.Repeat("ü", 5000), []string{"a", "", "\ufffe"}
	hostile.Policy.P, hostile.Policy.SP, hostile.Policy.Testing, hostile.Policy.Discovery = "Reject", "what", "maybe", "guess"
	hostile.Rows[0].Disposition, hostile.Rows[0].DKIM, hostile.Rows[0].SPF, hostile.Rows[0].Count = "tempfail", "", "softfail", -1
	hostile.Rows[0].AuthDKIM = append(hostile.Rows[0].AuthDKIM, aggregate.Auth{Result: "softfail"}, aggregate.Auth{Result: "odd"})
	hostile.Rows[0].AuthSPF = []aggregate.Auth{{Scope: "helo", Result: "pass"}, {Result: "odd"}, {Result: "hardfail"}, {Result: "none"}, {Result: "pass"}}
	hostile.Rows[1].Reasons = []aggregate.Reason{{Type: "sampled_out", Comment: "pct=50"}, {Type: "forwarded"}, {}, {Type: "<x>"}}
	hostile.Rows[2].Source = netip.Addr{}
	least := full()
	least.Policy, least.Rows = aggregate.Policy{Domain: "example.com", P: "none"}, least.Rows[2:]
	least.Contact, least.Generator, least.Errors = "", "", nil
	old := read(t, document)
	for name, text := range map[string]string{
		"full": written(t, full()), "hostile": written(t, hostile), "least": written(t, least), "of RFC 7489": written(t, old),
	} {
		cmd := exec.Command(xmllint, "--nonet", "--noout", "--schema", filepath.Join(specs, "dmarc-xml-0.2.xsd"), "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
		}
	}
	sample, err := os.ReadFile(filepath.Join(specs, "dmarc-xml-0.2.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if r := read(t, string(sample)); len(r.Problems) > 0 || r.Messages() != 123 || !r.RFC9990 {
		t.Errorf("the sample of RFC 9990: %v, %v", r, r.Problems)
	}
}

func TestWhatTheSchemaDoesNotHaveIsNotWritten(t *testing.T) {
	r := full()
	r.Rows = r.Rows[:1]
	row := &r.Rows[0]
	row.HeaderFrom, row.EnvelopeFrom, row.EnvelopeTo = "ceo@example.com", "<jane@example.net", "joe@home@example.org"
	row.Disposition, row.DKIM, row.SPF = "tempfail", "", "softfail"
	row.Reasons = []aggregate.Reason{{Type: "sampled_out", Comment: "pct=50"}, {Type: "forwarded"}}
	row.AuthDKIM = []aggregate.Auth{{Domain: "jane@example.com", Selector: "s", Result: "PASS"}, {Domain: "b.example", Result: "what"}}
	row.AuthSPF = []aggregate.Auth{{Domain: "helo.example", Scope: "helo", Result: "pass"}, {Domain: "example.net", Result: "none"}}
	got := read(t, written(t, r)).Rows[0]
	want := aggregate.Row{
		Source: row.Source, Count: row.Count, Disposition: "none", DKIM: "fail", SPF: "fail",
		HeaderFrom: "example.com", EnvelopeFrom: "example.net", EnvelopeTo: "example.org",
		Reasons:  []aggregate.Reason{{Type: "other", Comment: "sampled_out pct=50"}, {Type: "trusted_forwarder"}},
		AuthDKIM: []aggregate.Auth{{Domain: "example.com", Selector: "s", Result: "pass"}},
		AuthSPF:  []aggregate.Auth{{Domain: "example.net", Scope: "mfrom", Result: "none"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestAReportThatLacksSomethingIsNotWritten(t *testing.T) {
	for want, change := range map[string]func(r *aggregate.Report){
		"org_name":  func(r *aggregate.Report) { r.Org = "" },
		"email":     func(r *aggregate.Report) { r.Email = "" },
		"report_id": func(r *aggregate.Report) { r.ID = "" },
		"begin":     func(r *aggregate.Report) { r.Begin = time.Time{} },
		"end":       func(r *aggregate.Report) { r.End = time.Time{} },
		"domain":    func(r *aggregate.Report) { r.Policy.Domain = "" },
		"p":         func(r *aggregate.Report) { r.Policy.P = "what" },
		"record":    func(r *aggregate.Report) { r.Rows = nil },
	} {
		r := full()
		change(r)
		err := r.WriteXML(io.Discard, nil)
		if !errors.Is(err, aggregate.ErrIncomplete) || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
}

func TestMessagesWithoutARowAreNamed(t *testing.T) {
	r := full()
	r.Omitted = 77
	if got := read(t, written(t, r)).Errors; len(got) != 1 || got[0] != "the tag x is <unknown>; 77 messages are not in this report, as there is a limit on its rows" {
		t.Errorf("errors %q", got)
	}
	if len(r.Errors) != 1 {
		t.Error("the report was changed")
	}
}

func TestAnErrorOfRowsOrOfTheWriterIsReturned(t *testing.T) {
	broken := errors.New("broken")
	r := full()
	rows := func(yield func(aggregate.Row, error) bool) {
		_ = yield(r.Rows[0], nil) && yield(aggregate.Row{}, broken)
	}
	if err := r.WriteXML(io.Discard, rows); err != broken {
		t.Errorf("rows: %v", err)
	}
	pulled := 0
	endless := func(yield func(aggregate.Row, error) bool) {
		for pulled = 0; pulled < 1_000_000 && yield(r.Rows[0], nil); pulled++ {
		}
	}
	if err := r.WriteXML(failing{broken}, endless); err != broken || pulled > 1000 {
		t.Errorf("writer: %v after %d rows", err, pulled)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// FuzzRoundTrip writes reports of any text. They are XML for encoding/xml, and read back as what
// was written, but for what XML cannot hold.
func FuzzRoundTrip(f *testing.F) {
	f.Add("Receiver", "d.example", "s1", "pass", "none", int64(1), []byte{192, 0, 2, 1})
	f.Add("\x00<]]>&\ufffe", "a\xff@b", "\"'", "hardfail", "PASS", int64(-1), make([]byte, 16))
	f.Fuzz(func(t *testing.T, text, name, selector, result, disposition string, count int64, address []byte) {
		source, ok := netip.AddrFromSlice(address)
		if !ok {
			return
		}
		r := full()
		r.Org, r.Contact, r.Errors = "x"+text, text, []string{text}
		r.Rows = []aggregate.Row{{
			Source: source, Count: count, Disposition: disposition, DKIM: result, SPF: disposition,
			Reasons: []aggregate.Reason{{Type: result, Comment: text}}, HeaderFrom: name, EnvelopeFrom: name,
			AuthDKIM: []aggregate.Auth{{Domain: name, Selector: selector, Result: result, Comment: text}},
			AuthSPF:  []aggregate.Auth{{Domain: name, Scope: disposition, Result: result}},
		}}
		out := written(t, r)
		d := xml.NewDecoder(strings.NewReader(out))
		for err := error(nil); err != io.EOF; {
			if _, err = d.Token(); err != nil && err != io.EOF {
				t.Fatalf("%v in\n%s", err, out)
			}
		}
		back := read(t, out)
		if hasProblem(back, aggregate.ProblemMarkup, aggregate.ProblemOctets, aggregate.ProblemTooMany) || len(back.Rows) != 1 {
			t.Fatalf("%d rows, problems %v in\n%s", len(back.Rows), back.Problems, out)
		}
		row := back.Rows[0]
		if row.Count != max(count, 0) || row.Source != source.Unmap() || (row.DKIM == "pass") != strings.EqualFold(result, "pass") {
			t.Errorf("row %v, want %v", row, r.Rows[0])
		}
		// Writing what was read changes nothing more.
		again := read(t, written(t, back))
		again.Problems, back.Problems = nil, nil
		if max(len(text), len(name), len(selector), len(result), len(disposition)) < 300 && // longer ones are cut
			!reflect.DeepEqual(again, back) {
			t.Errorf("written twice\n%+v\nwant\n%+v", again, back)
		}
	})
}

func someRows(n int) iter.Seq2[aggregate.Row, error] {
	return func(yield func(aggregate.Row, error) bool) {
		for i := range n {
			row := aggregate.Row{
				Source: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Count: int64(n - i), Disposition: "none", DKIM: "fail", SPF: "fail",
				HeaderFrom: fmt.Sprintf("host%d.example.com", i*7919%n),
				AuthSPF:    []aggregate.Auth{{Domain: fmt.Sprintf("host%d.example.com", i*7919%n), Scope: "mfrom", Result: "fail"}},
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func BenchmarkWriteXML(b *testing.B) {
	r := full()
	b.ReportAllocs()
	for b.Loop() {
		if err := r.WriteXML(io.Discard, someRows(1000)); err != nil {
			b.Fatal(err)
		}
	}
}
