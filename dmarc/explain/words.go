package explain

import (
	"errors"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/remedy"
)

// The causes of results in plain words, by their words in JSON; those of SPF and DKIM are in internal/remedy.
// A test holds them against the causes that packages spf, dkim, dmarc and those below it declare.

// dmarcWords are why a verdict is not a pass.
var dmarcWords = map[string]string{
	"no-record":          "there is no DMARC record",
	"no-policy":          "the DMARC record says neither what to do nor where to report",
	"record-limit":       "the DMARC record is too long",
	"not-authenticated":  "neither SPF nor a signature passed",
	"not-aligned":        "what passed is for another domain",
	"policy-unknown":     "DNS did not say whether there is a DMARC record",
	"existence-unknown":  "DNS did not say whether the domain exists",
	"alignment-unknown":  "DNS did not say whether two names belong together",
	"result-unknown":     "DNS did not say whether SPF or a signature passes",
	"interrupted":        "the check was ended before it was done",
	"no-from":            "it has no From line",
	"several-from":       "it has more than one From line",
	"no-mailbox":         "its From line has no address",
	"several-domains":    "its From line has addresses of more than one domain",
	"too-many-mailboxes": "its From line has more than 20 addresses",
	"address-literal":    "its From line has a number in place of a domain",
	"from-domain":        "the domain in its From line cannot be right",
	"from-syntax":        "its From line can be read in more than one way",
	"header":             "its header can be read in more than one way",
	"header-limit":       "its header is too large",
}

func dkimFault(d *dkim.Result) string {
	return remedy.Cause(remedy.DKIMWords, d.Err, "it cannot be checked")
}

// authorFault says why a message has no single Author Domain.
func authorFault(err error) string {
	if errors.Is(err, dmarc.ErrHeader) {
		return dmarcWords["header"]
	}
	return remedy.Cause(dmarcWords, err, "it has no single author")
}

// capital returns a sentence with a capital at its beginning.
func capital(text string) string {
	if text != "" && 'a' <= text[0] && text[0] <= 'z' {
		return string(text[0]-'a'+'A') + text[1:]
	}
	return text
}
