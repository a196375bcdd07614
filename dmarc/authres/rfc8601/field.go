// Package rfc8601 reads and writes Authentication-Results header fields, whoever's they are:
// RFC 8601, section 2.2. Package authres, above it, writes the field for a result of ours.
//
// [Parse] reads a field strictly, [ParseLenient] what it can of one that breaks the grammar,
// and [Field.Format] writes a field.
package rfc8601

import (
	"errors"
	"fmt"
	"log/slog"
)

// A Field is an Authentication-Results field: RFC 8601, section 2.2. The texts of one that
// was read are as their author wrote them, without comments and outer quotes: not safe to
// print. Whether its author is to be believed is another question (section 7.1).
type Field struct {
	ID      string   `json:"authserv_id"`
	Version int      `json:"version"` // 1 where none is written
	Results []Result `json:"results"` // empty for "none"

	// Lenient says that the field does not follow the grammar, and that ParseLenient read
	// as much of it as it could. Unread are the parts that could not be read, as they
	// stand in the field, without folds.
	Lenient bool     `json:"lenient,omitempty"`
	Unread  []string `json:"unread,omitempty"`
}

// A Result is what the author of a field found by one method.
type Result struct {
	Method        string     `json:"method"`         // lower case
	MethodVersion int        `json:"method_version"` // 0 is 1
	Value         string     `json:"result"`         // lower case
	Reason        string     `json:"reason,omitempty"`
	Properties    []Property `json:"props"`

	// Comments are for people. They are written behind the value, without their
	// parentheses here. A field that is read gives none.
	Comments []string `json:"comments,omitempty"`
}

// A Property is a value that a result is about. The parts of the name are in lower case:
// header.d is Type "header" and Name "d". Type is empty where ParseLenient found a name
// without one, such as action=none.
type Property struct {
	Type  string `json:"ptype"`
	Name  string `json:"property"`
	Value string `json:"value"`
}

// Property returns the value of the first property of that name, or "".
func (r Result) Property(ptype, name string) string {
	for _, p := range r.Properties {
		if p.Type == ptype && p.Name == name {
			return p.Value
		}
	}
	return ""
}

// LogValue returns String.
func (f *Field) LogValue() slog.Value { return slog.StringValue(f.String()) }

// LogValue returns String.
func (r Result) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Why a field could not be read. The error of Parse wraps one of them.
var (
	ErrName    = errors.New("not an Authentication-Results field")
	ErrSyntax  = errors.New("the field does not follow the grammar of RFC 8601")
	ErrVersion = errors.New("the field has a version other than 1")
	ErrLimit   = errors.New("the field exceeds a limit")
)

// Name is the name of the field.
const Name = "Authentication-Results"

const (
	fieldName = Name
	lowerName = "authentication-results"
)

// A syntaxError says what is missing and where.
type syntaxError struct {
	offset int // in the field
	want   string
	err    error
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("%v: %s at octet %d", e.err, e.want, e.offset)
}

func (e *syntaxError) Unwrap() error { return e.err }
