package dmarc

import (
	"encoding/json"
	"slices"

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

// MarshalJSON writes the author, with Err as "reason" and "cause".
func (a Author) MarshalJSON() ([]byte, error) {
	type plain Author
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(a), causes.JSON(a.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Author) UnmarshalJSON(text []byte) error {
	type plain Author
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*a = Author(in.plain)
	a.Err = causes.Error(in.JSON)
	return err
}

// MarshalJSON writes the discovery, with Err as "reason" and "cause".
func (d Discovery) MarshalJSON() ([]byte, error) {
	type plain Discovery
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(d), causes.JSON(d.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Discovery) UnmarshalJSON(text []byte) error {
	type plain Discovery
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*d = Discovery(in.plain)
	d.Queries = slices.DeleteFunc(d.Queries, func(q *Query) bool { return q == nil })
	d.Err = causes.Error(in.JSON)
	return err
}

// MarshalJSON writes the query, with Err as "reason" and "cause".
func (q Query) MarshalJSON() ([]byte, error) {
	type plain Query
	return json.Marshal(struct {
		plain
		cause.JSON
	}{plain(q), causes.JSON(q.Err)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (q *Query) UnmarshalJSON(text []byte) error {
	type plain Query
	var in struct {
		plain
		cause.JSON
	}
	err := json.Unmarshal(text, &in)
	*q = Query(in.plain)
	q.Err = causes.Error(in.JSON)
	return err
}
