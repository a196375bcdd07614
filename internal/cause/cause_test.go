package cause

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

var (
	errParticular = errors.New("too many apples")
	errGeneral    = errors.New("too much fruit")
	table         = Table{{"apples", errParticular}, {"fruit", errGeneral}}
)

type result struct {
	Status string `json:"status"`
	Err    error  `json:"-"`
}

func (r result) MarshalJSON() ([]byte, error) {
	type plain result
	return json.Marshal(struct {
		plain
		JSON
	}{plain(r), table.JSON(r.Err)})
}

func (r *result) UnmarshalJSON(text []byte) error {
	type plain result
	var v struct {
		plain
		JSON
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*r = result(v.plain)
	r.Err = table.Error(v.JSON)
	return nil
}

func TestAnErrorKeepsItsTextAndItsCauseThroughJSON(t *testing.T) {
	for _, err := range []error{
		errParticular,
		fmt.Errorf("in the basket: %w", errGeneral),
		Wrap(errGeneral, `"figs"`, errors.New("eleven")),
	} {
		text, jsonErr := json.Marshal(result{"fail", err})
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		var back result
		if jsonErr := json.Unmarshal(text, &back); jsonErr != nil {
			t.Fatal(jsonErr)
		}
		if back.Err.Error() != err.Error() || back.Status != "fail" {
			t.Errorf("%s came back as %q", text, back.Err)
		}
		for _, c := range table {
			if errors.Is(back.Err, c.Err) != errors.Is(err, c.Err) {
				t.Errorf("%s came back with another cause", text)
			}
		}
	}
}

func TestNoErrorLeavesNoTrace(t *testing.T) {
	text, err := json.Marshal(result{"pass", nil})
	if err != nil || string(text) != `{"status":"pass"}` {
		t.Errorf("got %s, %v", text, err)
	}
	var back result
	if err := json.Unmarshal(text, &back); err != nil || back.Err != nil {
		t.Errorf("got %v, %v", back.Err, err)
	}
}

func TestACodeOfALaterVersionLeavesTheText(t *testing.T) {
	err := table.Error(JSON{Reason: "too many figs", Cause: "figs"})
	if err == nil || err.Error() != "too many figs" {
		t.Errorf("got %v", err)
	}
}

func TestTheParticularCauseGivesTheCode(t *testing.T) {
	if got := table.Code(Wrap(errGeneral, "", errParticular)); got != "apples" {
		t.Errorf("got %q", got)
	}
}

func TestWrapShowsBothBranches(t *testing.T) {
	err := Wrap(errGeneral, "figs", fmt.Errorf("in the cellar: %w", errParticular))
	if !errors.Is(err, errGeneral) || !errors.Is(err, errParticular) {
		t.Errorf("%v does not show what it wraps", err)
	}
	if want := "too much fruit: figs: in the cellar: too many apples"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestAParticularErrorIsItsGeneralOneAndHasItsOwnWord(t *testing.T) {
	var first, second Table
	general := first.New("fruit", "too much fruit")
	particular := first.NewUnder(general, "figs", "too many figs")
	if !errors.Is(particular, general) || errors.Is(general, particular) {
		t.Error("the particular one is not the general one")
	}
	second.Adopt(particular)
	second.Adopt(general)
	for _, table := range []Table{first, second} {
		if table.Code(particular) != "figs" || table.Code(general) != "fruit" {
			t.Errorf("codes %q and %q", table.Code(particular), table.Code(general))
		}
		if back := table.Error(table.JSON(particular)); !errors.Is(back, particular) || !errors.Is(back, general) {
			t.Errorf("%v came back as %v", particular, back)
		}
	}
}
