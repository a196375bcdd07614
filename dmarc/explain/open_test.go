package explain

import (
	"context"
	"fmt"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestDNSIsNotBlamedForWhatWasEndedHere(t *testing.T) {
	const dns, here = "DNS did not answer. It may do so later.", "The check was ended before DNS had answered. It may do so later."
	for _, tt := range []struct {
		err  error
		want string
	}{
		{resolver.ErrServFail, dns},
		{resolver.ErrTimeout, dns},
		{context.Canceled, here},
		{spf.ErrTimeLimit, here},
		{spf.ErrCanceled, here},
		{resolver.ErrQuestionLimit, here},
	} {
		if got := whyOpen(fmt.Errorf("temperror: %w", tt.err)); got != tt.want {
			t.Errorf("%v: %q", tt.err, got)
		}
	}
}
