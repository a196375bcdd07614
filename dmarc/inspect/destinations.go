package inspect

import (
	"errors"
	"strings"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/inspect/published"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/feedback"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// This file looks at the addresses that reports go to.

// The statuses of a Destination.
const (
	destinationOK           = "ok"
	destinationMalformed    = "malformed"
	destinationUnauthorized = "unauthorized"
	destinationNoMX         = "no-mx"
	destinationUnknown      = "unknown"
)

// maxDestinations is how many addresses of a tag are looked at: as many as are used.
const maxDestinations = 10

// destinations looks at the addresses of rua and ruf.
func (in *inspection) destinations(q *discovery.Query) {
	for _, list := range []struct {
		tag  string
		uris []record.URI
	}{{"rua", q.Record.AggregateReports}, {"ruf", q.Record.FailureReports}} {
		for _, uri := range list.uris[:min(len(list.uris), maxDestinations)] {
			d := in.destination(q, list.tag, uri)
			in.report.DMARC.Destinations = append(in.report.DMARC.Destinations, d)
		}
	}
}

func (in *inspection) destination(q *discovery.Query, tag string, uri record.URI) published.Destination {
	d := published.Destination{Tag: tag, Address: uri.Address, Status: destinationOK}
	if uri.Err != nil {
		d.Address, d.Status = uri.Text, destinationMalformed
		in.found.add("dmarc-rua-malformed", "An address for reports ("+tag+") of "+visible.Domain(q.Domain)+" cannot be used: "+uri.Err.Error()+".",
			uri.Text, in.mendedDestinations(q))
		return d
	}
	host, err := domain.CanonicalMail(uri.Address[strings.LastIndexByte(uri.Address, '@')+1:])
	if err != nil {
		d.Status = destinationMalformed
		return d
	}
	list := alignment.PublicSuffix{}
	d.External = list.Of(host).Organizational != list.Of(q.Domain).Organizational
	// The record of a domain is asked for once; what confirms is a matter of the network.
	switch _, err := feedback.Confirm(in.dns.ctx, in.dns.resolver, q.Domain, uri.Address); {
	case errors.Is(err, feedback.ErrUnconfirmed):
		d.Status = destinationUnknown
		in.dns.failed(question(reportName(q.Domain, host), resolver.TypeTXT), err, true)
		return d
	case err != nil:
		d.Status = destinationUnauthorized
		in.unauthorized(q, d, host)
		return d
	}
	takes, err := in.takesMail(host)
	switch {
	case err != nil:
		d.Status = destinationUnknown
	case !takes:
		d.Status = destinationNoMX
		in.found.add("dmarc-rua-no-mx", "Reports ("+tag+") go to "+visible.Line(uri.Address)+", and "+host+" takes no mail.", uri.Text,
			Fix{Text: "Name an address in the DMARC record of " + visible.Domain(q.Domain) + " that exists, or publish an MX record for " + host + "."})
	}
	return d
}

// mendedDestinations is the record with addresses that can be used. Where none of rua is one, and nobody
// can tell what was meant, one is put there: without rua the owner would hear nothing.
func (in *inspection) mendedDestinations(q *discovery.Query) Fix {
	f := remedy.DMARC(q.Domain, q.Text)
	if len(f.Changes) == 0 || !q.Record.Stated("rua") || strings.Contains(domain.ToLower(f.Changes[0].Value), "rua=") {
		return f
	}
	at := visible.Domain(q.Domain)
	f.Changes = []Change{remedy.Replace("_dmarc."+at, withTags(q.Record, "rua", in.reportURI(at)), q.Text)}
	f.Note = "Put the address there at which you want the reports."
	return f
}

// reportName is where a domain agrees to get reports about another: RFC 9990, section 4.
func reportName(about, host string) string { return about + "._report._dmarc." + host }

func (in *inspection) unauthorized(q *discovery.Query, d published.Destination, host string) {
	name := reportName(visible.Domain(q.Domain), host)
	in.found.add("dmarc-rua-unauthorized",
		"Reports ("+d.Tag+") about "+visible.Domain(q.Domain)+" are to go to "+visible.Line(d.Address)+", and "+host+" has not agreed. They are not sent.",
		name+": no record", Fix{
			Text:    "Ask whoever runs " + host + " to publish this record, or name an address of yours.",
			Changes: []Change{remedy.New(remedy.ActionAdd, name, "TXT", "v=DMARC1")},
		})
}

// takesMail reports whether a host has mail servers: RFC 5321, section 5.1; RFC 7505.
func (in *inspection) takesMail(host string) (bool, error) {
	answer, err := in.dns.get(question(host, resolver.TypeMX), false)
	if err != nil {
		return false, err
	}
	for _, mx := range answer.MX {
		if mx.Host != "" && mx.Host != "." {
			return true, nil
		}
	}
	if len(answer.MX) > 0 {
		return false, nil
	}
	for _, kind := range []resolver.Type{resolver.TypeA, resolver.TypeAAAA} {
		if answer, err := in.dns.get(question(host, kind), false); err != nil || len(answer.Addrs) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}
