package aggregate_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/internal/suite"
)

// A manifestRow is what conformance/reports/manifest.json says of a file.
type manifestRow struct {
	ID, File string
	Valid    bool
	Expect   *manifestReport
	Lenient  *manifestReport
	Note     string
}

// A manifestReport is what a report says. What is null in the manifest is not there.
type manifestReport struct {
	Org      string `json:"org_name"`
	Email    string
	ID       string `json:"report_id"`
	Begin    any
	End      any
	Domain   string
	P        string
	SP       *string
	NP       *string
	ADKIM    *string
	ASPF     *string
	Pct      *int
	Testing  *string
	Method   *string `json:"discovery_method"`
	Version  *string
	Records  int
	Messages int64
	First    []struct {
		Source      string      `json:"source_ip"`
		Count       int64       `json:"count"`
		Disposition string      `json:"disposition"`
		DKIM        string      `json:"dkim"`
		SPF         string      `json:"spf"`
		HeaderFrom  string      `json:"header_from"`
		Envelope    *string     `json:"envelope_from"`
		AuthDKIM    [][]*string `json:"auth_dkim"`
		AuthSPF     [][]*string `json:"auth_spf"`
		Reasons     [][]string  `json:"reasons"`
	} `json:"first_records"`
}

func TestConformance(t *testing.T) {
	dir := filepath.Join(suite.Dir(t), "reports")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest []manifestRow
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	s := suite.New(t, "reports")
	for _, row := range manifest {
		s.Run(row.ID, func(t *testing.T) {
			f, err := os.Open(filepath.Join(dir, row.File))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var r aggregate.Reader
			reports, err := r.Read(f)
			if len(reports) != 1 {
				t.Fatalf("%d reports (%v), want 1", len(reports), err)
			}
			t.Log(reports[0])
			want := row.Expect
			if want == nil {
				want = row.Lenient
			}
			if want == nil {
				unreadable(t, row.ID, reports[0], err)
				return
			}
			if err != nil {
				t.Errorf("error %v", err)
			}
			if row.Valid && hasProblem(reports[0], aggregate.ProblemMarkup, aggregate.ProblemOctets) {
				t.Errorf("problems %v of a document that is XML", reports[0].Problems)
			}
			if !row.Valid && len(reports[0].Problems) == 0 {
				t.Errorf("no problem: %s", row.Note)
			}
			compareReport(t, reports[0], want)
		})
	}
}

// unreadable checks the two files that are no XML by far, of which the manifest says only that.
// What they hold can be told all the same.
func unreadable(t *testing.T, id string, r *aggregate.Report, err error) {
	t.Helper()
	var rows []string
	for _, row := range r.Rows {
		rows = append(rows, row.String())
	}
	want := map[string][]string{
		"parsedmarc-invalid-xml": {`199.230.200.36 1 none dkim=fail spf=fail bad<xml.net`},
		"opendmarc-bad": {
			`108.166.27.220 267 - dkim=- spf=- example.com`,
			`- 16 none dkim=- spf=- example.com`,
			`118.103.89.13 1 none dkim=- spf=- example.com<foo`,
		},
	}[id]
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	if !hasProblem(r, aggregate.ProblemMarkup) {
		t.Errorf("problems %v, want one of markup", r.Problems)
	}
	if id == "opendmarc-bad" != (err != nil) {
		t.Errorf("error %v", err)
	}
}

func hasProblem(r *aggregate.Report, kinds ...aggregate.ProblemKind) bool {
	for _, p := range r.Problems {
		for _, kind := range kinds {
			if p.Kind == kind {
				return true
			}
		}
	}
	return false
}

func compareReport(t *testing.T, r *aggregate.Report, want *manifestReport) {
	t.Helper()
	equal := func(what string, got, want any) {
		t.Helper()
		if !strings.EqualFold(fmt.Sprint(got), fmt.Sprint(want)) {
			t.Errorf("%s %q, want %q", what, got, want)
		}
	}
	equal("org_name", r.Org, want.Org)
	equal("email", r.Email, want.Email)
	equal("report_id", r.ID, want.ID)
	equal("begin", r.Begin.Unix(), seconds(want.Begin))
	equal("end", r.End.Unix(), seconds(want.End))
	equal("domain", r.Policy.Domain, want.Domain)
	equal("p", r.Policy.P, want.P)
	equal("sp", r.Policy.SP, or(want.SP))
	equal("np", r.Policy.NP, or(want.NP))
	equal("adkim", r.Policy.DKIMAlignment, or(want.ADKIM))
	equal("aspf", r.Policy.SPFAlignment, or(want.ASPF))
	equal("testing", r.Policy.Testing, or(want.Testing))
	equal("discovery_method", r.Policy.Discovery, or(want.Method))
	equal("version", r.Version, or(want.Version))
	pct := ""
	if want.Pct != nil {
		pct = fmt.Sprint(*want.Pct)
	}
	equal("pct", r.Policy.Percent, pct)
	equal("records", len(r.Rows), want.Records)
	equal("messages", r.Messages(), want.Messages)
	for i, first := range want.First {
		if i >= len(r.Rows) {
			break
		}
		row := r.Rows[i]
		equal("source_ip", row.Source, first.Source)
		equal("count", row.Count, first.Count)
		equal("disposition", row.Disposition, first.Disposition)
		equal("dkim", row.DKIM, first.DKIM)
		equal("spf", row.SPF, first.SPF)
		equal("header_from", row.HeaderFrom, first.HeaderFrom)
		equal("envelope_from", row.EnvelopeFrom, or(first.Envelope))
		var reasons [][]string
		for _, reason := range row.Reasons {
			reasons = append(reasons, []string{reason.Type, reason.Comment})
		}
		equal("reasons", fmt.Sprintf("%q", reasons), fmt.Sprintf("%q", first.Reasons))
		var dkim, spf [][]string
		for _, a := range row.AuthDKIM {
			dkim = append(dkim, []string{a.Domain, a.Selector, a.Result})
		}
		for _, a := range row.AuthSPF {
			spf = append(spf, []string{a.Domain, a.Scope, a.Result})
		}
		equal("dkim results", fmt.Sprintf("%q", dkim), fmt.Sprintf("%q", texts(first.AuthDKIM)))
		equal("spf results", fmt.Sprintf("%q", spf), fmt.Sprintf("%q", texts(first.AuthSPF)))
	}
}

// seconds is a time of the manifest, which may be the text that stands in the report.
func seconds(v any) string {
	if n, ok := v.(float64); ok {
		return fmt.Sprintf("%.0f", n)
	}
	return strings.TrimSuffix(fmt.Sprint(v), ".0")
}

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func texts(rows [][]*string) (out [][]string) {
	for _, row := range rows {
		var texts []string
		for _, s := range row {
			texts = append(texts, or(s))
		}
		out = append(out, texts)
	}
	return out
}
