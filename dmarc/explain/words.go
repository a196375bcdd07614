package explain

import (
	"errors"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/remedy"
)

// The causes of results in plain words, by their words in JSON; those of SPF are in internal/remedy.
// A test holds them against the causes that packages spf, dkim, dmarc and those below it declare.

// dkimWords go behind "The signature does not count:".
var dkimWords = map[string]string{
	"syntax":             "its line in the header cannot be read",
	"duplicate-tag":      "a part of it stands there twice",
	"version":            "its version is missing or unknown",
	"tag-missing":        "a part of it is missing",
	"tag-malformed":      "a part of it cannot be read",
	"algorithm":          "it is of a kind that nobody knows",
	"rsa-sha1":           "it is of an old kind (rsa-sha1) that is no longer safe",
	"canonicalization":   "it treats the text in a way that nobody knows",
	"query":              "it names no known way to find its key",
	"identity":           "it speaks for a domain that is not its signer's",
	"from-not-signed":    "it does not cover the From line",
	"expiry-before-time": "it expires before it was made",
	"expired":            "it had expired",
	"future":             "it was made in the future, by the clock of its signer",
	"dns":                "DNS gave no answer about its key",
	"key-missing":        "its key is not in DNS",
	"key-malformed":      "its key in DNS is broken",
	"key-revoked":        "its key was withdrawn by its owner",
	"key-type":           "its key in DNS is of another kind",
	"key-hash":           "its key in DNS forbids this kind of signature",
	"key-service":        "its key in DNS is not for email",
	"key-strict":         "its key in DNS is for the exact domain only",
	"key-too-small":      "its key is too short to be safe",
	"key-too-large":      "its key is too long",
	"key-unsafe":         "its key is one with which everybody can sign",
	"body-length":        "the text is shorter than when it was signed",
	"body-hash-mismatch": "the text was changed after it was signed",
	"signature-mismatch": "the header was changed after it was signed, or another key signed",
	"key-testing":        "its key is only for testing (t=y)",
	"body-unsigned":      "the end of the text is not signed (l=)",
	"field-added":        "a line was added to the header after it was signed",
	"field-not-signed":   "it leaves out a line of the header that matters",
	"interrupted":        "the message did not arrive whole",
	"limit":              "there are more signatures than are checked",
}

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
	return remedy.Cause(dkimWords, d.Err, "it cannot be checked")
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
