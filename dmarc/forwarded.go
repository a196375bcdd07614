package dmarc

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/indirect"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// maxRecent is how old a signature may be whose body was changed, to show more than that
// somebody has an old message of its signer. Mail is retried for five days (RFC 5321, section
// 4.5.4.1).
const maxRecent = 5 * 24 * time.Hour

// wayFacts are what the header says of the way that a message came.
type wayFacts struct {
	list    string // value of List-Id, or else of List-Post
	resent  bool
	subject string // read if a signature has a copy of it
}

// readWay reads the facts from a header. A header without them costs no memory.
func readWay(h *header.Header, signatures *dkim.Attached) (w wayFacts) {
	subject := -1
	for i := range h.Fields {
		f := &h.Fields[i]
		switch string(f.LowerName()) {
		case "list-id":
			w.list = header.Unfold(f.Body())
		case "list-post":
			if w.list == "" {
				w.list = header.Unfold(f.Body())
			}
		case "resent-from", "resent-sender", "resent-date":
			w.resent = true
		case "subject":
			subject = i
		}
	}
	for signature := range signatures.Signatures {
		if signature.CopiedHeader != "" && subject >= 0 && w.subject == "" {
			w.subject = tagvalue.Trim(header.Unfold(h.Fields[subject].Body()))
		}
	}
	return w
}

// evidence lists what shows that a message came by way of a forwarder or list. It is empty for a
// message that passes, or that no policy applies to.
func (w *work) evidence(r *Result, d *discovery.Result, ids []Identifier) []indirect.Evidence {
	if d.Err != nil {
		return nil
	}
	for n := range ids {
		if ids[n].counts() {
			return nil
		}
	}
	var list []indirect.Evidence
	add := func(kind indirect.Kind, strong bool, detail string) {
		list = append(list, indirect.Evidence{Kind: kind, Strong: strong, Detail: visible.ASCII(cut(detail))})
	}
	if comment, ok := w.options.sealers.vouch(r.ARC, d); ok {
		add(indirect.KindTrustedSealer, true, comment)
	} else if r.ARC != nil && r.ARC.Status == arc.StatusPass && !w.options.sealers.trustAny(r.ARC) {
		add(indirect.KindUntrustedSealer, false, strings.Join(r.ARC.Sealers(), ", "))
	}
	for _, i := range ids {
		if i.Method == MethodDKIM && i.Alignment == discovery.Aligned && onlyBodyChanged(r.DKIM[i.Signature]) {
			add(indirect.KindBodyChanged, isRecent(r.DKIM[i.Signature], r.Time), i.Domain)
		}
	}
	if name, ok := w.options.forwarders.of(r.Envelope.IP, ids); ok {
		add(indirect.KindKnownForwarder, true, name)
	}
	if name := rewrittenSender(r); name != "" {
		add(indirect.KindRewrittenSender, false, name)
	}
	if w.way.list != "" {
		add(indirect.KindList, false, tagvalue.Trim(w.way.list))
	}
	if w.way.resent {
		add(indirect.KindResent, false, "")
	}
	if prefix := w.way.subjectPrefix(r.DKIM); prefix != "" {
		add(indirect.KindSubjectPrefix, false, prefix)
	}
	return list
}

// cut returns the beginning of a text that a stranger wrote.
func cut(text string) string { return text[:min(len(text), 200)] }

// onlyBodyChanged reports whether a signature is good but for the body.
func onlyBodyChanged(r *dkim.Result) bool {
	return r != nil && r.HeaderVerified && errors.Is(r.Err, dkim.ErrBodyHashMismatch)
}

// isRecent reports whether a message may still be on its way since it was signed.
func isRecent(r *dkim.Result, now time.Time) bool {
	return r.Signature != nil && !r.Signature.Time.IsZero() && now.Sub(r.Signature.Time) < maxRecent
}

// rewrittenSender returns the domain of a MAIL FROM that a forwarder rewrote and for which SPF
// passes, or "": the Sender Rewriting Scheme, SRS0 and SRS1.
func rewrittenSender(r *Result) string {
	local := domain.ToLower(r.Envelope.MailFrom)
	if r.SPF == nil || r.SPF.Status != spf.StatusPass || len(local) < len("srs0=") {
		return ""
	}
	if scheme := local[:4]; scheme != "srs0" && scheme != "srs1" || strings.IndexByte("=+-", local[4]) < 0 {
		return ""
	}
	return r.SPF.Domain
}

// subjectPrefix returns what was put before the Subject that a signature has a copy of, or "".
func (w *wayFacts) subjectPrefix(results []*dkim.Result) string {
	for _, r := range results {
		if w.subject == "" || r == nil || r.Signature == nil {
			continue
		}
		for _, field := range strings.Split(r.Signature.CopiedHeader, "|") {
			name, value, _ := strings.Cut(tagvalue.Trim(field), ":")
			original := tagvalue.Trim(tagvalue.DecodeQuotedPrintable(tagvalue.RemoveSpace(value)))
			prefix, ok := strings.CutSuffix(w.subject, original)
			if tagvalue.EqualFold(tagvalue.Trim(name), "subject") && ok && original != "" && prefix != "" {
				return tagvalue.Trim(prefix)
			}
		}
	}
	return ""
}

// A nameList is names that a receiver lists: each stands for itself, or, with a dot before it,
// for all names below it.
type nameList []string

// has reports whether a name, in canonical form, is listed.
func (l nameList) has(name string) bool {
	return slices.ContainsFunc(l, func(listed string) bool {
		below, ok := strings.CutPrefix(listed, ".")
		return ok && name != below && domain.Within(name, below) || name == listed
	})
}

// canonicalName returns a listed name in canonical form, the dot before it kept. What is no
// name is never found.
func canonicalName(listed string) string {
	rest, below := strings.CutPrefix(strings.TrimSpace(listed), ".")
	name, err := domain.Canonical(rest)
	switch {
	case err != nil:
		return ""
	case below:
		return "." + name
	}
	return name
}

// knownForwarders are what Verifier.KnownForwarders lists.
type knownForwarders struct {
	networks []netip.Prefix
	names    nameList
}

func parseForwarders(listed []string) (k knownForwarders) {
	for _, text := range listed {
		if network, err := netip.ParsePrefix(text); err == nil {
			k.networks = append(k.networks, network.Masked())
		} else if address, err := netip.ParseAddr(text); err == nil {
			k.networks = append(k.networks, netip.PrefixFrom(address, address.BitLen()))
		} else if name := canonicalName(text); name != "" {
			k.names = append(k.names, name)
		}
	}
	return k
}

// of returns the address of the client or the authenticated domain that is listed.
func (k *knownForwarders) of(client netip.Addr, ids []Identifier) (string, bool) {
	client = client.Unmap()
	for _, network := range k.networks {
		if network.Contains(client) {
			return client.String(), true
		}
	}
	for _, i := range ids {
		if i.Authenticated && k.names.has(i.Domain) {
			return i.Domain, true
		}
	}
	return "", false
}
