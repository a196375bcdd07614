package spf_test

import (
	"bytes"
	"cmp"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailverdict/mailverdict/internal/suite"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// superseded are the cases of the older suites that RFC 7208 contradicts, each with
// the reason.
var superseded = map[string]string{
	"pyspf-tests.yml default-modifier":       "default= has no meaning and is ignored (RFC 7208, section 6): neutral, not fail",
	"pyspf-tests.yml default-modifier-harsh": "a result of pyspf's own, \"ambiguous\": default= is ignored (RFC 7208, section 6)",
}

func TestRFC7208Suite(t *testing.T) { runSuite(t, "spf/rfc7208", "rfc7208-tests.yml") }
func TestRFC4408Suite(t *testing.T) { runSuite(t, "spf/rfc4408", "rfc4408-tests.yml") }
func TestPyspfSuite(t *testing.T)   { runSuite(t, "spf/pyspf", "pyspf-tests.yml") }

func runSuite(t *testing.T, name, file string) {
	counted := suite.New(t, name)
	for _, sc := range readScenarios(t, file) {
		client := &resolver.Client{Servers: []string{suite.Serve(t, sc.zone)}}
		t.Cleanup(client.CloseIdleConnections)
		for _, test := range sc.tests {
			id := sc.name + "/" + test.name
			counted.Run(id, func(t *testing.T) {
				if reason := superseded[file+" "+test.name]; reason != "" {
					t.Skip(reason)
				}
				test.run(t, sc.zone, client)
			})
		}
	}
}

// A scenario is one YAML document of a suite.
type scenario struct {
	name  string
	tests []suiteTest
	zone  resolver.Zone
}

type suiteTest struct {
	name                 string
	helo, host, mailFrom string
	results              []string
	explanation          string
}

// run checks the case by a Zone, whose answers come at once, and by a Client that asks a
// server for the same zone.
func (test suiteTest) run(t *testing.T, zone resolver.Zone, client *resolver.Client) {
	results := map[string]*spf.Result{}
	for _, by := range []struct {
		name     string
		resolver resolver.Resolver
		options  spf.Options
	}{
		{"Zone", zone, spf.Options{Trace: true}},
		{"Client", client, spf.Options{Trace: true}},
		{"Client, one question after the other", client, spf.Options{Trace: true, Sequential: true}},
	} {
		checker := spf.Checker{Resolver: by.resolver, Options: by.options}
		result := checker.Check(t.Context(), spf.Envelope{
			IP:       netip.MustParseAddr(test.host),
			HELO:     test.helo,
			MailFrom: test.mailFrom,
		})
		if !slices.Contains(test.results, result.Status.String()) {
			t.Errorf("by %s: got %v, want %v", by.name, result, test.results)
		}
		want := test.explanation
		if want == "DEFAULT" {
			want = "" // the text is the caller's then
		}
		if test.explanation != "" && result.Explanation != want {
			t.Errorf("by %s: got explanation %q, want %q", by.name, result.Explanation, want)
		}
		results[by.name] = result
	}
	beside, after := results["Client"], results["Client, one question after the other"]
	if asJSON(t, beside) != asJSON(t, after) {
		t.Errorf("side by side %s\none after the other %s", asJSON(t, beside), asJSON(t, after))
	}
}

func readScenarios(t *testing.T, file string) []scenario {
	text, err := os.ReadFile(filepath.Join(suite.Dir(t), "spf", file))
	if err != nil {
		t.Fatal(err)
	}
	var scenarios []scenario
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var raw struct {
			Description string
			Comment     string
			Tests       map[string]struct {
				Helo, Host, Mailfrom string
				Result               yaml.Node
				Explanation          string
			}
			Zonedata map[string]yaml.Node
		}
		if err := d.Decode(&raw); err == io.EOF {
			return scenarios
		} else if err != nil {
			t.Fatal(err)
		}
		sc := scenario{
			name: cmp.Or(raw.Description, strings.TrimSpace(raw.Comment), strconv.Itoa(len(scenarios))),
			zone: resolver.Zone{},
		}
		for name, test := range raw.Tests {
			sc.tests = append(sc.tests, suiteTest{
				name: name, helo: test.Helo, host: test.Host, mailFrom: test.Mailfrom,
				results: scalars(test.Result), explanation: test.Explanation,
			})
		}
		slices.SortFunc(sc.tests, func(a, b suiteTest) int { return cmp.Compare(a.name, b.name) })
		for name, records := range raw.Zonedata {
			sc.zone[strings.ToLower(name)] = readName(records)
		}
		scenarios = append(scenarios, sc)
	}
}

// readName returns the records of a name. A type that times out, or the bare word
// TIMEOUT for all types without records, is a fault.
func readName(list yaml.Node) resolver.Records {
	r := resolver.Records{Faults: map[resolver.Type]resolver.Fault{}}
	timeout := resolver.Fault{Err: resolver.ErrTimeout}
	hasTXT := false
	var old []string // records of type SPF, which stand for TXT where there is none
	for _, item := range list.Content {
		if item.Kind == yaml.ScalarNode {
			if item.Value == "TIMEOUT" {
				r.Fault = timeout
			}
			continue
		}
		kind, value := item.Content[0].Value, *item.Content[1]
		hasTXT = hasTXT || kind == "TXT"
		values := scalars(value)
		switch {
		case value.Value == "NONE":
		case value.Value == "TIMEOUT":
			r.Faults[types[kind]] = timeout
		case kind == "SPF":
			old = append(old, octets(strings.Join(values, "")))
		case kind == "TXT":
			r.TXT = append(r.TXT, octets(strings.Join(values, "")))
		case kind == "A":
			r.A = append(r.A, values[0])
		case kind == "AAAA":
			r.AAAA = append(r.AAAA, values[0])
		case kind == "MX":
			r.MX = append(r.MX, strings.Join(values, " "))
		case kind == "PTR":
			r.PTR = append(r.PTR, values[0])
		case kind == "CNAME":
			r.CNAME = values[0]
		}
	}
	if !hasTXT {
		r.TXT = old
	}
	for t, records := range map[resolver.Type][]string{
		resolver.TypeA: r.A, resolver.TypeAAAA: r.AAAA, resolver.TypeMX: r.MX, resolver.TypeTXT: r.TXT, resolver.TypePTR: r.PTR,
	} {
		if _, fails := r.Faults[t]; !fails && records != nil {
			r.Faults[t] = resolver.Fault{} // none
		}
	}
	return r
}

var types = map[string]resolver.Type{
	"A": resolver.TypeA, "AAAA": resolver.TypeAAAA, "MX": resolver.TypeMX, "TXT": resolver.TypeTXT, "PTR": resolver.TypePTR,
}

// scalars returns the values of a node that is one or a list of them.
func scalars(n yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var values []string
	for _, item := range n.Content {
		values = append(values, item.Value)
	}
	return values
}

// octets turns characters into octets: in the suites "\xEF" stands for one octet,
// where YAML makes a character of it.
func octets(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}
