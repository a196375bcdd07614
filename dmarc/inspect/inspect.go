// Package inspect says what a domain publishes about its mail (SPF, DKIM keys, DMARC, MX, and what
// stands beside them), what is wrong with it, and what to publish instead.
//
// The zero Inspector is ready, and asks the system's DNS servers:
//
//	var inspector inspect.Inspector
//
//	report := inspector.Inspect(ctx, "example.com")
//	for _, f := range report.Findings {
//		fmt.Println(f.Severity, f.ID, f.Message)
//		if f.Publish != nil {
//			fmt.Println(f.Publish.Name, f.Publish.Type, f.Publish.Value)
//		}
//	}
//
// The records are read by the parsers that check messages, and what is to be published in place of
// a wrong one is what package explain says too. [Rules] lists all that is looked for. A domain with
// nothing wrong has no finding.
//
// A [Report] is plain data that marshals to JSON. [Report.Text] and [Report.HTML] lay it out. What the
// domain publishes stands in it as the types of package published. Package bulk has the rules of large
// receivers for messages.
//
// # DNS
//
// The questions for one domain are bounded (Options). A failure of DNS is never taken for absence:
// what was not answered is listed in Report.Unanswered, with a finding, and nothing is said of what
// depends on it.
package inspect

import (
	"context"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// The defaults of Options.
const (
	DefaultQuestions = 300
	DefaultTime      = 30 * time.Second
)

// Options say what is inspected, and what that may cost.
type Options struct {
	// Selectors are those whose DKIM keys are looked at. Some that companies use are tried
	// besides; that those have no key is nothing wrong.
	Selectors []string

	// Senders are domains by which mail of the domain is seen to be sent: those of d= and MAIL
	// FROM. They give away companies that its records do not.
	Senders []string

	// Questions is how many DNS questions one domain may take; two thirds of them at most are
	// for SPF. Those beyond it are left without an answer. Zero means DefaultQuestions, a
	// negative number no limit.
	Questions int

	// Time is how long questions may be under way, in all. Zero means DefaultTime, a negative
	// number no limit.
	Time time.Duration
}

// An Inspector inspects domains. The zero Inspector is ready. It is safe for concurrent use, and
// must not be changed meanwhile.
type Inspector struct {
	// Resolver answers all DNS questions. Nil means resolver.Default.
	Resolver resolver.Resolver

	Options
}

// An inspection is a domain under inspection.
type inspection struct {
	dns     *asker
	name    string
	options *Options
	report  *Report
	found   findings

	tree    *spfTree
	checked *spf.Result // of a client that SPF does not list
	mx      []resolver.MX
	mxKnown bool
	policy  *policy

	providers map[string][]string // what gave each away
}

// Inspect inspects a domain. It never fails: what is no domain name, and what DNS did not answer,
// is a finding.
func (i *Inspector) Inspect(ctx context.Context, name string) *Report {
	r := &Report{Domain: name, Findings: []Finding{}, DKIM: []published.Key{}, Providers: []string{}}
	canonical, err := domain.CanonicalMail(name)
	in := &inspection{name: canonical, options: &i.Options, report: r, providers: map[string][]string{}}
	if err != nil {
		in.found.add("domain-missing", visible.Line(name)+" is not a domain name: "+err.Error()+".", "", Fix{Text: "Write the domain alone, such as example.com."})
		r.Findings = in.found.sorted(false)
		return r
	}
	r.Domain = canonical
	in.dns = newAsker(ctx, i.Resolver, &i.Options)
	in.run()
	r.Unanswered = in.dns.log.list
	r.Findings = in.found.sorted(r.Open())
	r.Questions = in.dns.budget.Asked()
	return r
}

// run makes the report.
func (in *inspection) run() {
	in.dns.ahead(in.first()...)
	in.findPolicy()
	if in.dns.missing(in.name) {
		in.found.add("domain-missing", in.name+" does not exist in DNS.", in.name+": NXDOMAIN", Fix{
			Text: "Check how the name is written. If it is right, see that the domain is registered, and that its name servers answer.",
		})
		in.dmarcInherited() // there may be a policy for it all the same
		in.open()
		return
	}
	in.exchangers()
	in.readSPF()
	in.recognise()
	in.spf()
	in.dmarc()
	in.dkim()
	in.mail()
	in.parked()
	in.setups()
	in.aliases()
	in.open()
}

// first are the questions that every inspection asks: they go out together.
func (in *inspection) first() []resolver.Question {
	list := questions(resolver.TypeTXT, in.name, "_dmarc."+in.name, "_dmarc._dmarc."+in.name, "dmarc."+in.name,
		"_mta-sts."+in.name, "_smtp._tls."+in.name, "default._bimi."+in.name,
		probe+"."+in.name, "_dmarc."+probe+"."+in.name, probe+"._domainkey."+in.name)
	list = append(list, question(in.name, resolver.TypeMX))
	list = append(list, keyQuestions(in.selectors())...)
	return append(list, in.aliasQuestions()...)
}

// recognised notes that a record gives a provider away.
func (in *inspection) recognised(p *provider.Provider, sign string) {
	if p != nil && !slices.Contains(in.providers[p.ID], sign) {
		in.providers[p.ID] = append(in.providers[p.ID], sign)
	}
}
