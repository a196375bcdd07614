package explain_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/resolver"
)

func TestWhatIsToBeDoneIsSaidOnce(t *testing.T) {
	v := dmarc.Verifier{Resolver: resolver.Zone{"_dmarc.flowers.example": {TXT: []string{"v=DMARC1; p=monitor"}}}}
	r, err := v.Verify(context.Background(), dmarc.Envelope{}, strings.NewReader("From: a@flowers.example\r\n\r\nHi.\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	answer := explain.Explain(r).Answer
	if len(answer.Fixes) != 1 || len(answer.Advice) != 0 {
		t.Errorf("%d fixes and %d advices, want the one fix: %+v", len(answer.Fixes), len(answer.Advice), answer.Advice)
	}
}
