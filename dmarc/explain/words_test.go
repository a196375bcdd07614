package explain

import (
	"errors"
	"testing"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/cause/declared"
	"github.com/mailverdict/mailverdict/internal/remedy"
)

// Whoever adds an error to a package has to say here what it means in plain words.
func TestEveryCauseHasPlainWords(t *testing.T) {
	for name, test := range map[string]struct {
		words map[string]string
		dirs  []string
		not   []string // words of errors that no verdict wraps
	}{
		"spf":  {remedy.SPFWords, []string{"../../spf"}, nil},
		"dkim": {remedy.DKIMWords, []string{"../../dkim", "../../internal/keys"}, nil},
		"dmarc": {
			dmarcWords,
			[]string{"..", "../author", "../record", "../discovery", "../../internal/authordomain"},
			[]string{"uri-syntax", "uri-bang", "uri-scheme", "uri-address", "uri-limit"}, // of a record's report addresses
		},
	} {
		t.Run(name, func(t *testing.T) {
			known := make(map[string]bool)
			for _, e := range declared.In(t, test.dirs...) {
				known[e.Word] = true
				if test.words[e.Word] == "" && !contains(test.not, e.Word) {
					t.Errorf("%s (%s: %s) has no plain words", e.Name, e.Word, e.Text)
				}
			}
			for word := range test.words {
				if !known[word] {
					t.Errorf("there are plain words for %s, which no package declares", word)
				}
			}
		})
	}
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

func TestPlainWordsAreThoseOfTheCauseAndNotOfItsText(t *testing.T) {
	var causes cause.Table
	err := cause.Wrap(causes.New("no-record", "x"), "text of a stranger", nil)
	if got := remedy.Cause(remedy.SPFWords, err, "others"); got != remedy.SPFWords["no-record"] {
		t.Errorf("got %q", got)
	}
	for _, err := range []error{nil, errors.New("no-record"), causes.New("new", "x")} {
		if got := remedy.Cause(remedy.SPFWords, err, "others"); got != "others" {
			t.Errorf("%v: got %q", err, got)
		}
	}
}
