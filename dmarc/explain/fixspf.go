package explain

import (
	"net/netip"

	"github.com/mailverdict/mailverdict/alignment"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/provider"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// fixSPF says how SPF could make the pass, if that is in sight. Wrong is true where the record
// of the sender's own domain is what stands in the way.
func fixSPF(r *dmarc.Result) (list []Fix, wrong bool) {
	if r.SPF == nil || !r.Envelope.IP.IsValid() {
		return nil, false // nobody knows which server is to be allowed
	}
	for _, i := range r.DMARC.Identifiers {
		switch {
		case i.Method != dmarc.MethodSPF:
		case i.Alignment != discovery.Aligned:
			return ownReturnAddress(r, i), false
		case r.SPF.Status == spf.StatusPermError:
			return []Fix{remedy.SPF(r.SPF)}, true
		default:
			if f, ok := remedy.NearlySPF(r.SPF); ok && r.SPF.Status == spf.StatusNone {
				return []Fix{f}, true
			}
			return []Fix{allow(r)}, false
		}
	}
	return nil, false
}

// allow is for a server that the SPF record of the sender's own domain does not list.
func allow(r *dmarc.Result) Fix {
	name, ip := visible.Domain(r.SPF.Domain), client(&r.Envelope)
	term, what := ipTerm(r.Envelope.IP), "If "+ip+" is a server of yours, add it to the SPF record of "+name+"."
	f := Fix{}
	if p := provider.OfHost(r.Envelope.HELO); p != nil {
		if include := includeOf(p); include != "" {
			term, f.Provider = include, p.ID
			what = "If " + p.Name + " sends your mail, let the SPF record of " + name + " allow it."
		}
	}
	f.Text = what
	record, at := r.SPF.Record, visible.Domain(or(r.SPF.RecordDomain, r.SPF.Domain))
	if record == "" {
		f.Changes = []Change{remedy.New(ActionAdd, name, "TXT", "v=spf1 "+term+" ~all")}
		f.Note = "Name your other servers and mail companies before ~all, if there are any."
		return f
	}
	if value := remedy.AddTerm(record, term); value != "" {
		f.Changes = []Change{remedy.Replace(at, value, record)}
	}
	return f
}

// includeOf returns the term that allows a provider, or "".
func includeOf(p *provider.Provider) string {
	for _, fix := range p.Fixes {
		if fix.Kind == provider.KindInclude && len(fix.Records) == 1 {
			return fix.Records[0].Value
		}
	}
	return ""
}

func ipTerm(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return "ip4:" + ip.String()
	}
	return "ip6:" + ip.String()
}

// ownReturnAddress is for a return address of somebody else, such as a provider's.
func ownReturnAddress(r *dmarc.Result, i dmarc.Identifier) []Fix {
	name := visible.Domain(r.DMARC.AuthorDomain)
	if domain.Check(name) != nil {
		return nil
	}
	server := "v=spf1 " + ipTerm(r.Envelope.IP) + " ~all"
	if i.Mode == alignment.Strict {
		return []Fix{{
			Text: "Let bounces go to an address at " + name + " itself, and allow the server there (SPF).",
			Note: "Its DMARC record lets only the exact name count (aspf=s).",
		}}
	}
	org := organizationOf(&r.DMARC)
	return []Fix{{
		Text:    "Let bounces go to an address below " + org + ", such as bounce." + org + ", and allow the server there (SPF).",
		Changes: []Change{remedy.New(ActionAdd, "bounce."+org, "TXT", server)},
		Note:    "The program or company that sends the mail has to use that address.",
	}}
}
