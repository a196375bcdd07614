// Package cause lets the errors that results carry be written as JSON and read
// back: the text as it stands, and which of a package's exported errors it wraps.
//
// A package that has results declares each error once, with its code, and embeds [JSON]
// where a result is marshalled:
//
//	var causes cause.Table
//
//	var ErrNoRecord = causes.New("no-record", "the domain has no record")
//
//	func (r Result) MarshalJSON() ([]byte, error) {
//		type plain Result // without the methods, so that this does not call itself
//		return json.Marshal(struct {
//			plain
//			cause.JSON
//		}{plain(r), causes.JSON(r.Err)})
//	}
package cause

import (
	"errors"
	"slices"
)

// A Code is one exported error and the word that stands for it in JSON. Codes are
// part of what users store: they are never renamed.
type Code struct {
	Word string
	Err  error
}

// A Table lists a package's errors. Where an error wraps several of them, the
// first in the table gives its code, so that the particular stands before the
// general. A Table is not changed once the package is initialized.
type Table []Code

// New returns an error of that text, and adds it to the table under a word.
func (t *Table) New(word, text string) error {
	err := &sentinel{word: word, text: text}
	*t = append(*t, Code{word, err})
	return err
}

// NewUnder is New for a particular case of general, which is in the table already: the
// error is general too, for errors.Is, and stands before it in the table.
func (t *Table) NewUnder(general error, word, text string) error {
	err := &sentinel{word, text, general}
	*t = slices.Insert(*t, 0, Code{word, err})
	return err
}

// Adopt adds an error that another package made by New, under the word that it has there,
// and returns it. An error of NewUnder is adopted before the general one.
func (t *Table) Adopt(err error) error {
	*t = append(*t, Code{err.(*sentinel).word, err})
	return err
}

// A sentinel is an error of New or NewUnder.
type sentinel struct {
	word, text string
	general    error // or nil
}

func (e *sentinel) Error() string { return e.text }
func (e *sentinel) Unwrap() error { return e.general }

// Of returns the word and the text of the first error made by New or NewUnder that err wraps,
// without what err says beside it; or "".
func Of(err error) (word, text string) {
	var s *sentinel
	if errors.As(err, &s) {
		return s.word, s.text
	}
	return "", ""
}

// JSON is an error in JSON; embed it in the struct that is marshalled. The zero
// JSON is no error.
type JSON struct {
	Reason string `json:"reason,omitempty"` // the text of the error
	Cause  string `json:"cause,omitempty"`  // the code, where the table has one
}

// Code returns the code of err, or "" where it wraps nothing in the table.
func (t Table) Code(err error) string {
	for _, c := range t {
		if errors.Is(err, c.Err) {
			return c.Word
		}
	}
	return ""
}

// JSON returns what stands for err.
func (t Table) JSON(err error) JSON {
	if err == nil {
		return JSON{}
	}
	return JSON{Reason: err.Error(), Cause: t.Code(err)}
}

// Error returns an error with the text of j that wraps the error of its code, or
// nil where j is zero. A code that is not in the table, as a later version may
// write it, leaves the text alone.
func (t Table) Error(j JSON) error {
	if j == (JSON{}) {
		return nil
	}
	for _, c := range t {
		if c.Word == j.Cause {
			return &read{j.Reason, c.Err}
		}
	}
	return &read{j.Reason, nil}
}

// read is an error that came from JSON.
type read struct {
	text string
	err  error
}

func (e *read) Error() string { return e.text }
func (e *read) Unwrap() error { return e.err }

// Wrap returns an error that is sentinel, for errors.Is, and says more: detail,
// and what lies beneath it, such as the resolver's error. Detail may be empty and
// beneath nil. Text that a stranger wrote belongs into detail quoted.
func Wrap(sentinel error, detail string, beneath error) error {
	return &wrapped{sentinel, detail, beneath}
}

type wrapped struct {
	sentinel error
	detail   string
	beneath  error
}

func (e *wrapped) Error() string {
	text := e.sentinel.Error()
	if e.detail != "" {
		text += ": " + e.detail
	}
	if e.beneath != nil {
		text += ": " + e.beneath.Error()
	}
	return text
}

// Unwrap gives errors.Is and errors.As both branches.
func (e *wrapped) Unwrap() []error {
	if e.beneath == nil {
		return []error{e.sentinel}
	}
	return []error{e.sentinel, e.beneath}
}
