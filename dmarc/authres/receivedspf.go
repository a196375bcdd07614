package authres

import (
	"net/netip"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/spf"
)

// ReceivedSPF returns the Received-SPF field (RFC 7208, section 9.1) for the result for MAIL
// FROM, its name included, folded as Format does it, for programs that read no
// Authentication-Results. It is empty where SPF was not checked. The id is the name of the
// receiving host.
//
//	Received-SPF: pass (example.com allows 192.0.2.1) client-ip=192.0.2.1;
//		envelope-from="joe@example.com"; helo=mail.example.com; identity=mailfrom;
//		receiver=mx.example.net
//
// What Format says of hostile values holds here too: an envelope-from or helo that does not
// follow a narrow grammar is left out, as is the term that matched, which is text from DNS.
func ReceivedSPF(id string, r *dmarc.Result) string {
	s := r.SPF
	if s == nil {
		return ""
	}
	first := []string{s.Status.String()}
	if name := checkedDomain(s); name != "" {
		first = append(first, comment(spfComment(s.Status, name, r.Envelope.IP)))
	}
	var pairs [][]string
	add := func(key, value string) {
		if value != "" {
			pairs = append(pairs, []string{key + "=" + value})
		}
	}
	if r.Envelope.IP.IsValid() {
		add("client-ip", quoted(r.Envelope.IP.Unmap().WithZone("").String()))
	}
	add("envelope-from", quoted(safeAddress(r.Envelope.MailFrom)))
	add("helo", safeDomain(r.Envelope.HELO))
	add("identity", s.Identity.String())
	add("receiver", authservID(id))
	pairs[0] = append(first, pairs[0]...)
	return fold("Received-SPF:", pairs, false)
}

// spfComment says what a result means, without anything that DNS or the client wrote but
// the domain.
func spfComment(status spf.Status, name string, ip netip.Addr) string {
	client := "this host"
	if ip.IsValid() {
		client = ip.Unmap().WithZone("").String()
	}
	switch status {
	case spf.StatusPass:
		return name + " allows " + client
	case spf.StatusFail:
		return name + " does not allow " + client
	case spf.StatusSoftFail:
		return name + " probably does not allow " + client
	case spf.StatusNeutral:
		return name + " says nothing of " + client
	case spf.StatusNone:
		return name + " has no SPF record"
	case spf.StatusTempError:
		return "DNS of " + name + " gave no answer"
	}
	return "the SPF record of " + name + " is broken"
}

// quoted returns text in quotes where it needs them. It has no quotes and backslashes.
func quoted(text string) string {
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && c != '-' && c != '.' {
			return `"` + text + `"`
		}
	}
	return text
}
