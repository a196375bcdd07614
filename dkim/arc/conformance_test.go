package arc_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestConformance(t *testing.T) {
	dir := filepath.Join(suite.Dir(t), "arc")
	recommended := crosscheck(t, dir)
	file, err := os.Open(filepath.Join(dir, "arc-draft-validation-tests.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := suite.New(t, "arc")
	for d := yaml.NewDecoder(file); ; {
		var scenario struct {
			Tests   yaml.Node         // some names stand there twice
			Records map[string]string `yaml:"txt-records"`
		}
		switch err := d.Decode(&scenario); err {
		case nil:
		case io.EOF:
			return
		default:
			t.Fatal(err)
		}
		zone := make(resolver.Zone)
		for name, txt := range scenario.Records {
			zone[strings.TrimSuffix(strings.ToLower(name), ".")] = resolver.Records{TXT: []string{txt}}
		}
		v := arc.Verifier{Resolver: zone}
		for i := 0; i < len(scenario.Tests.Content); i += 2 {
			name := scenario.Tests.Content[i].Value
			var test struct{ Message, CV string }
			if err := scenario.Tests.Content[i+1].Decode(&test); err != nil {
				t.Fatal(err)
			}
			s.Run(name, func(t *testing.T) {
				want := recommended[name]
				if want == nil {
					want = []string{strings.ToLower(test.CV)}
				}
				message := strings.ReplaceAll(test.Message, "\n", "\r\n")
				r, err := v.Verify(context.Background(), strings.NewReader(message))
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(want, r.Status.String()) {
					t.Errorf("%s, want %s", r, strings.Join(want, " or "))
				}
			})
		}
	}
}

// crosscheck returns the results that are allowed where the suite gives none, or where
// implementations differ.
func crosscheck(t *testing.T, dir string) map[string][]string {
	text, err := os.ReadFile(filepath.Join(dir, "crosscheck.json"))
	if err != nil {
		t.Fatal(err)
	}
	var check struct {
		Tests map[string]struct {
			Recommended []string `json:"recommended"`
		} `json:"tests"`
	}
	if err := json.Unmarshal(text, &check); err != nil {
		t.Fatal(err)
	}
	allowed := make(map[string][]string)
	for name, test := range check.Tests {
		allowed[name] = test.Recommended
	}
	return allowed
}
