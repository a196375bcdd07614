package authres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/internal/cause/declared"
	"github.com/mailverdict/mailverdict/spf"
)

// An error that its package declares with a word is one whose text reasonOf gives.
func TestEveryErrorThatAResultWrapsIsDeclaredWithAWord(t *testing.T) {
	for _, e := range declared.In(t, "../../spf", "../../dkim", "../../internal/keys", "..", "../author", "../record", "../discovery", "../../internal/authordomain") {
		for i := range len(e.Text) {
			if c := e.Text[i]; c < ' ' || c > '~' || strings.IndexByte(`"\`, c) >= 0 && !strings.HasPrefix(e.Word, "uri-") {
				t.Errorf("%s: %q does not stand in a field as it is", e.Name, e.Text)
			}
		}
	}
	for _, err := range []error{spf.ErrTermLimit, spf.ErrLoop, dkim.ErrKeyMissing, dkim.ErrExpired, dmarc.ErrNoRecord, dmarc.ErrSeveralFrom, dmarc.ErrInterrupted} {
		if got := reasonOf(fmt.Errorf("text of a stranger: %w", err)); got != err.Error() {
			t.Errorf("%v: got %q", err, got)
		}
	}
	for _, err := range []error{nil, errors.New("text of a stranger")} {
		if got := reasonOf(err); got != "" {
			t.Errorf("%v: got %q", err, got)
		}
	}
}

func TestAResultThatFailsSaysWhyInItsCommentAlone(t *testing.T) {
	r := shop()
	for _, err := range []error{dmarc.ErrNotAligned, dmarc.ErrNotAuthenticated} {
		r.DMARC.Status, r.DMARC.Err = dmarc.StatusFail, err
		if field := Format(ours, r); strings.Contains(field, "reason") {
			t.Errorf("a reason in %q", field)
		}
	}
}
