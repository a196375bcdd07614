package provider

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/spf"
)

func TestEachRowSaysWhereItsFactsAreFrom(t *testing.T) {
	d := json.NewDecoder(bytes.NewReader(table))
	d.DisallowUnknownFields()
	var list []Provider
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, p := range list {
		if ids[p.ID] || !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(p.ID) || p.Name == "" || p.Console == "" {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
		if _, err := time.Parse(time.DateOnly, p.LookedUp); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		for source := range strings.SplitSeq(p.Source, ", ") {
			if u, err := url.Parse(source); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: source %q", p.ID, source)
			}
		}
		for _, names := range [][]string{p.MailFrom, p.Signs, p.RewritesFrom, p.Include, p.Hosts, p.CNAME} {
			for _, name := range names {
				if domain.Check(name) != nil || name != domain.ToLower(name) {
					t.Errorf("%s: %q is no domain name in lower case", p.ID, name)
				}
			}
		}
		if len(p.Fixes) == 0 {
			t.Errorf("%s: no fix", p.ID)
		}
	}
}

func TestRecordsThatHoldNoPlaceholderAreSound(t *testing.T) {
	for _, p := range All() {
		for _, f := range p.Fixes {
			f = f.For("flowers.example")
			for _, r := range f.Records {
				if strings.ContainsAny(r.Host+r.Value+f.Text+f.Note, "{}") {
					t.Errorf("%s: %+v", p.ID, r)
				}
				value := r.Value
				if f.Kind == KindInclude {
					value = "v=spf1 " + value
				}
				if strings.HasPrefix(value, "v=spf1") {
					if _, _, err := spf.Parse(value); err != nil {
						t.Errorf("%s: %v", p.ID, err)
					}
				}
				if r.Type == "CNAME" && len(Placeholders(r.Value)) == 0 && domain.Check(r.Value) != nil {
					t.Errorf("%s: a CNAME to %s", p.ID, r.Value)
				}
			}
		}
	}
}

func TestProvidersAreRecognised(t *testing.T) {
	for _, test := range []struct {
		name string
		got  *Provider
		want string
	}{
		{"SES by MAIL FROM", OfDomain("eu-west-1.AMAZONSES.com."), "amazon-ses"},
		{"SES by include", OfInclude("amazonses.com"), "amazon-ses"},
		{"a name below an include", OfInclude("x.amazonses.com"), ""},
		{"Google by d=", OfDomain("flowers-example.20230601.gappssmtp.com"), "google-workspace"},
		{"Microsoft by d=", OfDomain("contoso.onmicrosoft.com"), "microsoft-365"},
		{"Microsoft by CNAME", OfCNAME("selector1-a-com._domainkey.a.n-v1.dkim.mail.microsoft"), "microsoft-365"},
		{"HubSpot by selector", OfSelector("hs1-12345"), "hubspot"},
		{"HubSpot's stem alone", OfSelector("hs1-"), ""},
		{"Zendesk by selector", OfSelector("ZENDESK1"), "zendesk"},
		{"Shopify by From", OfFrom("shopifyemail.com"), "shopify"},
		{"Microsoft by host", OfHost("mail-db8eur05on2040.outbound.protection.outlook.com"), "microsoft-365"},
		{"a stranger whose name ends alike", OfDomain("notamazonses.com"), ""},
		{"a stranger", OfDomain("flowers.example"), ""},
	} {
		got := ""
		if test.got != nil {
			got = test.got.ID
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPlaceholdersAreFound(t *testing.T) {
	for text, want := range map[string][]string{
		"10 feedback-smtp.<REGION>.amazonses.com": {"<REGION>"},
		"<A>.<B>.<A>": {"<A>", "<B>"},
		"none":        nil,
		"a < b":       nil,
	} {
		if got := Placeholders(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
