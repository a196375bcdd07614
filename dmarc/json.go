package dmarc

import (
	"encoding/json"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// The types below carry an error, which in JSON is "reason", its text, and "cause", a word
// for the exported error that it wraps. Reading them back gives an error with the same text
// for which errors.Is finds the same exported error.

// MarshalJSON writes the verdict, with Err as "reason" and "cause".
func (v Verdict) MarshalJSON() ([]byte, error) {
	type plain Verdict
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(v), causes.JSON(v.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Verdict) UnmarshalJSON(text []byte) error {
	type plain Verdict
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*v = Verdict(in.plain)
	v.Err = causes.Error(in.JSON)
	return err
}
