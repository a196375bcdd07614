package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/suite"
)

func TestConformanceRecords(t *testing.T) {
	type row struct {
		ID, Record string
		Expect     struct {
			DMARC, Applies bool
			P, SP, NP      string
			ADKIM, ASPF    string
			T, PSD         string
			FO, RUA, RUF   []string
			Pct, RI        *int
			AcceptApplies  []bool `yaml:"accept_applies"`
		}
	}
	s := suite.New(t, "dmarc/records")
	for _, row := range suite.Rows[row](t, "dmarc/records.yaml") {
		s.Run(row.ID, func(t *testing.T) {
			r, isDMARC, err := record.Parse(row.Record, record.RFC9989)
			if isDMARC != row.Expect.DMARC {
				t.Fatalf("%q: is a DMARC record: %v, want %v", row.Record, isDMARC, row.Expect.DMARC)
			}
			applies := isDMARC && err == nil
			if applies != row.Expect.Applies && !slices.Contains(row.Expect.AcceptApplies, applies) {
				t.Fatalf("%q: applies: %v (%v), want %v", row.Record, applies, err, row.Expect.Applies)
			}
			if !applies {
				return
			}
			check := func(tag, got, want string) {
				if want != "" && got != want {
					t.Errorf("%q: %s is %q, want %q", row.Record, tag, got, want)
				}
			}
			check("p", r.Policy.String(), row.Expect.P)
			check("sp", r.SubdomainPolicy.String(), row.Expect.SP)
			check("np", r.NonexistentPolicy.String(), row.Expect.NP)
			check("adkim", r.DKIMAlignment.String()[:1], row.Expect.ADKIM)
			check("aspf", r.SPFAlignment.String()[:1], row.Expect.ASPF)
			check("psd", r.PSD.String(), row.Expect.PSD)
			check("t", map[bool]string{true: "y", false: "n"}[r.Testing], row.Expect.T)
			check("fo", strings.Join(r.FailureOptions, ":"), strings.Join(row.Expect.FO, ":"))
			check("rua", texts(r.AggregateReports), strings.Join(row.Expect.RUA, ","))
			check("ruf", texts(r.FailureReports), strings.Join(row.Expect.RUF, ","))
			if row.Expect.Pct != nil && *row.Expect.Pct != r.Percent {
				t.Errorf("pct is %d, want %d", r.Percent, *row.Expect.Pct)
			}
			if row.Expect.RI != nil && *row.Expect.RI != r.Interval {
				t.Errorf("ri is %d, want %d", r.Interval, *row.Expect.RI)
			}
		})
	}
}

func texts(uris []record.URI) string {
	var list []string
	for _, u := range uris {
		list = append(list, u.Text)
	}
	return strings.Join(list, ",")
}
