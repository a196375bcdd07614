package explain

import (
	"errors"
	"strconv"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/visible"
	"github.com/mailverdict/mailverdict/resolver"
)

// sessionStep is what the SMTP session knew.
func sessionStep(r *dmarc.Result) Step {
	e := &r.Envelope
	s := Step{Kind: KindSession, Title: "Session", Input: "How the message came."}
	s.add("client", client(e))
	s.add("HELO", or(e.HELO, "(none)"))
	switch {
	case e.MailFromUnknown:
		s.add("MAIL FROM", "(not known)")
	case e.MailFrom == "":
		s.add("MAIL FROM", "<> (the null sender, as bounces have it)")
	default:
		s.add("MAIL FROM", "<"+e.MailFrom+">")
	}
	if !r.Time.IsZero() {
		s.add("checked", moment(r.Time))
	}
	return s
}

func client(e *dmarc.Envelope) string {
	if !e.IP.IsValid() {
		return "(address not known)"
	}
	return e.IP.Unmap().String()
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// authorStep is how the Author Domain was found.
func authorStep(r *dmarc.Result) Step {
	a := &r.Author
	s := Step{
		Kind:    KindAuthor,
		Title:   "Author Domain",
		Input:   "Whom does the message say it is from?",
		Rule:    "A message has one From field, with addresses of one domain.",
		Section: "RFC 9989, section 5.3.1",
	}
	if byList(&r.DMARC) {
		s.Section = "RFC 7489, section 6.6.1"
	}
	s.add("From", a.From)
	if a.Fields > 1 {
		s.add("fields", strconv.Itoa(a.Fields)+" From fields or more; the first is shown")
	}
	if a.Mailboxes > 1 {
		s.add("addresses", strconv.Itoa(a.Mailboxes))
	}
	for _, name := range a.Domains[:min(len(a.Domains), 5)] {
		s.add("domain", visible.BothForms(name))
	}
	if a.Err != nil {
		s.Outcome, s.Tone = "refused", ToneBad
		s.add("reason", a.Err.Error())
		s.Consequence = "There is no single domain to ask for a policy."
		return s
	}
	if r.DMARC.AuthorDomain != "" {
		s.Outcome = "found"
		s.Consequence = "The question is who may speak for " + visible.Domain(r.DMARC.AuthorDomain) + "."
	}
	return s
}

// or returns text, or what stands for no text.
func or(text, none string) string {
	if text == "" {
		return none
	}
	return text
}

// count returns a number and what it counts: "1 octet", "2 octets".
func count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + one + "s"
}

// causeText returns the text of an error of a DNS question that stands beside it, and so
// does not need to repeat it.
func causeText(err error) string {
	var dns *resolver.Error
	if errors.As(err, &dns) {
		return dns.Err.Error()
	}
	return err.Error()
}
