package remedy

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/spf"
)

// SPFWords go behind "The SPF record cannot be used:" and the like.
var SPFWords = map[string]string{
	"no-address":       "the address of the server that sent the message is not known",
	"no-mail-from":     "the address that bounces go to is not known",
	"no-domain":        "the address that bounces go to has no domain",
	"bad-domain":       "the address that bounces go to has a domain that cannot be right",
	"no-record":        "there is no SPF record",
	"no-match":         "the record does not say what to do with other servers",
	"no-target":        "it refers to a name that has no SPF record",
	"syntax":           "a part of it cannot be read",
	"multiple-records": "there is more than one of them, and so none counts",
	"term-limit":       "it needs more than ten look-ups in DNS",
	"loop":             "it includes itself: a loop",
	"void-limit":       "it names things that do not exist in DNS",
	"mx-limit":         "one of its mx terms has more than ten hosts",
	"question-limit":   "it needs too many look-ups in DNS",
	"record-limit":     "it is too long",
	"time-limit":       "the check took too long",
	"canceled":         "the check was ended before it was done",
	"dns":              "DNS gave no answer",
}

// DKIMWords go behind "The signature does not count:".
var DKIMWords = map[string]string{
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

// Cause returns the words for the cause of an error, or others where it has none.
func Cause(words map[string]string, err error, others string) string {
	word, _ := cause.Of(err)
	return cmp.Or(words[word], others)
}

// SPFFault says why a check of SPF did not end with a term that matched.
func SPFFault(r *spf.Result) string { return Cause(SPFWords, r.Err, "it cannot be read") }

// List joins words as a sentence does: "a", "a and b", "a, b and c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// Plural returns a number and the word for so many.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
