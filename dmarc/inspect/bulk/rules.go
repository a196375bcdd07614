package bulk

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dkim/arc"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/remedy"
	"github.com/mailverdict/mailverdict/internal/reverse"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/spf"
)

// messageFacts are what the rules depend on.
type messageFacts struct {
	result *dmarc.Result
	header header.Header

	client  bool // its address is known
	reverse reverse.State
	names   []string // of the client
}

func readFacts(m Message) *messageFacts {
	raw := m.Header
	if first := bytes.IndexByte(raw, '\n'); first == 0 || first > 0 && raw[first-1] != '\r' {
		raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	}
	return &messageFacts{result: m.Result, header: header.Parse(raw)}
}

// fields returns the bodies of the fields of a name, unfolded.
func (f *messageFacts) fields(name string) []string {
	var list []string
	for _, field := range f.header.Fields {
		if field.Is(name) {
			list = append(list, strings.TrimSpace(header.Unfold(field.Body())))
		}
	}
	return list
}

func (f *messageFacts) spf() spf.Status {
	if f.result.SPF == nil {
		return spf.StatusNone
	}
	return f.result.SPF.Status
}

// signature returns whether a signature passes, or DNS left that open.
func (f *messageFacts) signature() (passes, open bool) {
	for _, d := range f.result.DKIM {
		passes = passes || d.Status == dkim.StatusPass
		open = open || d.Status == dkim.StatusTempError
	}
	return passes, open
}

// rules are how the rules are checked. A rule that does not apply to the message has no status.
var rules = map[string]func(f *messageFacts) (Status, string){
	"spf-or-dkim":           checkEither,
	"spf-and-dkim":          checkBoth,
	"dmarc-record":          checkRecord,
	"dmarc-published":       checkRecord,
	"dmarc-pass":            checkPass,
	"aligned":               checkAligned,
	"reverse-dns":           checkReverse,
	"message-format":        checkFormat,
	"not-from-gmail":        checkGmail,
	"one-click-unsubscribe": checkOneClick,
	"forwarder-arc":         func(f *messageFacts) (Status, string) { return checkForwarder(f, false) },
	"forwarder-marks":       func(f *messageFacts) (Status, string) { return checkForwarder(f, true) },
	"tls":                   unseen("Whether the message was sent over TLS cannot be seen from here."),
	"spam-rate":             unseen("How many recipients complain cannot be seen from here."),
	"unsubscribe-link":      unseen("Whether the text has a link to unsubscribe, and whether it works, cannot be seen from here."),
	"unsubscribe-speed":     unseen("How soon somebody who unsubscribes is left alone cannot be seen from here."),
}

func unseen(message string) func(*messageFacts) (Status, string) {
	return func(*messageFacts) (Status, string) { return Unknown, message }
}

func checkEither(f *messageFacts) (Status, string) {
	signed, open := f.signature()
	switch spfStatus := f.spf(); {
	case spfStatus == spf.StatusPass:
		return Met, "SPF passes."
	case signed:
		return Met, "A DKIM signature passes."
	case open || spfStatus == spf.StatusTempError:
		return Unknown, "DNS did not say whether SPF or DKIM passes."
	case f.noSession():
		return Unknown, "No signature passes, and without the client's address SPF cannot be checked."
	}
	return NotMet, "Neither SPF nor a DKIM signature passes."
}

// noSession reports whether SPF could not be checked since the session is not known.
func (f *messageFacts) noSession() bool {
	return f.result.SPF == nil || errors.Is(f.result.SPF.Err, spf.ErrNoAddress) || errors.Is(f.result.SPF.Err, spf.ErrNoMailFrom)
}

func checkBoth(f *messageFacts) (Status, string) {
	signed, open := f.signature()
	spfStatus := f.spf()
	switch {
	case spfStatus == spf.StatusPass && signed:
		return Met, "SPF and a DKIM signature pass."
	case !signed && !open:
		if spfStatus == spf.StatusPass {
			return NotMet, "SPF passes, and no DKIM signature does."
		}
		return NotMet, "No DKIM signature passes."
	case f.noSession():
		return Unknown, "Without the client's address and MAIL FROM, SPF cannot be checked."
	case open && spfStatus != spf.StatusPass && spfStatus != spf.StatusTempError, signed && spfStatus != spf.StatusTempError:
		return NotMet, "SPF does not pass: " + spfStatus.String() + "."
	}
	return Unknown, "DNS did not say whether SPF and DKIM pass."
}

func checkRecord(f *messageFacts) (Status, string) {
	v := &f.result.DMARC
	switch {
	case v.AuthorDomain == "":
		return NotMet, "The message has no single domain in From, so that no record can be looked for."
	case v.Discovery == nil || errors.Is(v.Err, dmarc.ErrPolicyUnknown):
		return Unknown, "DNS did not say whether there is a DMARC record for " + visible.Domain(v.AuthorDomain) + "."
	case v.Record == "" || v.Policy.String() == "":
		return NotMet, "There is no DMARC record with a policy for " + visible.Domain(v.AuthorDomain) + "."
	case v.PolicyAssumed:
		return NotMet, "The DMARC record of " + visible.Domain(v.PolicyDomain) + " states no valid policy."
	}
	return Met, "The DMARC record of " + visible.Domain(v.PolicyDomain) + " says " + v.PolicyTag + "=" + v.Policy.String() + "."
}

func checkPass(f *messageFacts) (Status, string) {
	switch f.result.DMARC.Status {
	case dmarc.StatusPass:
		return Met, "DMARC passes."
	case dmarc.StatusTempError:
		return Unknown, "DNS did not say whether DMARC passes."
	}
	return NotMet, "DMARC does not pass: " + f.result.DMARC.Status.String() + "."
}

func checkAligned(f *messageFacts) (Status, string) {
	v := &f.result.DMARC
	name := visible.Domain(v.AuthorDomain)
	switch {
	case v.SPFAligned && v.DKIMAligned:
		return Met, "SPF and a DKIM signature pass for " + name + ", the domain in From."
	case v.SPFAligned:
		return Met, "SPF passes for " + name + ", the domain in From. A signature would be better still: SPF is lost when mail is forwarded."
	case v.DKIMAligned:
		return Met, "A DKIM signature passes for " + name + ", the domain in From."
	case v.Status == dmarc.StatusTempError:
		return Unknown, "DNS did not say whether something passes for the domain in From."
	case v.AuthorDomain == "":
		return NotMet, "The message has no single domain in From."
	}
	return NotMet, "Neither SPF nor a DKIM signature passes for " + name + ", the domain in From."
}

func checkReverse(f *messageFacts) (Status, string) {
	if !f.client {
		return Unknown, "The address of the client is not known."
	}
	ip := f.result.Envelope.IP.String()
	switch f.reverse {
	case reverse.Confirmed:
		return Met, ip + " has a name that leads back to it."
	case reverse.None:
		return NotMet, ip + " has no name (PTR record)."
	case reverse.Other:
		return NotMet, "The name of " + ip + " (" + strings.Join(f.names, ", ") + ") does not lead back to it."
	}
	return Unknown, "DNS did not say which name " + ip + " has."
}

// once are fields that a message has at most once (RFC 5322, section 3.6), and whether it needs them.
var once = []struct {
	name   string
	needed bool
}{{"From", true}, {"Date", true}, {"Message-ID", true}, {"To", false}, {"Cc", false}, {"Subject", false}, {"Sender", false}, {"Reply-To", false}}

func checkFormat(f *messageFacts) (Status, string) {
	if len(f.header.Fields) == 0 {
		return Unknown, "The header was not read."
	}
	var wrong []string
	if f.header.Err != nil {
		wrong = append(wrong, f.header.Err.Error())
	}
	for _, field := range once {
		switch n := len(f.fields(domain.ToLower(field.name))); {
		case n > 1:
			wrong = append(wrong, remedy.Plural(n, field.name+" field", field.name+" fields"))
		case n == 0 && field.needed:
			wrong = append(wrong, "no "+field.name+" field")
		}
	}
	if f.result.DMARC.Status == dmarc.StatusPermError && len(wrong) == 0 {
		wrong = append(wrong, f.result.DMARC.Err.Error())
	}
	if len(wrong) > 0 {
		return NotMet, "The header is not as RFC 5322 has it: " + strings.Join(wrong, "; ") + "."
	}
	return Met, "The header is as RFC 5322 has it, as far as its fields tell."
}

func checkGmail(f *messageFacts) (Status, string) {
	name := f.result.DMARC.AuthorDomain
	if (name == "gmail.com" || name == "googlemail.com") && f.result.DMARC.Status != dmarc.StatusPass {
		return NotMet, "From has an address at " + name + ", and the message is not from Google."
	}
	return Met, "From is no address of Gmail that somebody else uses."
}

// checkOneClick follows RFC 8058, sections 3 and 4.
func checkOneClick(f *messageFacts) (Status, string) {
	const suffix = " Mail that nobody subscribes to, such as a receipt, does not need it."
	list, post := f.fields("list-unsubscribe"), f.fields("list-unsubscribe-post")
	switch {
	case len(list) == 0:
		return NotMet, "There is no List-Unsubscribe field." + suffix
	case len(list) > 1 || len(post) > 1:
		return NotMet, "A field for unsubscribing stands in the header twice."
	case !strings.Contains(domain.ToLower(list[0]), "<https:"):
		return NotMet, "List-Unsubscribe has no address that begins with https:."
	case len(post) == 0:
		return NotMet, "There is no List-Unsubscribe-Post field."
	case !strings.EqualFold(post[0], "List-Unsubscribe=One-Click"):
		return NotMet, "List-Unsubscribe-Post has to say List-Unsubscribe=One-Click."
	}
	open := false
	for _, d := range f.result.DKIM {
		covers := signs(d, "list-unsubscribe") && signs(d, "list-unsubscribe-post")
		if covers && d.Status == dkim.StatusPass {
			return Met, "List-Unsubscribe and List-Unsubscribe-Post are there, and signed by " + visible.Domain(d.Domain) + "."
		}
		open = open || covers && d.Status == dkim.StatusTempError
	}
	if open {
		return Unknown, "DNS did not say whether the signature passes that covers List-Unsubscribe."
	}
	return NotMet, "No signature that passes covers both List-Unsubscribe and List-Unsubscribe-Post (h=)."
}

// signs reports whether a signature covers a field.
func signs(d *dkim.Result, name string) bool {
	return slices.ContainsFunc(d.Signed, func(s string) bool { return strings.EqualFold(s, name) })
}

// checkForwarder is for messages that somebody forwarded.
func checkForwarder(f *messageFacts, marks bool) (Status, string) {
	list := len(f.fields("list-id")) > 0
	chain := f.result.ARC
	// A newsletter has a List-Id too. What passes DMARC was not changed by a list.
	if chain == nil && len(f.result.Indirect) == 0 && (!list || f.result.DMARC.Status == dmarc.StatusPass) {
		return "", ""
	}
	switch {
	case chain == nil:
		return NotMet, "The message was forwarded or came by a list, and has no ARC fields."
	case chain.Status == arc.StatusFail:
		return NotMet, "The ARC chain is broken."
	case chain.Status != arc.StatusPass:
		return Unknown, "Whether the ARC chain holds cannot be told: " + chain.Status.String() + "."
	case marks && !list:
		return Met, "The ARC chain holds. A mailing list has a List-Id field too, which is not here."
	}
	return Met, "The ARC chain holds."
}
