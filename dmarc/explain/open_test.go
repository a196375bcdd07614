package explain

import (
	"context"
	"fmt"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

func TestDNSIsNotBlamedForWhatWasEndedHere(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want openWhy
	}{
		{resolver.ErrServFail, openSilent},
		{resolver.ErrTimeout, openSilent},
		{resolver.ErrRefused, openRefused},
		{resolver.ErrUnreachable, openRefused},
		{context.Canceled, openEnded},
		{spf.ErrTimeLimit, openEnded},
		{spf.ErrCanceled, openEnded},
		{resolver.ErrQuestionLimit, openEnded},
	} {
		if got := whyOpen(fmt.Errorf("temperror: %w", tt.err)); got != tt.want {
			t.Errorf("%v: %d", tt.err, got)
		}
	}
}
