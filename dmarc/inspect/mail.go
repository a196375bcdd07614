package inspect

import (
	"cmp"
	"errors"
	"net/netip"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/reverse"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// This file is on where mail for the domain goes, and on domains without mail.

// exchangers finds the MX records.
func (in *inspection) exchangers() {
	answer, err := in.dns.get(question(in.name, resolver.TypeMX), false)
	in.mxKnown = err == nil
	in.report.Mail = &published.Mail{Unknown: err != nil}
	for _, mx := range answer.MX {
		if mx.Host == "" || mx.Host == "." {
			in.report.Mail.NullMX = true
			continue
		}
		in.mx = append(in.mx, mx)
	}
	in.report.Mail.MX = in.mx
}

// withoutMail reports whether the domain takes no mail by a name of its own.
func (in *inspection) withoutMail() bool { return in.mxKnown && len(in.mx) == 0 }

// maxServers is how many mail servers are looked at.
const maxServers = 5

// mail looks at the mail servers, and at what is published beside.
func (in *inspection) mail() {
	m := in.report.Mail
	if m.NullMX && len(in.mx) > 0 {
		in.found.add("mail-null-mx", in.name+" has a null MX, which says that it takes no mail, beside other MX records.", "0 .", Fix{
			Text:    "Delete the null MX record of " + in.name + ", or all others.",
			Changes: []Change{remedy.New(remedy.ActionDelete, in.name, "MX", "0 .")},
		})
	}
	var ahead []resolver.Question
	servers := in.mx[:min(len(in.mx), maxServers)]
	for _, mx := range servers {
		ahead = append(ahead, question(mx.Host, resolver.TypeA), question(mx.Host, resolver.TypeAAAA), question(mx.Host, resolver.TypeTXT))
	}
	in.dns.ahead(ahead...)
	var bare []string
	for _, mx := range servers {
		if host := mx.Host; in.server(host) && in.owns(host) && host != in.name {
			if texts, err := in.dns.txt(host, false); err == nil && len(remedy.SPFRecords(texts)) == 0 {
				bare = append(bare, host)
			}
		}
	}
	in.helo(bare)
	in.beside(m)
}

// owns reports whether a name belongs to the organization of the domain, as far as names tell.
func (in *inspection) owns(name string) bool {
	return domain.Within(name, cmp.Or(in.report.Organizational, in.name))
}

// server looks at the addresses of a mail server. It returns whether it has some.
func (in *inspection) server(host string) bool {
	ipv4, err4 := in.dns.get(question(host, resolver.TypeA), false)
	ipv6, err6 := in.dns.get(question(host, resolver.TypeAAAA), false)
	addrs := append(append([]netip.Addr(nil), ipv4.Addrs...), ipv6.Addrs...)
	if err4 != nil || err6 != nil {
		return false
	}
	if len(addrs) == 0 {
		f := Fix{Text: "Delete the MX record that names " + visible.Line(host) + ", or correct the name."}
		if in.owns(host) {
			f.Text = "Publish an address (A or AAAA record) for " + visible.Line(host) + ", or delete the MX record that names it."
		}
		in.found.add("mail-mx-no-address", "The mail server "+visible.Line(host)+" has no address. Mail for "+in.name+" that is sent there is lost or delayed.",
			"MX "+visible.Line(host), f)
		return false
	}
	s := published.Server{Host: host, Addresses: addrs[:min(len(addrs), maxServers)]}
	if in.owns(host) {
		for _, addr := range s.Addresses {
			if state, _ := reverse.Look(in.aside, addr); state == reverse.None || state == reverse.Other {
				s.Unnamed = append(s.Unnamed, addr)
			}
		}
	}
	in.report.Mail.Servers = append(in.report.Mail.Servers, s)
	return true
}

// helo is on mail servers without SPF for the name that they give themselves.
func (in *inspection) helo(hosts []string) {
	if len(hosts) == 0 || in.found.has("spf-missing", "spf-almost") {
		return
	}
	f := Fix{Text: "Publish an SPF record for each name of a mail server of yours. It counts for bounces, which have no sender."}
	for _, host := range hosts {
		f.Changes = append(f.Changes, remedy.New(remedy.ActionAdd, host, "TXT", "v=spf1 a -all"))
	}
	in.found.add("spf-helo", "Mail servers of "+in.name+" have no SPF record for their own names: "+remedy.List(hosts)+".",
		"TXT records of "+strings.Join(hosts, ", ")+": none begins with v=spf1", f)
}

// beside looks at MTA-STS, TLS-RPT and BIMI.
func (in *inspection) beside(m *published.Mail) {
	m.MTASTS = in.one("_mta-sts."+in.name, "v=STSv1", "mta-sts-broken", "MTA-STS", func(tags map[string]string) string {
		if tags["id"] == "" {
			return "it has no id="
		}
		return ""
	})
	m.TLSRPT = in.one("_smtp._tls."+in.name, "v=TLSRPTv1", "tls-rpt-broken", "reports on TLS", func(tags map[string]string) string {
		if !strings.HasPrefix(tags["rua"], "mailto:") && !strings.HasPrefix(tags["rua"], "https:") {
			return "it has no rua= with mailto: or https:"
		}
		return ""
	})
	texts, _ := in.dns.txt("default._bimi."+in.name, false)
	for _, text := range texts {
		if !strings.HasPrefix(text, "v=BIMI1") {
			continue
		}
		m.BIMI = text
		if p := in.policy; p != nil && p.known && !p.enforces() {
			in.found.add("bimi-policy", "There is a BIMI record, and the DMARC policy of "+in.name+" is too weak for it. No logo is shown.", text, Fix{
				Text: "BIMI takes p=quarantine or p=reject, for subdomains too, and no t=y.",
			})
		}
	}
}

// one returns the one record at a name that begins with a version, and says what is wrong with it.
func (in *inspection) one(name, version, id, what string, fault func(tags map[string]string) string) string {
	texts, _ := in.dns.txt(name, false)
	var found []string
	for _, text := range texts {
		if strings.HasPrefix(domain.ToLower(text), domain.ToLower(version)) {
			found = append(found, text)
		}
	}
	if len(found) == 0 {
		return ""
	}
	why := ""
	tags := map[string]string{}
	for tag := range tagvalue.All(found[0]) {
		tags[tag.Name] = tag.Value
	}
	switch {
	case len(found) > 1:
		why = "there are several of them"
	case !strings.HasPrefix(found[0], version):
		why = "it has to begin with " + version
	default:
		why = fault(tags)
	}
	if why != "" {
		in.found.add(id, "The record of "+in.name+" for "+what+" cannot be used: "+why+".", found[0],
			Fix{Text: "Correct the record at " + name + ": " + why + "."})
	}
	return found[0]
}

// parked is on domains without mail: three records say so (RFC 7208, section 10.1.2; RFC 7505; RFC
// 9989).
func (in *inspection) parked() {
	root := in.tree.root
	silent := root.parsed != nil && saysNothing(root.parsed)
	none := errors.Is(root.err, spf.ErrNoRecord) && !in.found.has("spf-almost", "spf-type-99")
	null := in.report.Mail.NullMX && len(in.mx) == 0
	if !in.withoutMail() || !silent && !none || len(in.report.DKIM) > 0 || len(in.report.Providers) > 0 {
		return
	}
	in.report.Parked = silent || null
	f := Fix{Text: "Publish all three records that say so. Then nobody can use the name."}
	if !in.report.Parked {
		f.Text = "If " + in.name + " sends no mail, publish all three records that say so. Then nobody can use the name."
	}
	var lacks []string
	need := func(has bool, what string, changes ...Change) {
		if !has {
			lacks = append(lacks, what)
			f.Changes = append(f.Changes, changes...)
		}
	}
	need(silent, "SPF", remedy.New(remedy.ActionAdd, in.name, "TXT", "v=spf1 -all"))
	need(null, "null MX", remedy.New(remedy.ActionAdd, in.name, "MX", "0 ."))
	if p := in.policy; p != nil && p.known {
		need(p.rejects(), "DMARC with p=reject", in.rejectAll()...)
	}
	if len(lacks) == 0 {
		return
	}
	message := in.name + " says that it has no mail, but not in full. It lacks: " + remedy.List(lacks) + "."
	if !in.report.Parked {
		message = in.name + " has no MX record, and does not say whether it sends mail. It lacks: " + remedy.List(lacks) + "."
	}
	in.found.add("mail-parked", message, strings.Join(lacks, ", "), f)
}

// saysNothing reports whether a record lets nobody send.
func saysNothing(r *spf.Record) bool {
	for i := range r.Terms {
		switch t := &r.Terms[i]; {
		case t.Kind == spf.KindAll:
			return t.Qualifier == spf.StatusFail
		case !t.Kind.IsModifier():
			return false
		}
	}
	return false
}

// rejectAll are the changes after which a domain without mail has a policy of reject.
func (in *inspection) rejectAll() []Change {
	name := "_dmarc." + in.name
	if q := in.policy.own(in.name); q != nil {
		return []Change{remedy.Replace(name, withTags(q.Record, "p", "reject", "sp", "", "np", "", "t", ""), q.Text)}
	}
	return []Change{remedy.New(remedy.ActionAdd, name, "TXT", "v=DMARC1; p=reject")}
}

// rejects reports whether everything below the domain too gets reject.
func (p *policy) rejects() bool {
	r := p.record()
	return r != nil && p.result.Err == nil && r.Policy == record.PolicyReject && r.SubdomainPolicy == record.PolicyReject && !r.Testing
}

// enforces reports whether the policy is quarantine or reject, for subdomains too.
func (p *policy) enforces() bool {
	r := p.record()
	return r != nil && p.result.Err == nil && r.Policy > record.PolicyNone && r.SubdomainPolicy > record.PolicyNone && !r.Testing
}

// providerOfHost returns the provider of a mail server, or nil.
func providerOfHost(host string) *provider.Provider { return provider.OfHost(domain.ToLower(host)) }
