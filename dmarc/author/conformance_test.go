package author

import (
	"slices"
	"testing"

	"github.com/mailverdict/mailverdict/internal/suite"
)

func TestConformanceFrom(t *testing.T) {
	type row struct {
		ID         string
		FromHeader string `yaml:"from_header"`
		Expect     struct {
			Domains []string
			Accept  [][]string
		}
	}
	s := suite.New(t, "dmarc/from-header")
	for _, row := range suite.Rows[row](t, "dmarc/from-header.yaml") {
		s.Run(row.ID, func(t *testing.T) {
			a := Parse(row.FromHeader)
			got := a.Domains
			if a.Err != nil && a.Err != ErrSeveralDomains {
				got = nil
			}
			for _, want := range append(row.Expect.Accept, row.Expect.Domains) {
				if slices.Equal(got, want) {
					return
				}
			}
			t.Errorf("%q: domains %q (%v), want %q", row.FromHeader, got, a.Err, row.Expect.Domains)
		})
	}
}
