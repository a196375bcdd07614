package remedy

import (
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

// Cause returns the words for the cause of an error, or others where it has none.
func Cause(words map[string]string, err error, others string) string {
	word, _ := cause.Of(err)
	return or(words[word], others)
}

// SPFFault says why a check of SPF did not end with a term that matched.
func SPFFault(r *spf.Result) string { return Cause(SPFWords, r.Err, "it cannot be read") }

// or returns text, or what stands for no text.
func or(text, none string) string {
	if text == "" {
		return none
	}
	return text
}

// List joins words as a sentence does: "a", "a and b", "a, b and c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
