package spf_test

import (
	"bytes"
	"cmp"
	"context"
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
		for _, test := range sc.tests {
			id := sc.name + "/" + test.name
			counted.Run(id, func(t *testing.T) {
				if reason := superseded[file+" "+test.name]; reason != "" {
					t.Skip(reason)
				}
				test.run(t, sc.zone)
			})
		}
	}
}

// A scenario is one YAML document of a suite.
type scenario struct {
	name  string
	tests []suiteTest
	zone  suiteZone
}

type suiteTest struct {
	name                 string
	helo, host, mailFrom string
	results              []string
	explanation          string
}

func (test suiteTest) run(t *testing.T, zone resolver.Resolver) {
	session := spf.Envelope{
		IP:       netip.MustParseAddr(test.host),
		HELO:     test.helo,
		MailFrom: test.mailFrom,
	}
	checker := spf.Checker{Resolver: zone, Options: spf.Options{Trace: true}}
	result := checker.Check(context.Background(), session)
	if !slices.Contains(test.results, result.Status.String()) {
		t.Errorf("got %v (%v), want %v", result.Status, result.Err, test.results)
	}
	want := test.explanation
	if want == "DEFAULT" {
		want = "" // the text is the caller's then
	}
	if test.explanation != "" && result.Explanation != want {
		t.Errorf("got explanation %q, want %q", result.Explanation, want)
	}
	oneByOne := spf.Checker{Resolver: zone, Options: spf.Options{Trace: true, Sequential: true}}
	if sequential := oneByOne.Check(context.Background(), session); asJSON(t, sequential) != asJSON(t, result) {
		t.Errorf("sequential %s\nparallel   %s", asJSON(t, sequential), asJSON(t, result))
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
			zone: suiteZone{},
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

// A suiteZone answers from the zone data of a scenario. It is not a resolver.Zone
// because the suites ask for names with octets that DNS carries and package
// resolver refuses, to see what reading of the syntax led to them.
type suiteZone map[string]*suiteName

type suiteName struct {
	records  map[string][]yaml.Node
	timeouts map[string]bool
	rest     bool // questions for types that are not in records time out
}

func readName(list yaml.Node) *suiteName {
	n := &suiteName{records: map[string][]yaml.Node{}, timeouts: map[string]bool{}}
	hasTXT := false
	for _, item := range list.Content {
		if item.Kind == yaml.ScalarNode {
			n.rest = n.rest || item.Value == "TIMEOUT"
			continue
		}
		kind, value := item.Content[0].Value, *item.Content[1]
		hasTXT = hasTXT || kind == "TXT"
		switch value.Value {
		case "NONE":
		case "TIMEOUT":
			n.timeouts[kind] = true
		default:
			n.records[kind] = append(n.records[kind], value)
		}
	}
	if !hasTXT && n.records["SPF"] != nil {
		n.records["TXT"] = n.records["SPF"]
	}
	return n
}

func (z suiteZone) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	name := q.Name
	for range 10 {
		n := z[name]
		if n == nil {
			return resolver.Answer{}, &resolver.Error{Question: q, Err: resolver.ErrNXDomain}
		}
		kind := q.Type.String()
		if alias := n.records["CNAME"]; alias != nil {
			name = strings.ToLower(strings.TrimSuffix(alias[0].Value, "."))
			continue
		}
		records := n.records[kind]
		if n.timeouts[kind] || records == nil && n.rest {
			return resolver.Answer{}, &resolver.Error{Question: q, Err: resolver.ErrTimeout}
		}
		if records == nil {
			return resolver.Answer{}, &resolver.Error{Question: q, Err: resolver.ErrNoData}
		}
		return suiteAnswer(q.Type, records), nil
	}
	return resolver.Answer{}, &resolver.Error{Question: q, Err: resolver.ErrServFail}
}

func suiteAnswer(kind resolver.Type, records []yaml.Node) (a resolver.Answer) {
	for _, record := range records {
		values := scalars(record)
		switch kind {
		case resolver.TypeTXT:
			a.TXT = append(a.TXT, octets(strings.Join(values, "")))
		case resolver.TypeA, resolver.TypeAAAA:
			a.Addrs = append(a.Addrs, netip.MustParseAddr(values[0]))
		case resolver.TypeMX:
			preference, _ := strconv.Atoi(values[0])
			a.MX = append(a.MX, resolver.MX{Preference: uint16(preference), Host: strings.ToLower(strings.TrimSuffix(values[1], "."))})
		case resolver.TypePTR:
			a.PTR = append(a.PTR, values[0])
		}
	}
	return a
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
