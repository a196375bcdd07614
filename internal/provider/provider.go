// Package provider knows the companies that send mail for others: how their mail is recognised,
// what it looks like where a domain has not been set up with them, and what to publish then.
//
// The facts are a table in providers.json. Each row has its sources and the day on which it was
// looked up; a fact that is not sure is not in it. What only the provider knows, such as a
// token, stands in the records between "<" and ">".
package provider

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/mailverdict/mailverdict/internal/domain"
)

// A Provider is a company that sends mail for others. Lists of domains mean these names and all
// below them.
type Provider struct {
	ID      string `json:"id"`      // stable, kebab-case: "amazon-ses"
	Name    string `json:"name"`    // "Amazon SES"
	Console string `json:"console"` // where its customers set things up

	// How its mail looks where the customer's domain is not set up.
	MailFrom     []string `json:"mail_from"`     // domains of the return address
	Signs        []string `json:"signs"`         // d= of its own signatures
	RewritesFrom []string `json:"rewrites_from"` // what it writes into From then

	Include   []string `json:"include"`   // what SPF records include for it, exactly
	Hosts     []string `json:"hosts"`     // names of its servers
	Selectors []string `json:"selectors"` // of customers' signatures; "*" at the end is any text
	CNAME     []string `json:"cname"`     // where customers' CNAME records lead

	Fixes []Fix `json:"fixes"`

	Source   string `json:"source"`
	LookedUp string `json:"looked_up"` // 2006-01-02
}

// A Fix is a step of setting up a customer's domain.
type Fix struct {
	Kind    Kind     `json:"kind"`
	Text    string   `json:"text"` // plain sentences
	Records []Record `json:"records"`
	Note    string   `json:"note"` // a further plain sentence or two
}

// Kind says what a fix sets up.
type Kind string

const (
	KindDKIM    Kind = "dkim"    // signatures in the customer's name
	KindSPF     Kind = "spf"     // a return address in the customer's domain
	KindBoth    Kind = "both"    // both in one go
	KindInclude Kind = "include" // Value of its one record is a term for the customer's SPF record
)

// String returns the word.
func (k Kind) String() string { return string(k) }

// A Record is a DNS record to publish.
type Record struct {
	Host  string `json:"host"` // below the customer's domain, or "@" for it
	Type  string `json:"type"`
	Value string `json:"value"`
}

//go:embed providers.json
var table []byte

var parsed = sync.OnceValue(func() (list []Provider) {
	if json.Unmarshal(table, &list) != nil {
		return nil // a test reads the table
	}
	return list
})

// All returns the table. It is shared: nothing in it may be changed.
func All() []Provider { return parsed() }

// find returns the first provider for which ok holds, or nil.
func find(ok func(p *Provider) bool) *Provider {
	list := parsed()
	for i := range list {
		if ok(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

func below(name string, domains []string) bool {
	name = domain.ToLower(strings.TrimSuffix(name, "."))
	return slices.ContainsFunc(domains, func(d string) bool { return domain.Within(name, d) })
}

// OfDomain returns the provider whose own domain is in MAIL FROM or d=, or nil.
func OfDomain(name string) *Provider {
	return find(func(p *Provider) bool { return below(name, p.MailFrom) || below(name, p.Signs) })
}

// OfFrom returns the provider that has written its own domain into From, or nil.
func OfFrom(name string) *Provider {
	return find(func(p *Provider) bool { return below(name, p.RewritesFrom) })
}

// OfHost returns the provider whose server has that name, or nil. Anybody can give a server any
// name: whoever asks has to know that the name is true.
func OfHost(name string) *Provider {
	return find(func(p *Provider) bool { return below(name, p.Hosts) })
}

// OfInclude returns the provider that an SPF record includes by that name, or nil.
func OfInclude(name string) *Provider {
	name = domain.ToLower(strings.TrimSuffix(name, "."))
	return find(func(p *Provider) bool { return slices.Contains(p.Include, name) })
}

// OfCNAME returns the provider that a CNAME record leads to, or nil.
func OfCNAME(target string) *Provider {
	return find(func(p *Provider) bool { return below(target, p.CNAME) })
}

// OfSelector returns the provider whose customers have keys with that selector, or nil.
func OfSelector(selector string) *Provider {
	selector = domain.ToLower(selector)
	return find(func(p *Provider) bool {
		return slices.ContainsFunc(p.Selectors, func(s string) bool {
			stem, any := strings.CutSuffix(s, "*")
			return s == selector || any && strings.HasPrefix(selector, stem) && len(selector) > len(stem)
		})
	})
}

// For returns the fix for a domain, with its name put in.
func (f Fix) For(name string) Fix {
	fill := strings.NewReplacer("{domain}", name, "{dashes}", strings.ReplaceAll(name, ".", "-")).Replace
	f.Text, f.Note = fill(f.Text), fill(f.Note)
	records := make([]Record, len(f.Records))
	for i, r := range f.Records {
		records[i] = Record{fill(r.Host), r.Type, fill(r.Value)}
	}
	f.Records = records
	return f
}

// Placeholders returns the parts of text that only the provider knows, "<" and ">" included,
// each once.
func Placeholders(text string) []string {
	var list []string
	for {
		begin := strings.IndexByte(text, '<')
		if begin < 0 {
			return list
		}
		end := strings.IndexByte(text[begin:], '>')
		if end < 0 {
			return list
		}
		if mark := text[begin : begin+end+1]; !slices.Contains(list, mark) {
			list = append(list, mark)
		}
		text = text[begin+end+1:]
	}
}
