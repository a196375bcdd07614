package spf

import (
	"encoding/json"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// In JSON the field Err of a result is "reason", its text, and "cause", a word for
// the error of this package, or of package resolver, that it wraps. An error that
// is read back has the same text, and errors.Is finds that error in it.

// MarshalJSON writes r with its Err.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(r), causes.JSON(r.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(text []byte) error {
	type plain Result
	var v struct {
		plain
		cause.JSON
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*r = Result(v.plain)
	r.Err = causes.Error(v.JSON)
	return nil
}

// MarshalJSON writes e with its Err.
func (e Evaluation) MarshalJSON() ([]byte, error) {
	type plain Evaluation
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(e), causes.JSON(e.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Evaluation) UnmarshalJSON(text []byte) error {
	type plain Evaluation
	var v struct {
		plain
		cause.JSON
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*e = Evaluation(v.plain)
	e.Err = causes.Error(v.JSON)
	return nil
}

// MarshalJSON writes s with its Err.
func (s Step) MarshalJSON() ([]byte, error) {
	type plain Step
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(s), causes.JSON(s.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Step) UnmarshalJSON(text []byte) error {
	type plain Step
	var v struct {
		plain
		cause.JSON
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*s = Step(v.plain)
	s.Err = causes.Error(v.JSON)
	return nil
}

// MarshalJSON writes a with its Err.
func (a Answer) MarshalJSON() ([]byte, error) {
	type plain Answer
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(a), resolver.Causes(seam.Internal{}).JSON(a.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Answer) UnmarshalJSON(text []byte) error {
	type plain Answer
	var v struct {
		plain
		cause.JSON
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*a = Answer(v.plain)
	a.Err = resolver.Causes(seam.Internal{}).Error(v.JSON)
	return nil
}
