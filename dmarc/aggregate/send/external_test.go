package send_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestExternalReports(t *testing.T) {
	type row struct {
		ID           string
		Zone         map[string]map[string]any
		PolicyDomain string `yaml:"policy_domain"`
		Destination  string
		Expect       struct {
			Authorized *bool
			Accept     []bool
			Override   []string
		}
	}
	s := suite.New(t, "external-reports")
	for _, row := range suite.Rows[row](t, "dmarc/external-reports.yaml") {
		s.Run(row.ID, func(t *testing.T) {
			address := strings.TrimPrefix(row.Destination, "mailto:")
			got, err := send.Confirm(context.Background(), suite.Zone(t, row.Zone), row.PolicyDomain, address)
			switch want := row.Expect.Authorized; {
			case want == nil:
				if !errors.Is(err, send.ErrUnconfirmed) {
					t.Errorf("error %v, want one of DNS", err)
				}
				return
			case slices.Contains(row.Expect.Accept, err == nil):
			case *want != (err == nil) || !*want && !errors.Is(err, send.ErrNotConfirmed):
				t.Errorf("error %v, authorized is %v", err, *want)
			}
			if err != nil {
				return
			}
			want := []string{address}
			if row.Expect.Override != nil {
				want = nil
				for _, uri := range row.Expect.Override {
					want = append(want, strings.TrimPrefix(uri, "mailto:"))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("reports go to %q, want %q", got, want)
			}
		})
	}
}

// counted counts questions.
type counted struct {
	resolver.Resolver
	mu    sync.Mutex
	asked []string
}

func (c *counted) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	c.mu.Lock()
	c.asked = append(c.asked, q.Name)
	c.mu.Unlock()
	return c.Resolver.Resolve(ctx, q)
}

func TestWhereReportsGo(t *testing.T) {
	const yes = "v=DMARC1"
	for _, row := range []struct {
		name, policyDomain, address string
		zone                        resolver.Zone
		want                        string // addresses, or a part of the error
		asked                       string
	}{
		{"the same domain", "a.example", "x@A.example", nil, "x@A.example", ""},
		{"the same organization", "www.shop.example", "x@reports.shop.example",
			resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=none"}}}, "x@reports.shop.example", "*"},
		{"an organization that ends in between", "www.shop.example", "x@team.shop.example",
			resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=none"}}, "_dmarc.team.shop.example": {TXT: []string{"v=DMARC1; p=none; psd=n"}}},
			"has not agreed", "*"},
		{"two customers below a public suffix", "a.co.uk", "x@b.co.uk",
			resolver.Zone{"_dmarc.co.uk": {TXT: []string{"v=DMARC1; p=none"}}}, "has not agreed", "*"},
		{"a failure on the way to the organization", "www.shop.example", "x@reports.shop.example",
			resolver.Zone{"_dmarc.shop.example": {Fault: resolver.Fault{Err: resolver.ErrServFail}}}, "could not be found out", "*"},
		{"another organization is asked once", "rua.example", "ceo@target.example", nil, "has not agreed", "rua.example._report._dmarc.target.example"},
		{"a wildcard", "rua.example", "x@wildok.example", resolver.Zone{"*._report._dmarc.wildok.example": {TXT: []string{yes}}},
			"x@wildok.example", "rua.example._report._dmarc.wildok.example"},
		{"a policy domain in U-labels", "bücher.example", "x@b.example", resolver.Zone{"xn--bcher-kva.example._report._dmarc.b.example": {TXT: []string{yes}}},
			"x@b.example", "xn--bcher-kva.example._report._dmarc.b.example"},
		{"DNS that fails is no consent", "a.example", "x@b.example", resolver.Zone{"a.example._report._dmarc.b.example": {Fault: resolver.Fault{Err: resolver.ErrTimeout}}},
			"could not be found out", "*"},
		{"a record that is none", "a.example", "x@b.example", resolver.Zone{"a.example._report._dmarc.b.example": {TXT: []string{"v=DMARC2", "yes"}}},
			"none of its records", "*"},
		{"another address at the host", "a.example", "x@b.example",
			resolver.Zone{"a.example._report._dmarc.b.example": {TXT: []string{"v=DMARC1; rua=mailto:y@B.example?bcc=z@c.example,mailto:z@b.example"}}}, "y@B.example z@b.example", "*"},
		{"another host", "a.example", "x@b.example",
			resolver.Zone{"a.example._report._dmarc.b.example": {TXT: []string{"v=DMARC1; rua=mailto:y@b.example,mailto:y@c.example"}}}, "another host", "*"},
		{"a name below the host", "a.example", "x@b.example",
			resolver.Zone{"a.example._report._dmarc.b.example": {TXT: []string{"v=DMARC1; rua=mailto:y@c.b.example"}}}, "another host", "*"},
		{"no address that can be used", "a.example", "x@b.example",
			resolver.Zone{"a.example._report._dmarc.b.example": {TXT: []string{"v=DMARC1; rua=https://b.example/"}}}, "no address", "*"},
		{"an address without a domain", "a.example", "x@[192.0.2.1]", nil, "has not agreed", ""},
		{"a name that is too long", strings.Repeat(strings.Repeat("a", 60)+".", 3) + "example", "x@" + strings.Repeat(strings.Repeat("b", 50)+".", 2) + "test", nil, "too long", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			dns := &counted{Resolver: row.zone}
			got, err := send.Confirm(context.Background(), dns, row.policyDomain, row.address)
			if text := strings.Join(got, " "); err == nil && text != row.want || err != nil && (got != nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%q, error %v, want %q", text, err, row.want)
			}
			if asked := strings.Join(dns.asked, " "); row.asked != "*" && asked != row.asked {
				t.Errorf("asked for %q, want %q", asked, row.asked)
			}
		})
	}
}
