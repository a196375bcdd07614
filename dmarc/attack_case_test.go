package dmarc_test

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/suite"
	"go.yaml.in/yaml/v3"
)

// attackCorpus is the file of attacks, whose head says how to read it.
type attackCorpus struct {
	Meta struct {
		Now        time.Time
		AuthservID string   `yaml:"authserv_id"`
		StdFields  []string `yaml:"std_fields"`
		StdBody    string   `yaml:"std_body"`
	}
	Cases []*attack
}

// An attack is one case of the corpus.
type attack struct {
	ID, Area, Title string
	Connection      struct {
		IP, HELO string
		MailFrom string `yaml:"mail_from"`
	}
	Zone    map[string]attackRecords
	Message attackMessage
	Expect  struct {
		SPF, DMARC, Disposition string
		DKIM                    []string
		HeaderFrom              string `yaml:"header_from"`
		MaxQueries              int    `yaml:"max_queries"`
		MaxMS                   int    `yaml:"max_ms"`
		MaxAllocMB              uint64 `yaml:"max_alloc_mb"`
		Alt                     map[string]struct{ DMARC, Disposition string }
		Strip                   []int
		AR                      string
	}
}

// An attackMessage is how a message is made.
type attackMessage struct {
	Fields    []string
	Std       *bool
	Body      *string
	Raw       string
	Generator string
	Steps     []struct {
		Sign        *attackSignature
		Prepend     *string
		AppendField *string `yaml:"append_field"`
		Replace     []string
		AppendBody  *string `yaml:"append_body"`
	}
}

// loadAttacks reads the corpus, which lies beside the conformance data.
func loadAttacks(t *testing.T) *attackCorpus {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(suite.Dir(t), "..", "attacks", "cases.yaml"))
	if os.IsNotExist(err) {
		t.Skipf("the attacks are not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var corpus attackCorpus
	if err := yaml.Unmarshal(text, &corpus); err != nil {
		t.Fatal(err)
	}
	return &corpus
}

// expand puts what the placeholders {{pub:K}}, {{hex:..}} and {{rep:N:text}} stand for in
// their place. An unknown one stays, for no test to miss it.
func expand(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		inner, after, _ := strings.Cut(rest, "}}")
		word, argument, _ := strings.Cut(inner, ":")
		switch word {
		case "pub":
			b.WriteString(attackKeys()[argument].text())
		case "hex":
			octets, _ := hex.DecodeString(argument)
			b.Write(octets)
		case "rep":
			count, text, _ := strings.Cut(argument, ":")
			n, _ := strconv.Atoi(count)
			b.WriteString(strings.Repeat(text, n))
		default:
			b.WriteString("{{" + inner + "}}")
		}
		s = after
	}
}

// envelope returns the SMTP session of a case.
func (a *attack) envelope(t *testing.T) dmarc.Envelope {
	t.Helper()
	ip, err := netip.ParseAddr(a.Connection.IP)
	if err != nil {
		t.Fatal(err)
	}
	return dmarc.Envelope{IP: ip, HELO: expand(a.Connection.HELO), MailFrom: expand(a.Connection.MailFrom)}
}

// messages makes the message of a case, or all variants of it.
func (a *attack) messages(t *testing.T, corpus *attackCorpus) []string {
	t.Helper()
	m := &a.Message
	if m.Generator != "" {
		generate, ok := attackGenerators()[a.ID]
		if !ok {
			t.Fatalf("nothing generates: %s", m.Generator)
		}
		return generate(t, corpus, m)
	}
	message := expand(m.Raw)
	if m.Raw == "" {
		message = corpus.message(m, m.Fields...)
	}
	for _, step := range m.Steps {
		switch {
		case step.Sign != nil:
			step.Sign.expand()
			message = step.Sign.sign(t, message)
		case step.Prepend != nil:
			message = expand(*step.Prepend) + "\r\n" + message
		case step.AppendField != nil:
			message = strings.Replace(message, "\r\n\r\n", "\r\n"+expand(*step.AppendField)+"\r\n\r\n", 1)
		case step.AppendBody != nil:
			message += expand(*step.AppendBody)
		default:
			old, instead := expand(step.Replace[0]), expand(step.Replace[1])
			if strings.Count(message, old) != 1 {
				t.Fatalf("%q stands %d times in the message, want 1", old, strings.Count(message, old))
			}
			message = strings.Replace(message, old, instead, 1)
		}
	}
	return []string{message}
}

// message joins fields, those that every message has, and the body.
func (c *attackCorpus) message(m *attackMessage, fields ...string) string {
	var b strings.Builder
	for _, field := range fields {
		b.WriteString(expand(field) + "\r\n")
	}
	if m.Std == nil || *m.Std {
		b.WriteString(strings.Join(c.Meta.StdFields, "\r\n") + "\r\n")
	}
	body := c.Meta.StdBody
	if m.Body != nil {
		body = expand(*m.Body)
	}
	return b.String() + "\r\n" + body
}
