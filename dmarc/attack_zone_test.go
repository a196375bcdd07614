package dmarc_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/resolver"
)

// attackRecords are the records of one name in the corpus.
type attackRecords struct {
	A     []string `yaml:"A"`
	AAAA  []string `yaml:"AAAA"`
	MX    []string `yaml:"MX"`
	PTR   []string `yaml:"PTR"`
	CNAME []string `yaml:"CNAME"`
	TXT   []any    `yaml:"TXT"` // a string, or a list of strings that make one record
	Error string
}

// attackTimeout is how long a server that does not answer keeps a resolver waiting.
const attackTimeout = 5 * time.Second

// zone turns the zone of a case into one of ours.
func (a *attack) zone(t *testing.T) resolver.Zone {
	t.Helper()
	zone := resolver.Zone{}
	for name, in := range a.Zone {
		r := resolver.Records{A: generated(in.A), AAAA: generated(in.AAAA), MX: generated(in.MX), PTR: generated(in.PTR)}
		if len(in.CNAME) > 0 {
			r.CNAME = in.CNAME[0]
		}
		for _, record := range in.TXT {
			parts, ok := record.([]any)
			if !ok {
				parts = []any{record}
			}
			text := ""
			for _, part := range parts {
				text += expand(part.(string))
			}
			r.TXT = append(r.TXT, generated([]string{text})...)
		}
		switch in.Error {
		case "":
		case "servfail":
			r.Fault.Err = resolver.ErrServFail
		case "timeout":
			r.Fault = resolver.Fault{Err: resolver.ErrTimeout, Delay: attackTimeout}
		case "nxdomain":
			r.Fault.Err = resolver.ErrNXDomain
		default:
			t.Fatalf("error %s in a zone", in.Error)
		}
		zone[domain.ToLower(expand(name))] = r
	}
	return zone
}

// generated writes out the items "GENERATE n: text".
func generated(items []string) []string {
	var out []string
	for _, item := range items {
		count, text, ok := strings.Cut(item, ": ")
		word, number, _ := strings.Cut(count, " ")
		n, err := strconv.Atoi(number)
		if !ok || word != "GENERATE" || err != nil {
			out = append(out, expand(item))
			continue
		}
		for i := range n {
			out = append(out, expand(strings.ReplaceAll(text, "{n}", strconv.Itoa(i+1))))
		}
	}
	return out
}

// A counting resolver keeps what it was asked and how many questions stood open at once.
type counting struct {
	resolver.Resolver
	delay time.Duration // before every answer

	mu         sync.Mutex
	questions  []resolver.Question
	open, most int
}

func (c *counting) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	c.mu.Lock()
	c.questions = append(c.questions, q)
	c.open++
	c.most = max(c.most, c.open)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.open--
		c.mu.Unlock()
	}()
	if c.delay > 0 {
		select {
		case <-time.After(c.delay):
		case <-ctx.Done():
		}
	}
	return c.Resolver.Resolve(ctx, q)
}

// asked returns the questions whose text has all of the parts.
func (c *counting) asked(parts ...string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, q := range c.questions {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(q.String(), part) }) {
			list = append(list, q.String())
		}
	}
	return list
}

// reversed returns the zone with the TXT records of every name in the other order.
func reversed(zone resolver.Zone) resolver.Zone {
	other := maps.Clone(zone)
	for name, records := range other {
		records.TXT = slices.Clone(records.TXT)
		slices.Reverse(records.TXT)
		other[name] = records
	}
	return other
}

func TestAttackPlaceholdersAreExpanded(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                       "plain",
		"{{rep:3:a.}}b":               "a.a.a.b",
		"{{hex:00}}{{hex:ff1b}}":      "\x00\xff\x1b",
		"{{rep:2:mailto:a@b,}}":       "mailto:a@b,mailto:a@b,",
		"{{what}}":                    "{{what}}",
		"p={{pub:k_attacker}}; {n}":   "p=" + attackKeys()["k_attacker"].text() + "; {n}",
		"{{rep:2:ip4:198.51.100.1 }}": "ip4:198.51.100.1 ip4:198.51.100.1 ",
	} {
		if got := expand(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if got := fmt.Sprint(generated([]string{"GENERATE 2: 10 h{n}.x", "ip4: 1"})); got != "[10 h1.x 10 h2.x ip4: 1]" {
		t.Errorf("generated %s", got)
	}
}
