package arc_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/dkim/arc"
)

func TestAMessageWithoutAChainHasNone(t *testing.T) {
	var v arc.Verifier
	r, err := v.Verify(context.Background(), strings.NewReader("From: a@example.com\r\n\r\nHi.\r\n"))
	if err != nil || r.Status != arc.StatusNone || r.Err != nil || len(r.Sets) != 0 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestAResultIsTheSameAfterJSON(t *testing.T) {
	r := arc.Result{
		Status: arc.StatusFail,
		Err:    arc.ErrSealedFail,
		Sets:   []arc.Set{{Instance: 1, Seal: arc.Signature{Status: arc.StatusFail, Domain: "lists.example", Err: arc.ErrSignatureMismatch}}},
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back arc.Result
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(back.Err, arc.ErrSealedFail) || !errors.Is(back.Sets[0].Seal.Err, arc.ErrSignatureMismatch) || back.String() != r.String() {
		t.Errorf("%s came back as %s", r, back)
	}
}
