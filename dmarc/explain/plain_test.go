package explain_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/explain"
)

// jargon are words that a shop owner would have to look up.
var jargon = []string{
	"a-label", "align", "answerable", "auid", "canonical", "conform", "disposition", "envelope", "identifier", "i=",
	"header field", "mechanism", "modifier", "neutral", "octet", "organizational", "permerror", "qualifier", "quarantine", "redirect",
	"rfc", "rua", "sdid", "selector", "smtp", "softfail", "suffix", "syntax", "temperror", "u-label", "void",
}

// glossed are words of the trade that stand there because the reader meets them elsewhere, and
// what explains them has to stand beside them.
var glossed = map[string]*regexp.Regexp{
	"mail from":  regexp.MustCompile(`(?i)custom MAIL FROM domain in the SES console`),
	"quarantine": regexp.MustCompile(`quarantine and then reject protect your name|p=none, p=quarantine or p=reject|none, quarantine or reject`),
}

const mostWords = 25

// checkPlain reports what is too long or too hard to read in the answer.
func checkPlain(t *testing.T, e *explain.Explanation) {
	t.Helper()
	a := &e.Answer
	if len(a.Sentences) == 0 || len(a.Sentences) > 2 {
		t.Errorf("%d sentences beside the verdict %q", len(a.Sentences), a.Verdict)
	}
	texts := append([]string{a.Verdict, a.Asked, a.Unless}, a.Sentences...)
	for _, f := range slices.Concat(a.Fixes, a.Advice) {
		texts = append(texts, f.Text, f.Note)
		if f.Broken != nil {
			texts = append(texts, f.Broken.Faults...)
		}
	}
	for _, text := range texts {
		for _, sentence := range sentences(text) {
			if n := len(strings.Fields(sentence)); n > mostWords {
				t.Errorf("a sentence of %d words: %q", n, sentence)
			}
		}
		lower := strings.ToLower(text)
		for _, word := range jargon {
			if strings.Contains(lower, word) && (glossed[word] == nil || !glossed[word].MatchString(text)) {
				t.Errorf("%q has the word %q", text, word)
			}
		}
		if strings.Contains(lower, "mail from") && !glossed["mail from"].MatchString(text) {
			t.Errorf("%q has MAIL FROM unexplained", text)
		}
	}
	for _, text := range e.Reasons {
		for _, sentence := range sentences(text) {
			if n := len(strings.Fields(sentence)); n > mostWords {
				t.Errorf("a reason with %d words: %q", n, sentence)
			}
		}
		if strings.Contains(text, "RFC") {
			t.Errorf("an RFC in the reason %q", text)
		}
	}
}

// sentences parts a text after each full stop and colon that a space follows.
func sentences(text string) []string {
	return regexp.MustCompile(`[.:] `).Split(text, -1)
}
