package dmarc

import (
	"context"
	"slices"
	"testing"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/spf"
)

func TestConformanceOrganizationalDomain(t *testing.T) {
	type row struct {
		ID, Domain     string
		OrgDomain      string `yaml:"org_domain"`
		IsPublicSuffix *bool  `yaml:"is_public_suffix"`
	}
	s := suite.New(t, "dmarc/orgdomain-psl")
	list := alignment.PublicSuffix{ICANNOnly: true}
	for _, row := range suite.Rows[row](t, "dmarc/orgdomain-psl.yaml") {
		s.Run(row.ID, func(t *testing.T) {
			if got := list.Of(row.Domain).Organizational; row.OrgDomain != "" && got != row.OrgDomain {
				t.Errorf("Organizational Domain of %s is %s, want %s", row.Domain, got, row.OrgDomain)
			}
			if got := list.Is(row.Domain); row.IsPublicSuffix != nil && got != *row.IsPublicSuffix {
				t.Errorf("%s is a public suffix: %v, want %v", row.Domain, got, *row.IsPublicSuffix)
			}
		})
	}
}

func TestConformanceEvaluate(t *testing.T) {
	type identity struct{ Result, Domain string }
	type row struct {
		ID     string
		Mode   []string
		Zone   map[string]map[string]any
		From   string
		SPF    *identity
		DKIM   []identity
		Expect struct {
			Result       string
			Accept       []string
			Policy       *string
			Disposition  string
			PolicyDomain *string `yaml:"policy_domain"`
			OrgDomain    *string `yaml:"org_domain"`
			SPFAligned   bool    `yaml:"spf_aligned"`
			DKIMAligned  bool    `yaml:"dkim_aligned"`
			Pct          *int
		}
	}
	for _, file := range []string{"evaluate-mox.yaml", "evaluate-mail-dmarc.yaml", "evaluate-opendmarc.yaml"} {
		t.Run(file, func(t *testing.T) {
			s := suite.New(t, "dmarc/"+file)
			for _, row := range suite.Rows[row](t, "dmarc/"+file) {
				for _, mode := range row.Mode {
					s.Run(row.ID+"/"+mode, func(t *testing.T) {
						v := Verifier{Resolver: suite.Zone(t, row.Zone)}
						if mode == "rfc7489" {
							v.Discovery.Mode = discovery.PublicSuffix
						}
						in := Input{}
						if row.SPF != nil {
							in.SPF = &spf.Result{Domain: row.SPF.Domain}
							if err := in.SPF.Status.UnmarshalText([]byte(row.SPF.Result)); err != nil {
								t.Fatal(err)
							}
						}
						for _, d := range row.DKIM {
							r := &dkim.Result{Domain: d.Domain}
							if err := r.Status.UnmarshalText([]byte(d.Result)); err != nil {
								t.Fatal(err)
							}
							in.DKIM = append(in.DKIM, r)
						}
						in.Discovery = v.Discover(context.Background(), row.From, in.SPF, in.DKIM)
						got := Evaluate(in)

						if s := got.Status.String(); s != row.Expect.Result && !slices.Contains(row.Expect.Accept, s) {
							t.Fatalf("verdict %s (%v), want %s", s, got.Err, row.Expect.Result)
						}
						if got.Status == StatusNone || got.Status == StatusTempError {
							return // the other keys are informative then
						}
						disposition := got.Disposition
						if row.Expect.Pct != nil {
							disposition = asked(got.Policy) // that of the messages that are sampled
						}
						if disposition.String() != row.Expect.Disposition {
							t.Errorf("disposition %s, want %s", disposition, row.Expect.Disposition)
						}
						if row.Expect.Policy != nil && got.Policy.String() != *row.Expect.Policy {
							t.Errorf("policy %s, want %s", got.Policy, *row.Expect.Policy)
						}
						if row.Expect.PolicyDomain != nil && got.PolicyDomain != *row.Expect.PolicyDomain {
							t.Errorf("policy domain %s, want %s", got.PolicyDomain, *row.Expect.PolicyDomain)
						}
						if row.Expect.OrgDomain != nil && got.OrganizationalDomain != *row.Expect.OrgDomain {
							t.Errorf("Organizational Domain %s, want %s", got.OrganizationalDomain, *row.Expect.OrgDomain)
						}
						if got.SPFAligned != row.Expect.SPFAligned || got.DKIMAligned != row.Expect.DKIMAligned {
							t.Errorf("aligned: SPF %v, DKIM %v; want %v, %v", got.SPFAligned, got.DKIMAligned,
								row.Expect.SPFAligned, row.Expect.DKIMAligned)
						}
						if row.Expect.Pct != nil && got.Discovery.Query().Record.Percent != *row.Expect.Pct {
							t.Errorf("pct %d, want %d", got.Discovery.Query().Record.Percent, *row.Expect.Pct)
						}
					})
				}
			}
		})
	}
}
